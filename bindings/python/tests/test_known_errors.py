# SPDX-License-Identifier: BSD-3-Clause
"""Cases that other libraries are known to have got wrong, with the right numbers: layers, losses, optimisers, modules."""
import unittest

import numpy as np

import dyn

try:
    import torch
    from torch import nn
except ImportError:
    torch = None


def of(function, *arrays, order=0):
    """f of arrays; order 1: with the gradients of its sum; order 2: with the Hessian of half its squares' sum, by rows."""
    g = dyn.Graph()
    nodes = [g.input(f"x{i}", np.shape(a)) for i, a in enumerate(arrays)]
    f = function(*nodes)
    given = {f"x{i}": np.asarray(a, float) for i, a in enumerate(arrays)}
    run = lambda *out: (lambda h: h(**{k: v for k, v in given.items() if k in h.inputs}))(g.compile(*out))
    if order == 0:
        return run(f)
    if order == 1:
        return [run(f), *(np.asarray(v) for v in _list(run(*g.gradient(f.sum(), nodes))))]
    s = (f * f).sum() * 0.5
    size = int(np.prod(np.shape(arrays[0])))
    columns = []
    for k in range(size):
        v = np.zeros(size)
        v[k] = 1
        columns.append(np.ravel(run(*g.hvp(s, nodes[:1], [g.constant(v.reshape(np.shape(arrays[0])))]))))
    return np.array(columns)


def _list(x):
    return x if isinstance(x, list) else [x]


def row(x):
    """[T] as one sample of one channel, [1, T, 1]."""
    return np.reshape(np.asarray(x, float), (1, -1, 1))


class Convolutions(unittest.TestCase):
    def conv(self, x, w, **options):
        return of(lambda a, b: dyn.conv1d(a, b, **options), row(x), np.reshape(np.asarray(w, float), (-1, 1, 1))).ravel()

    def test_same(self):
        np.testing.assert_array_equal(self.conv([1, 2, 3], [1, 1], padding="same"), [3, 5, 3])
        np.testing.assert_array_equal(self.conv([1, 2, 3, 4], [1, 10], padding="same", dilation=3), [30, 41, 2, 3])
        np.testing.assert_array_equal(self.conv([1, 2, 3, 4], [1, 1, 1], padding="same", stride=2), [6, 7])
        np.testing.assert_array_equal(self.conv([1, 2, 3, 4], [1, 1, 1], padding=1, stride=2), [3, 9])

    def test_groups(self):
        x = np.array([[1, 2, 3], [4, 5, 6]], float).T[None]     # [1, 3, 2]
        w = np.ones((2, 1, 2))
        _, gradient = of(lambda b: dyn.conv1d(b.graph.constant(x), b, groups=2), w, order=1)
        np.testing.assert_array_equal(gradient[:, 0, :].T, [[3, 5], [9, 11]])
        hessian = of(lambda b: dyn.conv1d(b.graph.constant(x), b, groups=2), w, order=2)
        by_group = hessian.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)
        np.testing.assert_array_equal(by_group, [[5, 8, 0, 0], [8, 13, 0, 0], [0, 0, 41, 50], [0, 0, 50, 61]])

    def test_transposed(self):
        transposed = lambda x, w, **o: of(lambda a, b: dyn.conv_transpose1d(a, b, **o), row(x),
                                          np.reshape(np.asarray(w, float), (-1, 1, 1))).ravel()
        np.testing.assert_array_equal(transposed([1, 2], [1, 1, 1], stride=2, padding=1, output_padding=1), [1, 3, 2, 2])
        np.testing.assert_array_equal(transposed([1, 2], [1, 2, 3]), [1, 4, 7, 6])
        with self.assertRaises(dyn.Error):
            transposed([1, 2], [1, 1, 1], stride=2, output_padding=2)

    def test_average_pooling_counts_what_is_there(self):
        self.assertEqual(of(lambda a: dyn.avg_pool1d(a, 2, ceil_mode=True), row([1, 2, 3, 4, 5])).ravel().tolist(), [1.5, 3.5, 5])
        made = of(lambda a: dyn.avg_pool2d(a, 3, 2, 1, ceil_mode=True), np.ones((1, 6, 6, 1)))[0, :, :, 0]
        np.testing.assert_allclose(made[0], [4 / 9, 6 / 9, 6 / 9, 3 / 9], rtol=1e-14)
        self.assertAlmostEqual(made[-1, -1], 0.25, delta=1e-15)

    def test_max_pooling_ties(self):
        _, gradient = of(lambda a: dyn.max_pool1d(a, 2), row([2, 2]), order=1)
        np.testing.assert_array_equal(gradient.ravel(), [1, 0])
        hessian = of(lambda a: dyn.max_pool1d(a, 2, 1), row([1, 3, 2]), order=2)
        np.testing.assert_array_equal(2 * hessian, np.diag([0, 4, 0]))


