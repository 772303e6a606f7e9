# SPDX-License-Identifier: BSD-3-Clause
"""Tangent kernels, kernel regression, the linearised model, third derivatives: against values computed in float64
from the definitions for a small network, and against NumPy."""
import unittest

import dyn
import numpy as np

from support import reference


class TangentKernel(unittest.TestCase):
    def setUp(self):
        self.net, self.theta, self.x, self.y = reference()
        self.full = dyn.tangent_kernel(self.net, self.x, theta=self.theta)

    def test_reference(self):
        traced = dyn.tangent_kernel(self.net, self.x, theta=self.theta, traced=True)
        self.assertAlmostEqual(np.trace(self.full), 24.986126271707, 11)
        self.assertAlmostEqual(np.linalg.norm(self.full), 13.549414272, 8)
        np.testing.assert_allclose(np.linalg.eigvalsh(self.full)[[0, -1]], [.013935273245, 10.269932378462], atol=1e-11)
        y = self.y.ravel()
        self.assertAlmostEqual(dyn.kernel_alignment(self.full, np.outer(y, y), centred=False), .059066593448, 11)
        self.assertAlmostEqual(dyn.kernel_alignment(traced, self.y @ self.y.T, centred=False), .107024646239, 11)
        self.assertAlmostEqual(dyn.kernel_alignment(traced, self.y @ self.y.T), .233706855214, 11)

    def test_jacobian(self):
        x = np.random.default_rng(1).normal(size=(300, 2))
        z = x[:50] + 1
        net = self.net
        rows, others = (dyn.jacobian(net, s, theta=self.theta).reshape(-1, net.size) for s in (x, z))
        for limit in 1 << 29, 200 * 2 * net.size * 8, 2 * 7 * 2 * net.size * 8:
            k = dyn.tangent_kernel(net, x, theta=self.theta, memory_limit=limit)
            np.testing.assert_allclose(k, rows @ rows.T, rtol=1e-12, atol=1e-13)
            self.assertTrue((k == k.T).all())
            across = dyn.tangent_kernel(net, x, z, theta=self.theta, memory_limit=limit)
            np.testing.assert_allclose(across, rows @ others.T, rtol=1e-12, atol=1e-13)
            traced = dyn.tangent_kernel(net, x, z, theta=self.theta, traced=True, memory_limit=limit)
            np.testing.assert_allclose(traced, np.einsum("icjc->ij", across.reshape(300, 2, 50, 2)), atol=1e-12)

    def test_threads_and_bad_input(self):
        x = np.random.default_rng(1).normal(size=(500, 2))
        found = []
        for threads in 1, 2, 5:
            with dyn.Context(threads=threads):
                net = dyn.mlp([2, 3, 2])
                found.append(dyn.tangent_kernel(net, x, theta=self.theta))
        self.assertTrue((found[0] == found[1]).all() and (found[0] == found[2]).all())
        with self.assertRaisesRegex(dyn.LimitReached, "dyn_tangent_kernel: memory_limit is 10 bytes"):
            dyn.tangent_kernel(self.net, x, theta=self.theta, memory_limit=10)
        with self.assertRaises(dyn.ShapeError):
            dyn.tangent_kernel(self.net, x[:, :1], theta=self.theta)
        with self.assertRaises(dyn.ShapeError):
            dyn.tangent_kernel(self.net, x[:0], theta=self.theta)
        with self.assertRaisesRegex(dyn.InvalidArgument, "one of the two"):
            dyn.kernel_fit(np.eye(2), [1, 2], ridge=1, time=1)
        self.assertTrue(np.isnan(dyn.kernel_alignment(np.ones((2, 2)), np.eye(2))))

    def test_linearised(self):
        line = dyn.Linearised(self.net, self.x, self.y, theta=self.theta)
        np.testing.assert_allclose(line([[.5, -.5]], time=0), [[.958438240971, -.392731010052]], atol=1e-11)
        np.testing.assert_allclose(line([[.5, -.5]]), [[.996560757425, .918464373707]], atol=1e-9)
        np.testing.assert_allclose(line([[.5, -.5]], time=1), [[.673033600476, -.199184097109]], atol=1e-11)
        self.assertAlmostEqual(((line(self.x, time=1) - self.y)**2).sum(1).mean(), .854713553349, 11)

    def test_fit(self):
        rng = np.random.default_rng(2)
        a, r = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
        k = a @ a.T
        np.testing.assert_allclose(dyn.kernel_fit(k, r, ridge=.5), np.linalg.solve(k + .5 * np.eye(20), r), rtol=1e-10)
        np.testing.assert_allclose(dyn.kernel_fit(k, r), np.linalg.pinv(k) @ r, rtol=1e-9, atol=1e-12)

    def test_drift(self):
        run = dyn.Run(self.net, self.x, self.y, optimizer=dyn.GD(.05), theta=self.theta)
        found = run.measure(dyn.TangentKernel(), every=10)
        found = run.train(10)["tangent_kernel"]
        self.assertAlmostEqual(run.history["loss"][-1] if len(run.history["loss"]) > 10 else run.loss(), 1.069464074425, 11)
        self.assertAlmostEqual(found.drift[-1], .113677370159, 11)
        self.assertAlmostEqual(found.distance[-1], .006015787102, 11)
        self.assertAlmostEqual(found.trace[-1] / found.trace[0], .965663714084, 11)
        self.assertAlmostEqual(found.alignment[-1], .235172278393, 11)
        figure = dyn.plot(run)
        self.assertEqual([line.get_label() for line in figure.axes[1].lines], ["drift", "distance", "alignment"])


class ThirdDerivative(unittest.TestCase):
    def setUp(self):
        self.net, self.theta, self.x, self.y = reference()
        self.loss = dyn.Objective(self.net, self.x, self.y)

    def test_reference(self):
        pairs = dyn.eigh(self.loss.hessian(self.theta), 1, tolerance=1e-12)
        v = pairs.vectors[:, 0]
        slope = self.loss.third_derivative(self.theta, v) @ v
        gradient = self.loss.gradient(self.theta)[1]
        self.assertAlmostEqual(np.linalg.norm(slope), 3.043907259943, 9)
        self.assertAlmostEqual(-slope @ gradient, -4.013757314695, 9)
        self.assertAlmostEqual(abs(slope @ v), 1.566660608410, 9)
        self.assertAlmostEqual(-slope @ np.sign(gradient), -1.782853192781, 9)

    def test_differences(self):
        u = np.cos(np.arange(17.0))
        T = self.loss.third_derivative(self.theta, u)
        self.assertLess(T.asymmetry(), 1e-13)
        step = 1e-4
        plus, minus = (self.loss.hessian(self.theta + s * step * u).dense() for s in (1, -1))
        np.testing.assert_allclose(T.dense(), (plus - minus) / (2 * step), atol=2e-7)
        one = dyn.Objective(self.net, self.x, self.y, memory_limit=20000)
        np.testing.assert_allclose(one.third_derivative(self.theta, u).dense(), T.dense(), rtol=1e-12, atol=1e-13)
        twice = (self.loss + 2.0 * self.loss).third_derivative(self.theta, u)
        np.testing.assert_allclose(twice.dense(), 3 * T.dense(), rtol=1e-12, atol=1e-12)
        with self.assertRaises(dyn.NotSupported):
            dyn.Objective.from_functions(2, lambda t: 0.0).third_derivative([0, 0], [1, 1])
