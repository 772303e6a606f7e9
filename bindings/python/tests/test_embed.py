# SPDX-License-Identifier: BSD-3-Clause
"""The embedding principle: outputs kept, gradients as the closed forms of arXiv 2105.14573 and 2111.15527 have them,
critical points critical, inertia never smaller."""
import unittest

import numpy as np

import dyn


def fit(widths, activation, x, y, seed=1):
    """A critical point of the mean square."""
    net = dyn.mlp(widths, activation, seed=seed)
    run = dyn.Run(net, x, y, optimizer=dyn.Adam(1e-2)).train(3000)
    return net, dyn.minimise(dyn.Objective(net, x, y), theta=run.theta, method=dyn.NewtonCG(), gradient_tolerance=1e-13).theta


class Width(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(4)
        self.x, self.y = rng.standard_normal((7, 2)), rng.standard_normal((7, 2))
        self.map, self.share = {1: [0, 1, 2, 0, -1, 0], 2: [1, 0, -1, 1]}, {1: [0.5, 1, 1, -1.5, 0, 2.0], 2: [0.3, 1, 0, 0.7]}

    def check(self, net, theta, spread, share):
        wide, large = dyn.widen(net, theta, self.map, share, spread=spread, seed=3)
        np.testing.assert_allclose(wide(large, self.x), net(theta, self.x), rtol=0, atol=1e-12)
        small_loss, large_loss = (dyn.Objective(m, self.x, self.y) for m in (net, wide))
        g, G = (net.views(small_loss.gradient(theta)[1]), wide.views(large_loss.gradient(large)[1]))
        share = share or {1: [1 / 3, 1, 1, 1 / 3, 0, 1 / 3], 2: [0.5, 1, 0, 0.5]}
        sides = [np.arange(2), *(np.array(self.map[l]) for l in (1, 2)), np.arange(2)]
        parts = [np.ones(2), *(np.array(share[l]) * (np.array(self.map[l]) >= 0) for l in (1, 2)), np.ones(2)]
        for l in (1, 2, 3):
            source, target = sides[l - 1], sides[l]
            error = parts[l]                                # of each wide neuron, in narrow ones
            expected = error * g[f"W{l}"][np.ix_(source, target)]
            seen = source >= 0
            np.testing.assert_allclose(G[f"W{l}"][seen], expected[seen], rtol=0, atol=1e-11)
            np.testing.assert_allclose(G[f"b{l}"], error * g[f"b{l}"][target], rtol=0, atol=1e-11)
            self.assertTrue((np.abs(G[f"W{l}"][:, target < 0]) < 1e-11).all())
        return wide, large

    def test_outputs_and_gradients(self):
        for activation in ("tanh", "relu", "sigmoid", "gelu"):
            net = dyn.mlp([2, 3, 2, 2], activation, seed=2)
            for spread in (0.0, 0.7):
                for share in (None, self.share):
                    with self.subTest(activation=activation, spread=spread):
                        self.check(net, net.initial(), spread, share)

    def test_factors_of_a_parametrisation(self):
        net = dyn.mlp([2, 3, 2, 2], "tanh", parametrisation="ntk", seed=2)
        wide, large = dyn.widen(net, net.initial(), self.map, spread=0.5)
        np.testing.assert_allclose(wide(large, self.x), net(net.initial(), self.x), rtol=0, atol=1e-12)

    def test_splitting_is_that_of_the_paper(self):
        net = dyn.mlp([2, 3, 1], "tanh", seed=2)
        wide, large = dyn.split(net, net.initial(), layer=1, neuron=1, alpha=-0.25)
        w, W = net.views(net.initial()), wide.views(large)
        np.testing.assert_array_equal(W["W1"], w["W1"][:, [0, 1, 2, 1]])
        np.testing.assert_array_equal(W["b1"], w["b1"][[0, 1, 2, 1]])
        np.testing.assert_array_equal(W["W2"][:, 0], w["W2"][[0, 1, 2, 1], 0] * [1, 1.25, 1, -0.25])
        np.testing.assert_array_equal(W["b2"], w["b2"])

    def test_critical_points_stay_critical_and_inertia_grows(self):
        x = np.linspace(-2, 2, 12)[:, None]
        net, theta = fit([1, 2, 1], "tanh", x, np.sin(3 * x) + x)
        before = np.linalg.eigvalsh(dyn.hessian(net, x, np.sin(3 * x) + x, theta=theta) @ np.eye(net.size))
        self.assertLess(np.linalg.norm(dyn.Objective(net, x, np.sin(3 * x) + x).gradient(theta)[1]), 1e-12)
        for alpha in (0.5, 0.3, -0.4):
            wide, large = dyn.split(net, theta, 1, 0, alpha)
            loss = dyn.Objective(wide, x, np.sin(3 * x) + x)
            self.assertLess(np.linalg.norm(loss.gradient(large)[1]), 1e-11)
            after = np.linalg.eigvalsh(loss.hessian(large) @ np.eye(wide.size))
            self.assertLess(np.abs(after).min(), 1e-9)                      # the direction in which alpha moves
            for count in ((after > 1e-7).sum() - (before > 1e-7).sum(), (after < -1e-7).sum() - (before < -1e-7).sum()):
                self.assertGreaterEqual(count, 0)

    def test_bad_input_is_named(self):
        net = dyn.mlp([2, 3, 1], seed=1)
        for words, call in {
                "nobody stands for neuron 2": lambda: dyn.widen(net, net.initial(), {1: [0, 1, 1]}),
                "neuron 3 stands for 5, expected -1 to 2": lambda: dyn.widen(net, net.initial(), {1: [0, 1, 2, 5]}),
                "the shares of neuron 0 sum to 0.9": lambda: dyn.widen(net, net.initial(), {1: [0, 1, 2]}, {1: [.9, 1, 1]}),
                "hidden layers 1 to 1": lambda: dyn.split(net, net.initial(), 2, 0),
                "spread is nan": lambda: dyn.null(net, net.initial(), 1, spread=np.nan),
                "antisymmetric": lambda: dyn.split(dyn.mlp([1, 2, 1], antisymmetric=True), np.zeros(14), 1, 0),
                "skip connection": lambda: dyn.split(dyn.mlp([2, 2, 1], skip=True), np.zeros(9), 1, 0)}.items():
            with self.assertRaisesRegex(dyn.Error, words):
                call()


class Depth(unittest.TestCase):
    def setUp(self):
        self.x = np.linspace(-1, 1, 8)[:, None]
        self.y = np.sin(3 * self.x) + 0.3 * self.x**2

    def test_relu_is_exact_and_critical(self):
        net, theta = fit([1, 2, 1], "relu", self.x, self.y, seed=3)
        value, gradient = dyn.Objective(net, self.x, self.y).gradient(theta)
        self.assertLess(np.linalg.norm(gradient), 1e-12)
        inertia = []
        for width in (1, 2, 3):         # below the layer before it 1 is enough, since 1 output follows
            deep, large = dyn.deepen(net, theta, 2, width, self.x, seed=width)
            loss = dyn.Objective(deep, self.x, self.y)
            v, g = loss.gradient(large)
            self.assertAlmostEqual(v, value, delta=1e-13)
            self.assertLess(np.linalg.norm(g), 1e-11)
            eigenvalues = np.linalg.eigvalsh(loss.hessian(large) @ np.eye(deep.size))
            inertia.append(((eigenvalues < -1e-8).sum(), (eigenvalues > 1e-8).sum()))
        first = np.linalg.eigvalsh(dyn.hessian(net, self.x, self.y, theta=theta) @ np.eye(net.size))
        self.assertTrue(all(n >= (first < -1e-8).sum() and p >= (first > 1e-8).sum() for n, p in inertia))

    def test_every_place_and_activation(self):
        x = np.random.default_rng(0).standard_normal((9, 2))
        for activation, epsilon, error in (("relu", 0.1, 1e-13), ("leaky_relu", 0.1, 1e-13), ("elu", 0.1, 1e-13),
                                           ("tanh", 1e-4, 1e-7), ("sigmoid", 1e-4, 1e-7), ("erf", 1e-4, 1e-7),
                                           ("softplus", 1e-6, 1e-5), ("silu", 1e-6, 1e-5)):
            net = dyn.mlp([2, 3, 4, 2], activation, seed=5)
            for layer in (1, 2, 3):
                for width in (6, 4):
                    deep, large = dyn.deepen(net, net.initial(), layer, width, x, epsilon=epsilon)
                    np.testing.assert_allclose(deep(large, x), net(net.initial(), x), rtol=0, atol=error,
                                               err_msg=f"{activation} {layer}")

    def test_more_samples_may_break_it(self):
        net = dyn.mlp([1, 3, 1], "relu", seed=2)
        deep, large = dyn.deepen(net, net.initial(), 2, 3, self.x)
        far = 100 * self.x
        self.assertGreater(np.abs(deep(large, far) - net(net.initial(), far)).max(), 1e-3)

    def test_merging_is_the_way_back(self):
        net = dyn.mlp([1, 3, 1], "relu", seed=2)
        for layer in (1, 2):
            deep, large = dyn.deepen(net, net.initial(), layer, 4, self.x)
            self.assertGreater(dyn.linearity(deep, large, self.x, layer).min(), 1 - 1e-12)
            back, theta = dyn.merge_layer(deep, large, self.x, layer)
            np.testing.assert_allclose(theta, net.initial(), rtol=0, atol=1e-11)
        bent = dyn.linearity(net, net.initial(), self.x, 1)
        z = self.x @ net.views(net.initial())["W1"] + net.views(net.initial())["b1"]
        expected = [abs(np.corrcoef(z[:, k], np.maximum(z[:, k], 0))[0, 1]) if z[:, k].max() > 0 else 1 for k in range(3)]
        np.testing.assert_allclose(bent, expected, rtol=0, atol=1e-12)

    def test_neurons_that_point_one_way_become_one(self):
        net = dyn.mlp([2, 3, 2], "relu", seed=2)
        theta = net.initial()
        wide, large = dyn.widen(net, theta, {1: [0, 1, 2, 1, 0, -1]}, {1: [0.2, 0.6, 1, 0.4, 0.8, 0]})
        views = wide.views(large)
        views["W1"][:, 3] *= 2.5                            # a ReLU neuron may be scaled against its output weights
        views["b1"][3] *= 2.5
        views["W2"][3] /= 2.5
        narrow, small = dyn.merge_neurons(wide, large, 1, cosine=0.9999)
        self.assertEqual(narrow.size, net.size)
        x = np.random.default_rng(1).standard_normal((20, 2))
        np.testing.assert_allclose(narrow(small, x), net(theta, x), rtol=0, atol=1e-13)


if __name__ == "__main__":
    unittest.main()