class Attention(unittest.TestCase):
    def test_a_row_that_sees_nothing(self):
        q, v = np.zeros((1, 1, 2, 1)), np.array([1, 3], float).reshape(1, 1, 2, 1)
        mask = np.array([[0, 0], [1, 1]], float)
        f, by_q, by_v = of(lambda a, b: dyn.scaled_dot_product_attention(a, a, b, a.graph.constant(mask)), q, v, order=1)
        np.testing.assert_array_equal(f.ravel(), [0, 2])
        np.testing.assert_array_equal(by_v.ravel(), [0.5, 0.5])
        self.assertTrue(np.isfinite(by_q).all())

    def test_causal_of_other_lengths_is_from_the_top(self):
        for queries, keys, expected in ((1, 3, [1]), (3, 2, [1, 1.5, 1.5])):
            q, k = np.zeros((1, 1, queries, 1)), np.zeros((1, 1, keys, 1))
            v = np.arange(1.0, keys + 1).reshape(1, 1, keys, 1)
            f = of(lambda a, b, c: dyn.scaled_dot_product_attention(a, b, c, is_causal=True), q, k, v)
            np.testing.assert_allclose(f.ravel(), expected, rtol=1e-15)

    def test_softmax_does_not_overflow(self):
        np.testing.assert_allclose(of(dyn.softmax, [89.0, 0.0]), [1, 2.2273635617957438e-39], rtol=1e-12)
        np.testing.assert_array_equal(of(dyn.log_softmax, [1000.0, 0.0]), [0, -1000])

    def test_rotary_pairs(self):
        x = np.zeros((1, 1, 2, 4))
        x[..., 1, :] = [1, 2, 3, 4]
        half = of(lambda a: dyn.rotary(a), x)[0, 0, 1]
        pairs = of(lambda a: dyn.rotary(a, interleaved=True), x)[0, 0, 1]
        np.testing.assert_allclose(half, [-1.98411, 1.95990, 2.46238, 4.01980], atol=1e-5)
        np.testing.assert_allclose(pairs, [-1.14264, 1.92208, 2.95985, 4.02980], atol=1e-5)

    def test_one_key(self):
        g = dyn.Graph()
        q, k, v = (g.input(n, (1, 1, 1, 1)) for n in "qkv")
        s = (dyn.scaled_dot_product_attention(q, k, v)**2).sum()
        one = [g.constant(np.reshape(float(i == 2), (1, 1, 1, 1))) for i in range(3)]
        out = g.compile(*g.gradient(s, [q, k, v]), *g.hvp(s, [q, k, v], one))
        given = {"q": 0.3, "k": 0.7, "v": 2.0}
        values = out(**{n: np.reshape(given[n], (1, 1, 1, 1)) for n in out.inputs})
        np.testing.assert_array_equal(np.ravel(values), [0, 0, 4, 0, 0, 2])


