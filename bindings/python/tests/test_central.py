# SPDX-License-Identifier: BSD-3-Clause
"""Central flows: closed forms of small losses, and real runs beside them."""
import unittest

import numpy as np

import dyn
from support import reference


def toy(write, size):
    """The loss that write(parameters) is, as an objective of a model that is nothing but its parameters."""
    net = dyn.Model.from_function(lambda g, x: x * g.parameter("w", (size,)), (1,))
    return dyn.Objective(lambda net, x: write(net(x)[0]), net, x=np.ones((1, 1)))


class GradientDescent(unittest.TestCase):
    """L = x^2 (y + z) / 2 + k1 (y - c)^2 / 2 + k2 (z - d)^2 / 2: at x = 0 the sharpness is y + z, its gradient (0, 1, 1)."""

    def setUp(self):
        self.loss = toy(lambda w: w[0]**2 * (w[1] + w[2]) / 2 + .1 * (w[1] - 11)**2 + .05 * (w[2] - 9.8)**2, 3)

    def test_closed_form(self):
        found = dyn.central_flow(self.loss, theta=[0.0, 7.0, 12.5], steps=100, rate=.1, substeps=64)
        y, z = 7.380650328, 12.368319446
        np.testing.assert_allclose(found.thetas[5], [0, y, z], atol=2e-4)
        self.assertAlmostEqual(found.predicted_loss[5], 1.639782444, 3)
        for t, y, z, variance, predicted in ((20, 8.157841914, 11.842158086, .364215809, 4.658464826),
                                             (100, 9.957610225, 10.042389775, .184238977, 1.953985059)):
            np.testing.assert_allclose(found.thetas[t], [0, y, z], atol=3e-3)
            self.assertAlmostEqual(found.variance[t], variance, 2)
            self.assertAlmostEqual(found.predicted_loss[t], predicted, 1)
        self.assertAlmostEqual(found.sharpness[50], 2, 6)
        self.assertEqual((found.critical[5], found.critical[50]), (0, 1))

    def test_order_and_rest(self):
        errors = [abs(dyn.central_flow(self.loss, theta=[0.0, 7.0, 12.5], steps=20, rate=.1, substeps=n).thetas[20, 1]
                      - 8.157841914292) for n in (4, 16)]
        self.assertTrue(2.5 < errors[0] / errors[1] < 6, errors)        # first order
        self.assertLess(errors[0], 9.9e-3)
        rest = dyn.central_flow(self.loss, theta=[0.0, 10.6, 9.4], steps=1500, rate=.1)
        np.testing.assert_allclose(rest.thetas[-1], [0, 10.733333333, 9.266666667], atol=1e-6)
        self.assertAlmostEqual(rest.variance[-1], .106666667, 6)

    def test_beside_the_run(self):
        theta = np.array([.3, 7.0, 12.5])
        for _ in range(500):
            theta = theta - .1 * self.loss.gradient(theta)[1]
        flow = dyn.central_flow(self.loss, theta=[0.0, 7.0, 12.5], steps=500, rate=.1)
        np.testing.assert_allclose(theta[1:], flow.thetas[-1, 1:], atol=6e-3)


class Matrices(unittest.TestCase):
    def test_rank_two(self):
        """L = x^T Y x / 2 + k |Y - C|^2 / 2 at rest: Sigma = 2 k (C - (2 / rate) I)_+, Y = C with eigenvalues cut at 2 / rate."""
        C = np.array([[20.14, .06], [.06, 20.08]])

        def write(w):
            a, b, c = w[2], w[3], w[4]
            square = a * w[0]**2 + 2 * b * w[0] * w[1] + c * w[1]**2
            return square / 2 + .25 * ((a - C[0, 0])**2 + 2 * (b - C[0, 1])**2 + (c - C[1, 1])**2)
        found = dyn.central_flow(toy(write, 5), theta=[0, 0, 19.9, 0, 19.9], steps=400, rate=.1)
        np.testing.assert_allclose(found.thetas[-1], [0, 0, 20, 0, 20], atol=1e-5)
        self.assertAlmostEqual(found.variance[-1], .14 + .08, 4)
        self.assertEqual(found.critical[-1], 2)


class RMSProp(unittest.TestCase):
    def test_quadratic(self):
        """H = [[3, 1], [1, 2]]: v at rest is (4e-4, 2.25e-4), and the entries of Sigma are 2.5e-5."""
        loss = toy(lambda w: 1.5 * w[0]**2 + w[0] * w[1] + w[1]**2, 2)
        found = dyn.central_flow(loss, theta=[0.0, 0.0], v=[1e-2, 1e-2], steps=1500, rate=.01, kind="rmsprop", eps=0.0)
        np.testing.assert_allclose(found.v, [4e-4, 2.25e-4], rtol=1e-3)
        self.assertAlmostEqual(found.variance[-1] / 5e-5, 1, 2)
        self.assertAlmostEqual(found.sharpness[-1], 2, 4)


class Networks(unittest.TestCase):
    def test_network_at_the_edge(self):
        net, theta, x, y = reference()
        rate = .32
        loss = dyn.Objective(net, x, y)
        flow = dyn.central_flow(loss, theta=theta, steps=60, rate=rate)
        self.assertTrue((flow.sharpness < 2.001).all())
        self.assertTrue((np.diff(flow.loss) <= 1e-9).all() or flow.critical.any())

    def test_bad_input(self):
        net, theta, x, y = reference()
        loss = dyn.Objective(net, x, y)
        with self.assertRaisesRegex(dyn.InvalidArgument, "rate -1"):
            dyn.central_flow(loss, theta=theta, steps=1, rate=-1)
        with self.assertRaisesRegex(dyn.InvalidArgument, "second moment"):
            dyn.central_flow(loss, theta=theta, steps=1, rate=.1, kind="rmsprop")
        with self.assertRaisesRegex(dyn.NotSupported, "made of"):
            dyn.central_flow(dyn.functions.quadratic([30.0, 1.0]), theta=[1.0, 1.0], steps=1, rate=.1)
        with self.assertRaisesRegex(dyn.InvalidArgument, "most 0"):
            dyn.central_flow(loss, theta=theta, steps=1, rate=.1, most=0)
