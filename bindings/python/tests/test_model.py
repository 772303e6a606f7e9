# SPDX-License-Identifier: BSD-3-Clause
"""Models against NumPy."""
import unittest

import numpy as np

import dyn

R = np.random.default_rng(2)


class Perceptron(unittest.TestCase):
    def test_outputs(self):
        net = dyn.mlp([3, 5, 4, 2], activation="tanh", seed=3)
        theta, x = net.initial(), R.normal(size=(7, 3))
        p = net.views(theta)
        h = np.tanh(np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])
        np.testing.assert_allclose(net(theta, x), h @ p["W3"] + p["b3"], rtol=1e-14, atol=1e-15)
        self.assertEqual(net.size, 3 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2)

    def test_an_activation_and_a_bias_per_layer(self):
        net = dyn.mlp([1, 4, 4, 1], activation=["relu", "sin", "tanh"], bias=[True, False, True], output_scale=3.0)
        theta, x = net.initial(), R.normal(size=9)
        self.assertEqual(list(net.tensors), ["W1", "b1", "W2", "W3", "b3"])
        p = net.views(theta)
        h = np.sin(np.maximum(x[:, None] @ p["W1"] + p["b1"], 0) @ p["W2"])
        np.testing.assert_allclose(net(theta, x), 3 * np.tanh(h @ p["W3"] + p["b3"]), rtol=1e-14, atol=1e-15)

    def test_antisymmetric_starts_at_zero(self):
        net = dyn.mlp([2, 30, 1], antisymmetric=True, bias=False)
        self.assertEqual(net.size, 2 * (2 * 30 + 30))
        np.testing.assert_array_equal(net(net.initial(), R.normal(size=(5, 2))), np.zeros((5, 1)))

    def test_views_write_to_theta(self):
        net = dyn.mlp([2, 3, 1])
        theta = net.initial()
        net.views(theta)["W2"][...] = 7
        self.assertEqual(int(np.sum(theta == 7)), 3)

    def test_errors(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "tahn"):
            dyn.mlp([1, 2, 1], activation="tahn")
        with self.assertRaisesRegex(dyn.ShapeError, "1 activations for 2 layers"):
            dyn.mlp([1, 2, 1], activation=["tanh"])
        with self.assertRaisesRegex(dyn.ShapeError, r"widths\[1\] is 0"):
            dyn.mlp([1, 0, 1])
        net = dyn.mlp([2, 3, 1])
        with self.assertRaisesRegex(dyn.ShapeError, r"\[5, 3\], expected \[n, 2\]"):
            net(net.initial(), np.ones((5, 3)))
        with self.assertRaisesRegex(dyn.ShapeError, r"\[4\], expected \[13\]"):
            net.views(np.zeros(4))


class Initialisation(unittest.TestCase):
    def weights(self, init, widths=(400, 300, 1)):
        net = dyn.mlp(widths, init=init, seed=5)
        return net.views(net.initial())["W1"]

    def test_standard_deviations(self):
        for init, std in ((dyn.init.normal(0.3), 0.3), (dyn.init.power(0.8), 400**-0.8),
                          (dyn.init.width_power(0.7), 300**-0.7), (dyn.init.lecun(), 400**-0.5),
                          (dyn.init.xavier(), (2 / 700)**0.5), (dyn.init.he(), (2 / 400)**0.5),
                          (dyn.init.uniform(0.2), 0.2 / 3**0.5), (dyn.init.default(), 400**-0.5 / 3**0.5),
                          (dyn.init.xavier_uniform(), (2 / 700)**0.5)):
            self.assertAlmostEqual(self.weights(init).std() / std, 1, delta=0.01, msg=init.kind)

    def test_orthogonal_and_zero(self):
        w = self.weights(dyn.init.orthogonal())
        np.testing.assert_allclose(w.T @ w, np.eye(300), atol=1e-12)
        self.assertFalse(self.weights(dyn.init.zero()).any())

    def test_bias_and_layers(self):
        net = dyn.mlp([50, 60, 1], init=dyn.init.normal(1.0, bias=dyn.init.zero()).layers([1.0, 1e-3]))
        p = net.views(net.initial())
        self.assertFalse(p["b1"].any())
        self.assertAlmostEqual(p["W1"].std(), 1, delta=0.1)
        self.assertLess(abs(p["W2"]).max(), 1e-2)

    def test_seeds(self):
        net = dyn.mlp([3, 4, 1], seed=8)
        np.testing.assert_array_equal(net.initial(), net.initial(8))
        self.assertTrue(np.any(net.initial() != net.initial(9)))


class OwnModel(unittest.TestCase):
    def test_equals_the_perceptron(self):
        def build(g, x):
            h = dyn.tanh(x @ g.parameter("W1", (2, 5)) + g.parameter("b1", (5,)))
            return h @ g.parameter("W2", (5, 1)) + g.parameter("b2", (1,))
        own, net = dyn.Model.from_function(build, (2,)), dyn.mlp([2, 5, 1])
        theta, x = net.initial(), R.normal(size=(6, 2))
        np.testing.assert_allclose(own(theta, x), net(theta, x), rtol=1e-14)
        y = R.normal(size=(6, 1))
        value, gradient = dyn.Objective(own, x, y).gradient(theta)
        expected_value, expected = dyn.Objective(net, x, y).gradient(theta)
        self.assertAlmostEqual(value, expected_value, delta=1e-14)
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-15)

    def test_what_the_function_raises_comes_out(self):
        def build(g, x):
            raise LookupError("no such layer")
        with self.assertRaisesRegex(LookupError, "no such layer"):
            dyn.Model.from_function(build, (2,))

    def test_wrong_shapes_inside_come_out(self):
        with self.assertRaisesRegex(dyn.ShapeError, r"matmul of \[1, 2\] and \[3, 1\]"):
            dyn.Model.from_function(lambda g, x: x @ g.parameter("w", (3, 1)), (2,))



class Tensors(unittest.TestCase):
    def test_theta_is_the_inverse_of_views(self):
        net = dyn.mlp([2, 3, 1], seed=4)
        theta = net.initial()
        np.testing.assert_array_equal(net.theta(net.views(theta)), theta)
        np.testing.assert_array_equal(net.theta(dict(reversed(net.views(theta).items()))), theta)
        for bad, words in (({"W1": np.ones((2, 3))}, "b1, W2, b2"), ({**net.views(theta), "W3": 1.0}, "W3")):
            with self.assertRaisesRegex(dyn.InvalidArgument, words):
                net.theta(bad)
        with self.assertRaisesRegex(dyn.ShapeError, "W1"):
            net.theta({**net.views(theta), "W1": np.ones((3, 2))})


if __name__ == "__main__":
    unittest.main()
