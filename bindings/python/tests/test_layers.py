# SPDX-License-Identifier: BSD-3-Clause
"""Layers against PyTorch in float64: outputs, gradient, Hessian and Gauss-Newton products of a scalar of them."""
import unittest

import numpy as np

import dyn
from dyn import layers as L

try:
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(1)
except ImportError:
    torch = F = None


def scalar(f, r):
    """A function of the outputs f whose second derivative is not constant: r is given."""
    return (f * r).sum() + (f * f * f).sum() * 0.1 + (f * f).sum() * 0.5


class Pair:
    """The same function of the same numbers in dyn and in torch."""

    def __init__(self, ours, theirs, arrays):
        self.arrays = {k: np.asarray(a, dtype=np.float64) for k, a in arrays.items()}
        rng = np.random.default_rng(5)
        self.v = {k: rng.standard_normal(a.shape) for k, a in self.arrays.items()}
        self.theirs = theirs
        self.expected = theirs(*self.tensors()).detach().numpy()
        self.r = rng.standard_normal(self.expected.shape)
        self.ours = ours

    def tensors(self):
        return [torch.tensor(a, requires_grad=True) for a in self.arrays.values()]

    def values(self):
        g = dyn.Graph()
        x = [g.parameter(k, a.shape) for k, a in self.arrays.items()]
        v = [g.input("v_" + k, a.shape) for k, a in self.arrays.items()]
        f = dyn.identity(self.ours(*x))
        s = scalar(f, g.input("r", self.r.shape))
        out = g.compile(f, *g.gradient(s, x), *g.hvp(s, x, v), *g.ggn(s, f, x, v))
        results = out(**{k: a for k, a in {**self.arrays, **{"v_" + k: a for k, a in self.v.items()}, "r": self.r}.items()
                         if k in out.inputs})
        n = len(x)
        return results[0], results[1:1 + n], results[1 + n:1 + 2 * n], results[1 + 2 * n:]

    def references(self):
        r, v = torch.tensor(self.r), tuple(torch.tensor(a) for a in self.v.values())
        x = tuple(self.tensors())
        loss = lambda *t: scalar(self.theirs(*t), r)
        gradient = torch.autograd.grad(loss(*x), x, allow_unused=True)
        _, hv = torch.autograd.functional.hvp(loss, x, v)
        f, jv = torch.autograd.functional.jvp(self.theirs, x, v)
        f = f.detach().requires_grad_()
        _, hf = torch.autograd.functional.hvp(lambda t: scalar(t, r), f, jv)
        _, ggn = torch.autograd.functional.vjp(self.theirs, x, hf)
        return gradient, hv, ggn


