# SPDX-License-Identifier: BSD-3-Clause
"""Slices, planes, paths, spaces, the learning coefficient: against values computed in float64 from the definitions for a
small network, closed forms, and laws of Langevin chains on a quadratic."""
import unittest

import numpy as np

import dyn
from support import reference


class Landscape(unittest.TestCase):
    def setUp(self):
        self.net, self.theta, self.x, self.y = reference()
        self.loss = dyn.Objective(self.net, self.x, self.y)

    def written_out(self, t):
        """The loss in NumPy."""
        hidden = np.tanh(self.x @ t[:6].reshape(2, 3) + t[6:9])
        return ((hidden @ t[9:15].reshape(3, 2) + t[15:] - self.y)**2).sum(1).mean()

    def gd(self, steps, rate=.05):
        thetas = [self.theta]
        for _ in range(steps):
            thetas.append(thetas[-1] - rate * self.loss.gradient(thetas[-1])[1])
        return np.array(thetas)

    def test_filter_normalised(self):
        d = dyn.direction(self.loss, theta=self.theta, like=np.cos(2.3 * np.arange(1, 18)))
        self.assertAlmostEqual(np.linalg.norm(d), 2.009350326501, 9)   # which adds 1e-10 to lengths
        np.testing.assert_allclose(d[:3], [-.500142647191, -.151610864288, .860405282023], atol=1e-9)
        self.assertTrue((d[6:9] == 0).all() and (d[15:] == 0).all())
        found = dyn.landscape(self.loss, d, theta=self.theta, a=[-1, -.5, .5, 1])
        np.testing.assert_allclose(found.losses[:3], [2.805711183653, 2.607744842621, 3.071011400568], atol=1e-9)
        self.assertAlmostEqual(found.losses[3], self.written_out(self.theta + d), 12)
        layer = dyn.direction(self.loss, theta=self.theta, scale="layer", seed=3)
        self.assertAlmostEqual(np.linalg.norm(layer[:6]), np.linalg.norm(self.theta[:6]), 12)
        weight = dyn.direction(self.loss, theta=self.theta, scale="weight", like=np.ones(17))
        np.testing.assert_allclose(weight[:6], abs(self.theta[:6]))

    def test_plane(self):
        e = np.eye(17)
        plane = dyn.landscape(self.loss, e[0], e[1], theta=self.theta, a=[0, 1], b=[0, 2, 3])
        self.assertEqual(plane.losses.shape, (2, 3))
        self.assertEqual(plane.losses[1, 2], self.loss.value(self.theta + e[0] + 3 * e[1]))

    def test_trajectory(self):
        thetas = self.gd(20)
        last, mean = dyn.trajectory_plane(thetas), dyn.trajectory_plane(thetas, centred=True)
        np.testing.assert_allclose(last.shares, [.923229720, .076371251], atol=1e-8)
        np.testing.assert_allclose(mean.shares, [.927055811, .072353780], atol=1e-8)
        self.assertAlmostEqual(abs(last.directions[0] @ mean.directions[0]), .968197896, 7)
        np.testing.assert_allclose(np.linalg.norm(last.coordinates, axis=0), [1.683243459271, .484124432077], atol=1e-9)
        np.testing.assert_allclose((thetas - last.centre) @ last.directions.T, last.coordinates, atol=1e-13)

    def test_path(self):
        b, c = .7 * np.sin(2.9 * np.arange(1, 18)), .5 * np.sin(.9 * np.arange(1, 18))
        mean = dyn.path_objective(self.loss, self.theta, b, points=64)
        value, gradient = mean.gradient(c)
        self.assertAlmostEqual(value, 1.600355952798, 11)
        self.assertAlmostEqual(mean.value(c), value, 13)
        self.assertAlmostEqual(np.linalg.norm(gradient), .314200976725, 10)
        straight = dyn.connect(self.loss, self.theta, b, bends=0)
        bent = dyn.connect(self.loss, self.theta, b, bends=2, kind="chain")
        self.assertLess(bent.losses.mean(), straight.losses.mean())
        np.testing.assert_allclose(bent(1 / 3), bent.bends[0], atol=1e-12)
        path = dyn.Path(np.stack([self.theta, b]), c[None], "bezier", straight.times, straight.losses, 0.0)
        self.assertAlmostEqual(self.loss.value(path(.3)), 1.528362089412, 11)
        self.assertTrue(mean.check_gradient(c).passed)
        for bad in dict(bends=0), dict(points=1), dict(bends=101):
            with self.assertRaisesRegex(dyn.InvalidArgument, "dyn_objective_path: kind 0"):
                dyn.path_objective(self.loss, self.theta, b, **bad)

    def test_spaces(self):
        thetas = self.gd(1)
        pairs = [dyn.eigh(self.loss.hessian(t), 4, tolerance=1e-10) for t in thetas]
        gradient = self.loss.gradient(self.theta)[1]
        np.testing.assert_allclose(dyn.space_shares(pairs[0].vectors, gradient),
                                   [.918538678267, .925921135118, .938066205377, .938946959366], atol=1e-9)
        value, cosines = dyn.overlap(*(p.vectors[:, :2] for p in pairs))
        self.assertAlmostEqual(value, .847849758617, 8)
        np.testing.assert_allclose(cosines, [.996014777, .838840916], atol=1e-8)

    def test_eigenvalue_gradient(self):
        found = dyn.eigenvalue_gradient(self.loss, theta=self.theta)
        self.assertAlmostEqual(found.value, 5.471651382772, 8)
        self.assertAlmostEqual(found.gap, 5.471651382772 - 3.820195621719, 7)
        self.assertAlmostEqual(np.linalg.norm(found.gradient), 3.043907259943, 6)
        self.assertAlmostEqual(-found.gradient @ self.loss.gradient(self.theta)[1], -4.013757314695, 6)
        self.assertLess(abs(np.linalg.norm(found.gradient) - 3.043907259943), found.error + 1e-9)
        u = dyn.mlp([2, 2], bias=False)
        double = dyn.Objective(u, np.eye(2), np.zeros((2, 2)))
        with self.assertRaisesRegex(dyn.NotSupported, "multiple eigenvalue"):
            dyn.eigenvalue_gradient(double, theta=np.ones(4))