class Norms(unittest.TestCase):
    def norm(self, x):
        """A batch norm trained one step on x [n, ..], its moments."""
        def build(g, x):
            y = dyn.batch_norm(x, g.parameter("gain", (1,), dyn.init.constant(1)))
            return y.reshape(y.shape[0], -1)
        net = dyn.Model.from_function(build, x.shape[1:])
        return dyn.Run(net, x, np.zeros((len(x), int(np.prod(x.shape[1:])))), optimizer=dyn.GD(0.0))

    def test_running_moments(self):
        run = self.norm(np.arange(1.0, 5)[:, None]).train(1)
        self.assertAlmostEqual(run.states["norm.mean"][0], 0.25, delta=1e-15)
        self.assertAlmostEqual(run.states["norm.var"][0], 0.9 + 0.1 * 5 / 3, delta=1e-15)
        run = self.norm(np.arange(8.0).reshape(2, 2, 2, 1)).train(1)
        self.assertAlmostEqual(run.states["norm.var"][0], 0.9 + 0.1 * 6, delta=1e-14)

    def test_measuring_moves_nothing(self):
        run = self.norm(np.array([[0.0], [2.0]]))
        run.objective.gradient(run.theta)
        run.objective.hessian(run.theta) @ np.ones(1)
        run.train(1)
        self.assertAlmostEqual(run.states["norm.mean"][0], 0.1, delta=1e-15)

    def test_one_value_per_channel_is_refused(self):
        with self.assertRaisesRegex(dyn.Error, "one value per channel"):
            self.norm(np.ones((1, 1))).train(1)

    def test_layer_norm_of_a_constant(self):
        g = dyn.Graph()
        x = g.input("x", (1, 2))
        f = dyn.layer_norm(x)[0, 0]
        first, = g.gradient(f, [x])
        e = g.constant([[1.0, 0.0]])
        second, = g.jvp([first], [x], [e])
        third, = g.jvp([second], [x], [e])
        a, b, c = g.compile(first, second, third)(x=[[3, 3]])
        np.testing.assert_allclose(a.ravel(), [158.1139, -158.1139], atol=1e-4)
        np.testing.assert_array_equal(b, 0)
        self.assertAlmostEqual(c.ravel()[0] / -1.185854e7, 1, delta=1e-6)

    def test_groups_of_channels(self):
        x = np.arange(4.0).reshape(1, 1, 4)
        np.testing.assert_allclose(of(lambda a: dyn.group_norm(a, 2, eps=0.0), x).ravel(), [-1, 1, -1, 1], atol=1e-15)
        with self.assertRaises(dyn.Error):
            of(lambda a: dyn.group_norm(a, 5), np.ones((1, 2, 6)))


class Dropout(unittest.TestCase):
    def net(self, p):
        return dyn.Model.from_function(lambda g, x: dyn.dropout(x * g.parameter("w", (1,), dyn.init.constant(1)), p), (4,))

    def test_ends_of_the_range(self):
        for p, loss in ((0.0, 0.0), (1.0, 0.5)):
            run = dyn.Run(self.net(p), np.ones((5, 4)), np.ones((5, 4)), optimizer=dyn.GD(0.0)).train(1)
            self.assertTrue(np.isfinite(run.history["loss"]).all())
            self.assertEqual(run.history["loss"][0] > 0, loss > 0)
        for p in (-0.1, 1.1, np.nan):
            with self.assertRaises(dyn.Error):
                self.net(p)

    def test_masks_differ_between_samples(self):
        def loss(net, x):
            return net(x).sum(1)
        run = dyn.Run(dyn.Objective(loss, self.net(0.5), x=np.ones((64, 4))), optimizer=dyn.GD(0.0)).train(1)
        self.assertNotIn(run.history["loss"][0], (0, 2, 4, 6, 8))      # a mask for all would give one of these


class Losses(unittest.TestCase):
    def value(self, f, y, **options):
        f = np.atleast_2d(np.asarray(f, float))
        net = dyn.Model.from_function(lambda g, x: x + 0 * g.parameter("w", (1,)), f.shape[1:])
        return dyn.Objective(net, f, y, **options).value(np.zeros(1))

    def test_huber_of_delta_2(self):
        self.assertAlmostEqual(self.value([3.0], [[0.0]], loss="huber", delta=2.0), 4, delta=1e-14)

    def test_divergence(self):
        logits = np.log([[0.5, 0.5]])
        self.assertAlmostEqual(self.value(logits, [[0.25, 0.75]], loss="kl"), 0.130812, delta=1e-6)
        self.assertAlmostEqual(self.value(logits, [[0.0, 1.0]], loss="kl"), np.log(2), delta=1e-14)

    def test_label_smoothing(self):
        self.assertAlmostEqual(self.value([2.0, 0, 0], [0], loss="cross_entropy", label_smoothing=0.1), 0.372878, delta=1e-6)
        self.assertAlmostEqual(self.value([2.0, 0, 0], [0], loss="cross_entropy"), 0.239545, delta=1e-6)

    def test_a_class_out_of_range(self):
        for bad in (-4, 3):
            with self.assertRaises(dyn.Error):
                self.value([2.0, 0, 0], [bad], loss="cross_entropy")


