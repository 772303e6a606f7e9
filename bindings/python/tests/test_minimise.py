# SPDX-License-Identifier: BSD-3-Clause
"""Minimisers, flows and chains from Python, against closed forms and SciPy."""
import unittest

import numpy as np

import dyn
from support import quadratic, wave


class Minima(unittest.TestCase):
    def test_a_network_to_machine_precision(self):
        """A tanh network fits five points: the gradient goes to 1e-12, which SciPy's derivative-free check confirms."""
        x, y = wave(5)
        net = dyn.mlp([1, 6, 1], seed=3)
        for method in (dyn.LBFGS(memory=50), dyn.NewtonCG()):
            best = dyn.minimise(net, x, y, method=method, gradient_tolerance=1e-12)
            self.assertTrue(best.converged, best)
            self.assertLess(best.loss, 1e-20)
            value, gradient = dyn.Objective(net, x, y).gradient(best.theta)
            self.assertEqual(value, best.loss)
            self.assertLessEqual(np.linalg.norm(gradient), 1.01e-12)

    def test_own_functions_and_reasons(self):
        bowl = quadratic([1.0, 100.0])
        best = dyn.minimise(bowl, theta=[1.0, 1.0])
        np.testing.assert_allclose(best.theta, 0, atol=1e-10)
        slow = dyn.minimise(bowl, theta=[1.0, 1.0], method=dyn.Monotone(1e-6), max_evaluations=5)
        self.assertEqual((slow.reason, slow.evaluations, slow.converged), ("evaluations", 5, False))
        falls = []
        dyn.minimise(bowl, theta=[1.0, 1.0], method=dyn.Monotone(), stop_loss=1e-12, progress=falls.append)
        losses = [float(text.split("value ")[1].split(",")[0]) for text in falls]
        self.assertTrue(all(b <= a for a, b in zip(losses, losses[1:])))

    def test_an_exception_is_raised(self):
        def fails(theta):
            raise KeyError("mine")
        with self.assertRaises(KeyError):
            dyn.minimise(dyn.Objective.from_functions(1, fails, fails), theta=[1.0])


class Flows(unittest.TestCase):
    def test_against_scipy(self):
        try:
            from scipy.integrate import solve_ivp
        except ImportError:
            self.skipTest("no SciPy")
        x, y = wave(12)
        net = dyn.mlp([1, 5, 1], seed=1)
        objective, start = dyn.Objective(net, x, y), net.initial()
        times = np.geomspace(0.01, 30, 9)
        path = dyn.flow(objective, theta=start, times=times, rtol=1e-9, atol=1e-11)
        exact = solve_ivp(lambda t, w: -objective.gradient(w)[1], (0, 30), start, "DOP853", times, rtol=1e-12,
                          atol=1e-14)
        np.testing.assert_allclose(path.states, exact.y.T, atol=1e-7)
        self.assertEqual((path.reason, path.time), ("time", 30))

    def test_threshold_and_kinks(self):
        path = dyn.flow(quadratic([1.0]), theta=[1.0], stop_loss=0.05, rtol=1e-10)
        self.assertAlmostEqual(path.time, 1.151292546497023, 8)
        self.assertAlmostEqual(path.loss, 0.05, 14)
        bent = dyn.Objective.from_functions(
            1, lambda t: max(3 * t[0], t[0] / 2), lambda t: (max(3 * t[0], t[0] / 2), [3.0 if t[0] > 0 else 0.5]))
        path = dyn.flow(bent, theta=[1.5], end=1.0, kinks=lambda t: t)
        np.testing.assert_allclose(path.theta, [-0.25], atol=1e-6)
        self.assertEqual(path.kinks, 1)
        with self.assertRaisesRegex(dyn.InvalidArgument, "needs an end"):
            dyn.flow(quadratic([1.0]), theta=[1.0])

    def test_sliding_along_kinks(self):
        """Eight points at random, six ReLU neurons: some kinks are slid on. Softplus of slope beta, whose flow SciPy follows,
        comes as near as 1 / beta."""
        try:
            from scipy.integrate import solve_ivp
        except ImportError:
            self.skipTest("no SciPy")
        for seed in (0, 1):
            rng = np.random.default_rng(seed)
            x, y = rng.standard_normal((8, 2)), rng.standard_normal((8, 1))
            net = dyn.mlp([2, 6, 1], "relu", seed=seed)

            def before(theta):
                v = net.views(theta)
                return x @ v["W1"] + v["b1"]

            def smooth(t, theta, beta):
                v, slope = net.views(theta), np.zeros(net.size)
                h, to = before(theta), net.views(slope)
                a = np.logaddexp(0, beta * h) / beta
                e = 2 / 8 * (a @ v["W2"] + v["b2"] - y)
                back = e @ v["W2"].T * (1 + np.tanh(beta * h / 2)) / 2
                for name, value in (("W1", x.T @ back), ("b1", back.sum(0)), ("W2", a.T @ e), ("b2", e.sum(0))):
                    to[name][...] = value
                return -slope
            path = dyn.flow(net, x, y, times=[1, 3], kinks=before, rtol=1e-9, atol=1e-12)
            self.assertTrue(path.reason == "time" and path.slides > 0)
            apart = []
            for beta in (1e4, 1e5):
                found = solve_ivp(smooth, (0, 3), net.initial(), "LSODA", [1, 3], args=(beta,), rtol=1e-9, atol=1e-11)
                apart.append(np.abs(found.y.T - path.states).max())
            self.assertLess(apart[1], 1e-4)
            self.assertAlmostEqual(apart[0] / apart[1], 10, delta=4)

    def test_langevin(self):
        """Curvature 2: half of n beta 2 / (n beta 2 + gamma), here with steps so small that their error is .01."""
        losses, w = dyn.langevin(quadratic([2.0]), theta=[0.0], steps=20000, epsilon=1e-4, n_beta=144.765, gamma=100.0)
        self.assertEqual(losses[0], 0)
        self.assertAlmostEqual(144.765 * losses.mean(), 0.375295, delta=0.12)
        self.assertEqual(w.shape, (1,))