@unittest.skipIf(torch is None, "PyTorch is not installed")
class AgainstTorch(unittest.TestCase):
    def close(self, a, b, what):
        b = b.detach().numpy()
        self.assertEqual(a.shape, b.shape, what)
        scale = max(1.0, np.abs(b).max())
        self.assertLessEqual(np.abs(a - b).max() / scale, 1e-10, what)

    def same(self, ours, theirs, **shapes):
        rng = np.random.default_rng(1)
        pair = Pair(ours, theirs, {k: rng.standard_normal(s) if isinstance(s, tuple) else s for k, s in shapes.items()})
        f, *products = pair.values()
        self.close(f, torch.tensor(pair.expected), "outputs")
        for what, mine, its in zip(("gradient", "Hessian product", "Gauss-Newton product"), products, pair.references()):
            for a, b in zip(mine, its):
                self.close(a, b, what)

    # convolutions: PyTorch has channels second and kernels [out, in, k..]

    def conv(self, axes, size, k, cin, cout, groups=1, **options):
        theirs = getattr(F, f"conv{axes}d")
        ours = getattr(L, f"conv{axes}d")
        last, first = (0, *range(2, axes + 2), 1), (0, axes + 1, *range(1, axes + 1))
        self.same(lambda x, w, b: ours(x, w, b, groups=groups, **options),
                  lambda x, w, b: theirs(x.permute(first), w.permute((axes + 1, axes, *range(axes))), b, groups=groups,
                                         **options).permute(last),
                  x=(2, *size, cin), w=(*k, cin // groups, cout), b=(cout,))

    def test_conv1d(self):
        self.conv(1, (9,), (3,), 2, 3)
        self.conv(1, (9,), (4,), 2, 3, padding="same", dilation=2)
        self.conv(1, (9,), (3,), 4, 6, groups=2, stride=2, padding=1)
        self.conv(1, (9,), (3,), 4, 8, groups=4)

    def test_conv2d(self):
        self.conv(2, (6, 7), (3, 2), 2, 3, stride=(2, 1), padding=(1, 0), dilation=(1, 2))
        self.conv(2, (5, 5), (3, 3), 4, 4, groups=4, padding=1)
        self.conv(2, (5, 5), (2, 2), 2, 3, padding="same")

    def test_conv3d(self):
        self.conv(3, (4, 3, 5), (2, 2, 3), 2, 2, stride=(2, 1, 1), padding=(1, 0, 1))

    def test_conv_transpose(self):
        for axes, size, k, options in ((1, (4,), (3,), dict(stride=2, padding=1)),
                                       (2, (3, 4), (3, 2), dict(stride=(2, 1), dilation=(1, 2), groups=2)),
                                       (3, (2, 3, 2), (2, 2, 2), dict(stride=2))):
            groups = options.get("groups", 1)
            last, first = (0, *range(2, axes + 2), 1), (0, axes + 1, *range(1, axes + 1))

            def theirs(x, w, b):
                w = w.reshape(*k, 4 // groups, groups, 6 // groups).permute(axes + 1, axes, axes + 2, *range(axes))
                w = w.reshape(4, 6 // groups, *k)
                return getattr(F, f"conv_transpose{axes}d")(x.permute(first), w, b, **options).permute(last)
            self.same(lambda x, w, b: getattr(L, f"conv_transpose{axes}d")(x, w, b, **options), theirs,
                      x=(2, *size, 4), w=(*k, 4 // groups, 6), b=(6,))

    def pool(self, name, axes, size, *arguments, **options):
        last, first = (0, *range(2, axes + 2), 1), (0, axes + 1, *range(1, axes + 1))
        self.same(lambda x: getattr(L, name)(x, *arguments, **options),
                  lambda x: getattr(F, name)(x.permute(first), *arguments, **options).permute(last), x=(2, *size, 3))

    def test_pooling(self):
        self.pool("max_pool1d", 1, (9,), 3, stride=2, padding=1, dilation=2)
        self.pool("max_pool2d", 2, (6, 7), 3, stride=2, padding=1, ceil_mode=True)
        self.pool("max_pool3d", 3, (4, 4, 4), 2)
        self.pool("avg_pool1d", 1, (9,), 2, ceil_mode=True)
        self.pool("avg_pool2d", 2, (6, 7), (3, 2), stride=(2, 3), padding=1, count_include_pad=False)
        self.pool("avg_pool2d", 2, (6, 6), 3, stride=2, padding=1, ceil_mode=True)
        self.pool("adaptive_avg_pool2d", 2, (6, 7), (3, 4))
        self.pool("adaptive_max_pool1d", 1, (7,), 3)

    def test_norms(self):
        self.same(L.layer_norm, lambda x, w, b: F.layer_norm(x, (5,), w, b), x=(3, 4, 5), w=(5,), b=(5,))
        self.same(lambda x: L.layer_norm(x, axes=2, eps=.1), lambda x: F.layer_norm(x, (4, 5), eps=.1), x=(3, 4, 5))
        self.same(L.rms_norm, lambda x, w: F.rms_norm(x, (5,), w, 1e-5), x=(3, 5), w=(5,))
        self.same(lambda x, w, b: L.group_norm(x, 2, w, b),
                  lambda x, w, b: F.group_norm(x.permute(0, 3, 1, 2), 2, w, b).permute(0, 2, 3, 1),
                  x=(2, 3, 2, 4), w=(4,), b=(4,))

    def test_attention(self):
        def torch_attention(q, k, v, **options):
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
                return F.scaled_dot_product_attention(q, k, v, **options)
        shapes = dict(q=(2, 4, 5, 3), k=(2, 4, 6, 3), v=(2, 4, 6, 2))
        self.same(L.scaled_dot_product_attention, torch_attention, **shapes)
        self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, is_causal=True, scale=.7),
                  lambda q, k, v: torch_attention(q, k, v, is_causal=True, scale=.7), **shapes)
        self.same(L.scaled_dot_product_attention, lambda q, k, v: torch_attention(q, k, v, enable_gqa=True),
                  q=(2, 4, 3, 3), k=(2, 2, 3, 3), v=(2, 2, 3, 2))
        mask = np.tril(np.ones((5, 6), dtype=bool), -2)     # the first two queries see nothing
        self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, L.causal_mask(q.graph, 5, 6) - eye(q.graph)
                                                                 - eye(q.graph, 1)),
                  lambda q, k, v: torch_attention(q, k, v, attn_mask=torch.tensor(mask)), **shapes)

    def test_long_attention(self):
        """More queries than a block has, and neither a whole number of blocks."""
        def torch_attention(q, k, v, **options):
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
                return F.scaled_dot_product_attention(q, k, v, **options)
        shapes = dict(q=(2, 2, 300, 3), k=(2, 2, 270, 3), v=(2, 2, 270, 2))
        self.same(L.scaled_dot_product_attention, torch_attention, **shapes)
        self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, is_causal=True, scale=.7),
                  lambda q, k, v: torch_attention(q, k, v, is_causal=True, scale=.7), **shapes)
        self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, is_causal=True),
                  lambda q, k, v: torch_attention(q, k, v, is_causal=True, enable_gqa=True),
                  q=(4, 130, 3), k=(2, 260, 3), v=(2, 260, 2))
        seen = np.arange(270) % 3 > 0
        for keys in (seen, seen & (np.arange(300)[:, None] > 0), np.stack([seen, ~seen]).reshape(2, 1, 1, 270)):
            self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, q.graph.constant(keys.astype(float))),
                      lambda q, k, v: torch_attention(q, k, v, attn_mask=torch.tensor(keys)), **shapes)
            self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, q.graph.constant(keys.astype(float)),
                                                                     is_causal=True),
                      lambda q, k, v: torch_attention(q, k, v, attn_mask=torch.tensor(np.tril(np.ones((300, 270))) * keys
                                                                                      > 0)), **shapes)

    def test_attention_computed_again(self):
        """So long that the backward passes compute weights again instead of storing them."""
        def theirs(q, k, v):
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
                return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        self.same(lambda q, k, v: L.scaled_dot_product_attention(q, k, v, is_causal=True), theirs,
                  q=(4, 1030, 2), k=(4, 1030, 2), v=(4, 1030, 2))

    def test_cross_entropy_of_log_softmax(self):
        self.same(L.log_softmax, lambda x: F.log_softmax(x, -1), x=(3, 5))
        self.same(L.softmax, lambda x: F.softmax(x, -1), x=(3, 5))

    def test_feed_forward(self):
        self.same(lambda x, a, b, c, d: L.feed_forward(x, a, b, c, d, "gelu_tanh"),
                  lambda x, a, b, c, d: F.gelu(x @ a + b, approximate="tanh") @ c + d,
                  x=(2, 3, 4), a=(4, 5), b=(5,), c=(5, 4), d=(4,))
        self.same(lambda x, a, w, c: L.feed_forward(x, a, None, c, None, "silu", gate=w),
                  lambda x, a, w, c: (F.silu(x @ w) * (x @ a)) @ c, x=(3, 4), a=(4, 5), w=(4, 5), c=(5, 4))

    def test_recurrent(self):
        for name, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
            def theirs(x, w, u, b, c):
                cell = getattr(torch.nn, name)(3, 4, batch_first=True, dtype=torch.float64)
                weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": c}
                return torch.func.functional_call(cell, weights, (x,))[0]
            self.same(getattr(L, name.lower()), theirs, x=(2, 5, 3), w=(3, 4 * gates), u=(4, 4 * gates), b=(4 * gates,),
                      c=(4 * gates,))