class Optimisers(unittest.TestCase):
    """On w = 1 with given gradients: the loss is g_t w, by one sample per step."""

    def path(self, optimizer, gradients):
        stepper = dyn.Stepper(optimizer, 1)
        theta, found = np.array([1.0]), []
        for g in gradients:
            theta = stepper.step(theta, np.array([float(g)]))
            found.append(theta[0])
        return found

    def test_nadam(self):
        np.testing.assert_allclose(self.path(dyn.NAdam(0.1), [1, 1]), [0.894355, 0.815986], atol=1e-6)

    def test_amsgrad(self):
        np.testing.assert_allclose(self.path(dyn.Adam(0.1, amsgrad=True), [1, 0.1, 0.1]), [0.9, 0.825919, 0.762605], atol=1e-6)

    def test_rmsprop_has_epsilon_outside(self):
        np.testing.assert_allclose(self.path(dyn.RMSprop(1.0, beta=0.99, eps=0.01), [0.01]), [1 - 0.909091], atol=1e-6)

    def test_warm_restarts_and_one_cycle(self):
        rate = dyn.cosine_restarts(0.5, 1, factor=2)
        np.testing.assert_allclose([rate.at(t) for t in range(8)], [.5, .5, .25, .5, .42678, .25, .07322, .5], atol=1e-5)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Modules(unittest.TestCase):
    def module(self, forward, layer=None):
        class Own(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.ones(1))

            def forward(self, x):
                return forward(x) * self.w
        return Own()

    def same(self, forward, x):
        module = self.module(forward)
        net = dyn.from_torch(module, x)
        np.testing.assert_allclose(net(net.initial(), x), module.double()(torch.tensor(x)).detach().numpy(), atol=1e-13)

    def test_work_in_place_on_a_view(self):
        def forward(x):
            y = x.clone()
            y.view(-1, 3, 2).mul_(2)
            return y
        x = np.random.default_rng(0).standard_normal((4, 6))
        try:
            self.same(forward, x)
        except dyn.InvalidArgument as refused:
            self.assertIn("in place", str(refused))

    def test_chunks(self):
        x = np.random.default_rng(0).standard_normal((4, 6))
        self.same(lambda x: torch.cat([p * (i + 1) for i, p in enumerate(torch.chunk(x, 4, 1))], 1), x)
        self.same(lambda x: torch.cat([p * (i + 1) for i, p in enumerate(torch.chunk(x[:, :5], 3, 1))], 1), x)

    def test_another_number_of_samples(self):
        module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double().eval()
        net = dyn.from_torch(module, np.zeros((3, 3)))
        for n in (1, 2, 7):
            x = np.random.default_rng(n).standard_normal((n, 3))
            np.testing.assert_allclose(net(net.initial(), x), module(torch.tensor(x)).detach().numpy(), atol=1e-13)

    def test_kv_heads_repeat(self):
        def forward(x):
            q = x.new_zeros(x.shape[0], 4, 1, 1)
            v = x.reshape(-1, 2, 1, 1)
            return nn.functional.scaled_dot_product_attention(q + 0 * v[:, :1], v, v, enable_gqa=True).flatten(1)
        module = self.module(forward)
        net = dyn.from_torch(module, np.ones((3, 2)))
        np.testing.assert_allclose(net([1.0], [[10.0, 20.0], [1.0, 2.0]])[0], [10, 10, 20, 20], atol=1e-14)


if __name__ == "__main__":
    unittest.main()