class LearningCoefficient(unittest.TestCase):
    def test_law_of_the_chain(self):
        """On a quadratic each dimension gives n_beta h / (2 a (1 - eps a / 4)), a = n_beta h + gamma: .5153497853."""
        found = dyn.learning_coefficient(dyn.functions.quadratic(np.ones(10)), theta=np.zeros(10), n_beta=144.764827301, gamma=1.0,
                                         epsilon=1e-3, chains=10, draws=4000, burn_in=500, seed=1)
        expected = 10 * .5153497853
        self.assertLess(abs(found.value - expected), 4 * found.standard_error)
        self.assertLess(found.standard_error, .1)
        self.assertTrue(.97 < found.acceptance < 1)     # .99555 in one dimension
        self.assertTrue(.99 < found.r_hat < 1.02)
        decay = 1 - 1e-3 / 2 * 145.764827301        # of w from step to step; the losses forget as its square
        independent = 40000 * (1 - decay**2) / (1 + decay**2)
        self.assertLess(abs(found.effective_draws / independent - 1), .3)

    def test_acceptance(self):
        """U = a w^2 / 2 in one dimension: .87628 at eps a = 1.45765, by quadrature."""
        found = dyn.learning_coefficient(dyn.functions.quadratic([1.0]), theta=[0.0], n_beta=144.765, gamma=1.0, epsilon=1e-2,
                                         chains=4, draws=20000, seed=2)
        self.assertAlmostEqual(found.acceptance, .87628, 2)

    def test_seeds_and_bad_input(self):
        loss = dyn.functions.quadratic([1.0, 2.0])
        one, two = (dyn.learning_coefficient(loss, theta=[0, 0], n_beta=10, chains=2, draws=5, seed=3) for _ in range(2))
        self.assertTrue((one.losses == two.losses).all())
        self.assertEqual(one.losses.shape, (2, 5))
        with self.assertRaisesRegex(dyn.InvalidArgument, "n_beta cannot be chosen"):
            dyn.learning_coefficient(loss, theta=[0, 0])
        with self.assertRaisesRegex(dyn.InvalidArgument, "epsilon is 0"):
            dyn.learning_coefficient(loss, theta=[0, 0], n_beta=1, epsilon=0)
        with self.assertRaisesRegex(dyn.NonFinite, "run away"):
            dyn.learning_coefficient(loss, theta=[0, 0], n_beta=1e6, epsilon=1, draws=500)
        with self.assertRaisesRegex(dyn.InvalidArgument, "draws 1"):
            dyn.learning_coefficient(loss, theta=[0, 0], n_beta=1, draws=1)