def eye(g, below=0):
    """1 where key = query - below: [5, 6]."""
    return (L.arange(g, 5).reshape(5, 1) - below).equal(L.arange(g, 6))


class BatchNorm(unittest.TestCase):
    def run_of(self, x, **options):
        def build(g, x):
            return dyn.batch_norm(x, eps=0.0, **options) @ g.parameter("W", (1, 1))
        net = dyn.Model.from_function(build, (1,))
        x = np.asarray(x, dtype=float).reshape(-1, 1)
        return dyn.Run(net, x, np.ones_like(x), optimizer=dyn.GD(0.1), theta=[1.0])

    def test_running_moments(self):
        run = self.run_of([1, 2, 3, 4])
        run.objective.value(run.theta), run.objective.gradient(run.theta)       # measurements move nothing
        run.train(1)
        self.assertAlmostEqual(run.states["norm.mean"][0], .25)
        self.assertAlmostEqual(run.states["norm.var"][0], .9 + .1 * 5 / 3)     # unbiased: 1.0666667

    def test_one_step_moves_them_once(self):
        run = self.run_of([0, 2])
        run.measure(dyn.Sharpness(k=1), every=1)
        run.train(1)
        self.assertAlmostEqual(run.states["norm.mean"][0], .1)

    def test_places_count(self):
        def build(g, x):
            return dyn.batch_norm(x, eps=0.0).sum((1, 2)) @ g.parameter("W", (1, 1))
        net = dyn.Model.from_function(build, (2, 2, 1))
        run = dyn.Run(net, np.arange(8.0).reshape(2, 2, 2, 1), np.ones((2, 1)), optimizer=dyn.GD(0.1), theta=[1.0])
        run.train(1)
        self.assertAlmostEqual(run.states["norm.var"][0], .9 + .1 * 6)         # 1.5

    def test_normalised_by_the_biased_variance_of_the_batch(self):
        # f = w (x - 2.5) / sqrt(1.25), y = 1, mean squared error: d/dw = 2 (w - 0) / 1
        run = self.run_of([1, 2, 3, 4])
        run.train(1)
        self.assertAlmostEqual(run.theta[0], 1 - .1 * 2)
        self.assertAlmostEqual(run.predict([[5.]])[0, 0],
                               run.theta[0] * (5 - .25) / np.sqrt(.9 + .1 * 5 / 3))

    def test_the_batch_joins_its_values(self):
        # x = [1, 2, 3, 4], output of the first: gradient (I - 1/4 - y y^T / 4) e_1 / sqrt(1.25)
        def build(g, x):
            p = g.parameter("p", (1, 4, 1))
            return dyn.batch_norm(p, eps=0.0)[:, 0] * x
        net = dyn.Model.from_function(build, (1,))
        loss = dyn.Objective(net, [[1.]], [[0.]], loss=lambda f, y: (f - y).sum(1))
        run = dyn.Run(loss, optimizer=dyn.GD(1.0), theta=[1., 2., 3., 4.])
        run.train(1)
        np.testing.assert_allclose(np.array([1., 2., 3., 4.]) - run.theta,
                                   np.array([.6, -.8, -.2, .4]) / 2 / np.sqrt(1.25), atol=1e-12)      # .2683, -.3578, ..

    def test_gradients_per_sample_are_those_of_measuring(self):
        run = self.run_of([1, 2, 3, 4])
        run.train(1)
        f = (np.array([1., 2, 3, 4]) - run.states["norm.mean"]) / np.sqrt(run.states["norm.var"])
        expected = 2 * (run.theta[0] * f - 1) * f
        np.testing.assert_allclose(run.objective.sample_gradients(run.theta)[:, 0], expected, rtol=1e-12)

    def test_one_value_per_channel_in_training_is_refused(self):
        with self.assertRaisesRegex(dyn.ShapeError, "one value per channel"):
            self.run_of([3]).train(1)
        run = self.run_of([1, 2])
        self.assertEqual(run.predict([[3.]]).shape, (1, 1))


