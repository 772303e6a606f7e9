# SPDX-License-Identifier: BSD-3-Clause
"""Phase diagrams, plateaus and what dropout adds to a loss, against NumPy."""
import pickle
import unittest

import numpy as np

import dyn


class Phase(unittest.TestCase):
    def test_slope_is_that_of_least_squares(self):
        m = np.array([100.0, 400.0, 1600.0, 3000.0])
        y = np.array([0.3, 0.21, 0.14, 0.12])
        found = dyn.loglog_slope(m, y)
        coefficients, covariance = np.polyfit(np.log(m), np.log(y), 1, cov="unscaled")
        residual = np.log(y) - np.polyval(coefficients, np.log(m))
        self.assertAlmostEqual(found.slope, coefficients[0], places=12)
        self.assertAlmostEqual(found.error, np.sqrt(covariance[0, 0] * (residual @ residual) / 2), places=12)
        self.assertLess(dyn.loglog_slope([10, 100, 1000], [1.0, 10.0, 100.0]).error, 1e-15)

    def test_relative_distance(self):
        w0, w = np.random.default_rng(1).standard_normal((2, 30, 3))
        self.assertAlmostEqual(dyn.relative_distance(w, w0), np.linalg.norm(w - w0) / np.linalg.norm(w0), places=13)
        with self.assertRaises(dyn.Error):
            dyn.relative_distance(w[:2], w0)

    def test_crossings(self):
        x = np.linspace(0, 1, 6)
        lines = np.array([0.1, 0.35, 0.9, 2.0])
        np.testing.assert_allclose(dyn.crossings(x, x - lines[:, None]), [0.1, 0.35, 0.9, np.nan], atol=1e-15)
        with self.assertRaisesRegex(dyn.Error, r"x\[1\] is 0"):
            dyn.crossings([1.0, 0.0], [[1.0, 2.0]])

    def test_centred_training_begins_at_the_target(self):
        net = dyn.mlp([2, 5, 3], seed=4)
        x, y = np.random.default_rng(2).standard_normal((2, 7, 2)), np.ones((7, 3))
        x = x[0]
        targets = dyn.centred_targets(net, x, y)
        np.testing.assert_allclose(targets, y + net(net.initial(), x), atol=1e-15)
        np.testing.assert_array_equal(y, 1.0)
        self.assertAlmostEqual(dyn.Objective(net, x, targets).value(net.initial()), 3.0, places=13)


class Plateaus(unittest.TestCase):
    def test_of_a_run_and_after_pickle(self):
        run = dyn.Run(dyn.mlp([1, 1], init=dyn.init.zero()), [0.0], [1.0], optimizer=dyn.GD(1e-5)).train(30)
        found = dyn.plateaus(run)
        self.assertEqual((len(found), found.starts[0], found.ends[0]), (1, 0, 31))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).ends, found.ends)

    def test_histogram_is_numpys(self):
        loss = 10.0 ** np.random.default_rng(3).uniform(-6, 1, 500)
        counts, edges = dyn.loss_histogram(loss, bins=20)
        np.testing.assert_array_equal(counts, np.histogram(np.log10(loss), edges)[0])
        steps = np.cumsum(np.random.default_rng(4).integers(1, 9, 500))
        counts, _ = dyn.loss_histogram(loss, steps=steps, bins=20)
        weights = np.append(np.diff(steps), 1)
        np.testing.assert_array_equal(counts, np.histogram(np.log10(loss), edges, weights=weights)[0])


class Dropout(unittest.TestCase):
    def test_variance_is_what_dropout_adds_in_expectation(self):
        net = dyn.mlp([2, 6, 2], dropout=0.25, seed=1, init=dyn.init.normal(1.0))
        x, y = np.random.default_rng(5).standard_normal((2, 9, 2))
        loss, theta = dyn.Objective(net, x, y), net.initial()
        tensors = net.views(theta)
        h = np.tanh(x @ tensors["W1"] + tensors["b1"])
        g = dyn.Graph()
        variance = g.compile(dyn.dropout_variance(g.input("h", h.shape), g.input("w", (6, 2)), 0.25))(h=h, w=tensors["W2"])
        np.testing.assert_allclose(variance, (h**2 @ tensors["W2"]**2).sum(1) / 3, rtol=1e-14)
        found = loss.noise(theta, draws=20000)
        self.assertLess(abs(found.loss - loss.value(theta) - variance.mean()), 4 * found.loss_error)
        self.assertLess(found.loss_error, 0.02 * variance.mean())

    def test_without_noise_draws_are_equal(self):
        net = dyn.mlp([2, 6, 2], seed=1)
        x, y = np.random.default_rng(5).standard_normal((2, 9, 2))
        for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
            loss = dyn.Objective(net, x, y, dtype=dtype)
            value, gradient = loss.gradient(net.initial())
            found = loss.noise(net.initial(), draws=3)
            self.assertAlmostEqual(found.loss / value, 1, delta=tolerance)
            self.assertAlmostEqual(found.gradient_square / (gradient @ gradient), 1, delta=tolerance)
            self.assertEqual((found.loss_error, found.gradient_square_error), (0, 0))

    def test_refuses(self):
        g = dyn.Graph()
        with self.assertRaisesRegex(dyn.Error, "p is 1"):
            dyn.dropout_variance(g.input("h", (1, 2)), g.input("w", (2, 1)), 1.0)
        with self.assertRaisesRegex(dyn.ShapeError, r"h \[1, 2\] and w \[2, 1\]|expected \[n, neurons\]"):
            dyn.dropout_variance(g.input("k", (1, 2)), g.input("v", (3, 1)), 0.5)


if __name__ == "__main__":
    unittest.main()