class Dropout(unittest.TestCase):
    def moved(self, p, n=4, width=4, steps=1, seed=0, **options):
        """f = dropout(x W) for x = 1 [n, n], W = 1: what a step moves W by is the mask."""
        whole = options.pop("whole", "elements")

        def build(g, x):
            return dyn.dropout(x @ g.parameter("W", (n, width)), p, whole=whole)
        net = dyn.Model.from_function(build, (n,))
        loss = dyn.Objective(net, np.eye(n), np.zeros((n, width)), loss=lambda f, y: -(f - y).sum(1), sum_samples=True, **options)
        run = dyn.Run(loss, optimizer=dyn.GD(1.0), theta=np.ones(n * width), seed=seed)
        run.train(steps)
        return run.theta.reshape(n, width) - 1

    def test_what_is_kept_is_divided_by_the_chance_to_be_kept(self):
        mask = self.moved(.75, n=100, width=50)
        self.assertEqual(set(np.unique(mask)), {0.0, 4.0})
        self.assertAlmostEqual(mask.mean(), 1, delta=.1)        # 4 standard errors: 4 sqrt(3 / 5000)

    def test_rows_and_steps_draw_anew(self):
        mask = self.moved(.5)
        self.assertFalse((mask == mask[0]).all())
        self.assertFalse((self.moved(.5, steps=2) == 2 * mask).all())
        self.assertFalse((self.moved(.5, seed=1) == mask).all())
        np.testing.assert_array_equal(self.moved(.5), mask)

    def test_the_same_however_samples_are_cut(self):
        whole = self.moved(.5, n=64, width=32)
        np.testing.assert_array_equal(self.moved(.5, n=64, width=32, memory_limit=20_000), whole)

    def test_ends(self):
        np.testing.assert_array_equal(self.moved(0.0), np.ones((4, 4)))
        np.testing.assert_array_equal(self.moved(1.0), np.zeros((4, 4)))
        for p in (-.1, 1.5, float("nan")):
            with self.assertRaisesRegex(dyn.InvalidArgument, "expected 0 to 1"):
                self.moved(p)

    def test_whole_places(self):
        mask = self.moved(.5, n=40, width=3, whole="places")
        self.assertTrue((mask == mask[:, :1]).all() and 0 < mask.mean() < 2)

    def test_rows_of_attention_are_not_divided_again(self):
        """Weights [.5, .5], values [1, 2], p = .5: the results are 0, 1, 2, 3 only."""
        n = 40

        def build(g, x):
            weights = dyn.softmax(g.constant(0.0, (g.samples, 2)))
            values = dyn.arange(g, 2).reshape(2, 1) + 1
            return (dyn.dropout(weights, .5) @ values) * (x @ g.parameter("s", (n, 1)))
        net = dyn.Model.from_function(build, (n,))
        loss = dyn.Objective(net, np.eye(n), np.zeros((n, 1)), loss=lambda f, y: -(f - y).sum(1), sum_samples=True)
        run = dyn.Run(loss, optimizer=dyn.GD(1.0), theta=np.zeros(n))
        run.train(1)
        self.assertEqual(set(run.theta), {0.0, 1.0, 2.0, 3.0})

    def test_measurements_drop_nothing(self):
        net = dyn.mlp([3, 20, 1], dropout=.5, seed=1)
        x = np.ones((5, 3))
        plain = dyn.mlp([3, 20, 1], seed=1)
        np.testing.assert_array_equal(net(net.initial(), x), plain(net.initial(), x))
        a, b = (dyn.Objective(m, x, np.ones((5, 1))).gradient(net.initial())[1] for m in (net, plain))
        np.testing.assert_array_equal(a, b)


class Errors(unittest.TestCase):
    def test_sizes_are_named(self):
        g = dyn.Graph()
        x, w = g.input("x", (2, 5, 5, 3)), g.input("w", (3, 3, 4, 8))
        with self.assertRaisesRegex(dyn.ShapeError, r"w \[k.., 3, out\]"):
            L.conv2d(x, w)
        with self.assertRaisesRegex(dyn.ShapeError, r"conv1d: x has shape \[2, 5, 5, 3\]"):
            L.conv1d(x, w)
        with self.assertRaisesRegex(dyn.ShapeError, "stride has 3 entries for 2 spatial axes"):
            L.max_pool2d(x, 2, (1, 2, 3))


if __name__ == "__main__":
    unittest.main()
