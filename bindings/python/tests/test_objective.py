# SPDX-License-Identifier: BSD-3-Clause
"""Losses and derivatives against closed forms: linear and softmax regression."""
import os
import tempfile
import unittest

import numpy as np

import dyn

R = np.random.default_rng(3)


class LinearRegression(unittest.TestCase):
    """f = x w: loss mean (f - y)^2, gradient 2/n x^T (x w - y), Hessian 2/n x^T x."""

    def setUp(self):
        self.x, self.y, self.w = R.normal(size=(30, 4)), R.normal(size=30), R.normal(size=4)
        self.net = dyn.mlp([4, 1], bias=False)
        self.o = dyn.Objective(self.net, self.x, self.y)

    def test_value_and_gradient(self):
        r = self.x @ self.w - self.y
        self.assertAlmostEqual(self.o.value(self.w), np.mean(r * r), delta=1e-14)
        value, gradient = self.o.gradient(self.w)
        self.assertAlmostEqual(value, np.mean(r * r), delta=1e-14)
        np.testing.assert_allclose(gradient, 2 / 30 * self.x.T @ r, rtol=1e-13)

    def test_second_derivatives(self):
        expected = 2 / 30 * self.x.T @ self.x
        for operator in (self.o.hessian(self.w), self.o.ggn(self.w), dyn.hessian(self.o, theta=self.w),
                         dyn.hessian(self.net, self.x, self.y), dyn.ggn(self.net, self.x, self.y)):
            np.testing.assert_allclose(operator.dense(), expected, rtol=1e-13)

    def test_jacobian_and_samples(self):
        np.testing.assert_allclose(self.o.jacobian(self.w)[:, 0], self.x, rtol=1e-15)
        np.testing.assert_allclose(dyn.jacobian(self.net, self.x)[:, 0], self.x, rtol=1e-15)
        r = self.x @ self.w - self.y
        np.testing.assert_allclose(self.o.sample_gradients(self.w), 2 * r[:, None] * self.x, rtol=1e-12)
        np.testing.assert_allclose(self.o.predict(self.w)[:, 0], self.x @ self.w, rtol=1e-13)

    def test_conventions(self):
        r = self.x @ self.w - self.y
        for options, expected in (({"half": True}, np.mean(r * r) / 2), ({"sum_samples": True}, np.sum(r * r)),
                                  ({"l2": 0.3}, np.mean(r * r) + 0.15 * self.w @ self.w)):
            value = dyn.Objective(self.net, self.x, self.y, **options).value(self.w)
            self.assertAlmostEqual(value, expected, delta=1e-13, msg=str(options))

    def test_float32_and_other_arrays(self):
        single = dyn.Objective(self.net, self.x.astype("f4"), self.y.astype("f4"), dtype="float32")
        self.assertAlmostEqual(single.value(self.w), self.o.value(self.w), delta=1e-5)
        strided = np.asfortranarray(self.x)
        self.assertAlmostEqual(dyn.Objective(self.net, strided, list(self.y)).value(self.w), self.o.value(self.w),
                               delta=1e-15)

    def test_errors(self):
        with self.assertRaisesRegex(dyn.ShapeError, r"theta has shape \[3\], expected \[4\]"):
            self.o.value(np.zeros(3))
        with self.assertRaises(dyn.ShapeError):
            dyn.Objective(self.net, self.x, self.y[:7])
        with self.assertRaisesRegex(dyn.InvalidArgument, "mse"):
            dyn.Objective(self.net, self.x, self.y, "mes")
        with self.assertRaises(dyn.InvalidArgument):
            dyn.hessian(self.net)
        with self.assertRaises(dyn.InvalidArgument):
            dyn.hessian(self.o)


class SoftmaxRegression(unittest.TestCase):
    def test_cross_entropy(self):
        x, labels = R.normal(size=(20, 3)), R.integers(0, 4, 20)
        net = dyn.mlp([3, 4], bias=False)
        o = dyn.Objective(net, x, np.eye(4)[labels], "cross_entropy")
        w = R.normal(size=(3, 4))
        e = np.exp(x @ w)
        p = e / e.sum(1, keepdims=True)
        value, gradient = o.gradient(w.ravel())
        self.assertAlmostEqual(value, -np.mean(np.log(p[np.arange(20), labels])), delta=1e-14)
        np.testing.assert_allclose(gradient.reshape(3, 4), x.T @ (p - np.eye(4)[labels]) / 20, rtol=1e-12, atol=1e-15)
        self.assertEqual(o.accuracy(w.ravel()), np.mean(p.argmax(1) == labels))
        self.assertEqual((o.samples, o.outputs, o.size), (20, 4, 12))


class OwnFunctions(unittest.TestCase):
    def test_all_three(self):
        h = np.array([1.0, 2.0, 5.0])
        o = dyn.Objective.from_functions(3, lambda t: 0.5 * h @ t**2, lambda t: (0.5 * h @ t**2, h * t),
                                         lambda t, v: h[:, None] * v)
        theta = np.array([1.0, -1.0, 2.0])
        self.assertEqual(o.value(theta), 0.5 * (1 + 2 + 20))
        np.testing.assert_array_equal(o.gradient(theta)[1], h * theta)
        np.testing.assert_array_equal(o.hessian(theta).dense(), np.diag(h))

    def test_checks_find_wrong_derivatives(self):
        def made(factor, skew):
            m = np.array([[2.0, skew], [0.0, 1.0]])
            return dyn.Objective.from_functions(2, lambda t: np.sum(t**4), lambda t: (np.sum(t**4), factor * 4 * t**3),
                                                lambda t, v: 12 * (t**2)[:, None] * v + (m - np.diag([2, 1])) @ v)
        theta = [0.7, -1.2]
        right = made(1.0, 0.0)
        self.assertTrue(right.check_gradient(theta).passed and right.check_hessian(theta).passed)
        self.assertGreater(right.check_gradient(theta).order, 1.9)
        wrong = made(1.01, 0.5)
        self.assertFalse(wrong.check_gradient(theta).passed or wrong.check_hessian(theta).passed)
        self.assertGreater(wrong.check_hessian(theta).asymmetry, 1e-3)

    def test_what_is_missing_is_not_supported(self):
        o = dyn.Objective.from_functions(2, lambda t: t @ t)
        with self.assertRaises(dyn.NotSupported):
            o.gradient([1, 2])
        with self.assertRaises(dyn.NotSupported):
            o.predict([1, 2])

    def test_exceptions_come_out(self):
        o = dyn.Objective.from_functions(2, lambda t: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            o.value([1, 2])
        with self.assertRaises(ZeroDivisionError):
            o.value([1, 2])


class Sums(unittest.TestCase):
    """Sums of objectives whose models have states, or names in common."""

    def norm(self, seed):
        def build(g, x):
            return dyn.batch_norm(x @ g.parameter("W", (3, 2)))
        return dyn.Model.from_function(build, (3,), seed=seed)

    def test_states_move_one_part_after_the_other(self):
        net, x, y = self.norm(1), R.normal(size=(2, 8, 3)), R.normal(size=(2, 8, 2))
        both = dyn.Objective(net, x[0], y[0]) + 0.5 * dyn.Objective(net, x[1], y[1])
        run = dyn.Run(both, optimizer=dyn.GD(0.0)).train(1)
        W = net.views(net.initial())["W"]
        mean, var = np.zeros(2), np.ones(2)
        for part in x:
            mean, var = 0.9 * mean + 0.1 * (part @ W).mean(0), 0.9 * var + 0.1 * (part @ W).var(0, ddof=1)
        np.testing.assert_allclose(run.states["norm.mean"], mean, rtol=1e-12)
        np.testing.assert_allclose(run.states["norm.var"], var, rtol=1e-12)
        # measured by them
        expected = sum(w * np.mean(np.sum(((a @ W - mean) / np.sqrt(var + 1e-5) - b)**2, 1))
                       for w, a, b in zip((1, 0.5), x, y))
        self.assertAlmostEqual(both.value(run.theta), expected, places=12)
        H, v = both.hessian(run.theta), R.normal(size=6)
        slope = [both.gradient(run.theta + h * v)[1] for h in (1e-5, -1e-5)]
        np.testing.assert_allclose(H @ v, (slope[0] - slope[1]) / 2e-5, atol=1e-7)

    def test_a_run_on_a_sum_goes_on_with_its_states(self):
        nets, x, y = (self.norm(1), self.norm(2)), R.normal(size=(8, 3)), R.normal(size=(8, 2))

        def loss():
            return dyn.Objective(nets[0], x, y) + dyn.Objective(nets[1], x, y)
        run = dyn.Run(loss(), optimizer=dyn.GD(0.1)).train(4)
        self.assertEqual(list(run.objective.tensors), ["W", "2.W"])
        self.assertEqual(list(run.history)[4:], ["term.loss", "loss.2"])
        np.testing.assert_allclose(run.history["loss"], run.history["term.loss"] + run.history["loss.2"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            run.save(path)
            again = dyn.Run.load(path, loss(), optimizer=dyn.GD(0.1))
        np.testing.assert_array_equal(again.train(3).theta, run.train(3).theta)
        alone = dyn.Run(nets[1], x, y, optimizer=dyn.GD(0.1)).train(7)
        np.testing.assert_allclose(run.theta[6:], alone.theta, rtol=1e-12)


class NonFinite(unittest.TestCase):
    def test_the_first_node_is_named(self):
        def loss(net, x):
            return dyn.sqrt(dyn.exp(net(x))[:, 0])
        net = dyn.mlp([1, 1], bias=False)
        o = dyn.Objective(loss, net, x=[[1.0], [0.0], [1000.0]])
        self.assertIsNone(o.first_nonfinite([0.5]))
        self.assertRegex(o.first_nonfinite([1.0]),
                         r"^node \d+, exp of shape \[3, 1\]: element 2 is inf \(.*test_objective.py, line \d+\)$")

    def test_in_the_gradient_alone(self):
        def loss(net, x):
            return dyn.sqrt(net(x)**2)[:, 0]
        o = dyn.Objective(loss, dyn.mlp([1, 1], bias=False), x=[[1.0], [2.0]])
        self.assertEqual(o.value([0.0]), 0)
        self.assertRegex(o.first_nonfinite([0.0]), r"element 0 is (inf|nan)$")
        self.assertIsNone(o.first_nonfinite([1.0]))


class Maps(unittest.TestCase):
    """A network at data, without targets."""

    def test_products_both_ways_are_those_of_the_jacobian(self):
        x, net = R.normal(size=(11, 3)), dyn.mlp([3, 7, 2], seed=1)
        theta = net.initial()
        W1, b1, W2, b2 = net.views(theta).values()
        h = np.tanh(x @ W1 + b1)
        v, u = R.normal(size=(net.size, 3)), R.normal(size=(22, 2))
        for dtype, limit, tolerance in (("float64", None, 1e-13), ("float64", 9000, 1e-13), ("float32", None, 2e-5)):
            m = dyn.Objective.map(net, x, dtype=dtype, memory_limit=limit)
            np.testing.assert_allclose(m.predict(theta), h @ W2 + b2, atol=tolerance)
            J = m.jacobian_map(theta)
            self.assertEqual(J.shape, (22, net.size))
            forward = J @ v
            for k in range(3):
                dW1, db1, dW2, db2 = net.views(v[:, k]).values()
                expected = ((x @ dW1 + db1) * (1 - h**2)) @ W2 + h @ dW2 + db2
                np.testing.assert_allclose(forward[:, k], expected.ravel(), atol=50 * tolerance)
            np.testing.assert_allclose(u.T @ forward, (J.T @ u).T @ v, atol=200 * tolerance)
            m.set_data("cotangent", u[:, 0].reshape(11, 2))
            np.testing.assert_allclose(m.gradient(theta)[1], J.T @ u[:, 0], atol=50 * tolerance)

    def test_tensors_inside_and_gradients_by_them(self):
        def build(g, x):
            h = g.name("hidden", dyn.tanh(x @ g.parameter("V", (3, 4))))
            return h @ g.parameter("W", (4, 2))
        net = dyn.Model.from_function(build, (3,), seed=1)
        theta, x, u = net.initial(), R.normal(size=(5, 3)), R.normal(size=(5, 2))
        m = dyn.Objective.map(net, x)
        m.set_data("cotangent", u)
        value, slope = m.inside(theta, "hidden", gradient=True)
        V, W = net.views(theta).values()
        np.testing.assert_allclose(value, np.tanh(x @ V), rtol=1e-12)
        np.testing.assert_allclose(slope, u @ W.T, rtol=1e-12)

    def test_a_vector_serves_one_input(self):
        net = dyn.mlp([1, 4, 1], seed=1)
        theta, x = net.initial(), np.linspace(-1, 1, 5)
        np.testing.assert_array_equal(dyn.Objective.map(net, x).predict(theta), net(theta, x))

    def test_what_is_wrong_is_said(self):
        net = dyn.mlp([3, 1])
        with self.assertRaisesRegex(dyn.Error, "2 arrays for 1 inputs"):
            dyn.Objective.map(net, np.zeros((2, 3)), np.zeros((2, 3)))
        with self.assertRaises(dyn.Error):
            dyn.Objective.map(net, np.zeros((2, 4)))
        with self.assertRaisesRegex(dyn.Error, "a model on data is needed"):
            (2.0 * dyn.Objective.map(net, np.zeros((2, 3)))).jacobian_map(net.initial())


class Differences(unittest.TestCase):
    """Hessians of functions that give gradients only."""

    def setUp(self):
        self.h = np.array([1.0, 3.0, 10.0])

        def value(t):
            return float(self.h @ (1 - np.cos(t)) + t[0] * t[1]**2)

        def gradient(t):
            return value(t), self.h * np.sin(t) + np.array([t[1]**2, 2 * t[0] * t[1], 0])
        self.theta = np.array([0.3, -0.7, 1.1])
        self.loss = dyn.Objective.from_functions(3, value, gradient)
        t = self.theta
        self.exact = np.diag(self.h * np.cos(t)) + np.array([[0, 2 * t[1], 0], [2 * t[1], 2 * t[0], 0], [0, 0, 0]])

    def test_products_are_right_within_what_they_say(self):
        H = self.loss.hessian(self.theta)
        V = np.random.default_rng(0).standard_normal((3, 4))
        wrong, told = np.linalg.norm(H @ V - self.exact @ V, axis=0), H.product_errors(V)
        self.assertTrue((wrong <= told).all() and (told < 1e-7).all() and (told > 0).all(), (wrong, told))
        np.testing.assert_array_equal(H @ np.zeros(3), 0)

    def test_operators_built_on_them_tell_too(self):
        H = self.loss.hessian(self.theta)
        v = np.array([1.0, 2.0, -1.0])
        for A, exact in ((2.0 * H, 2 * self.exact), (H + H, 2 * self.exact),
                         ((3.0 * self.loss).hessian(self.theta), 3 * self.exact)):
            told = A.product_errors(v)[0]
            self.assertTrue(0 < np.linalg.norm(A @ v - exact @ v) <= told < 1e-7)
        net = dyn.mlp([1, 1])
        self.assertEqual(dyn.hessian(net, [1.0], [1.0]).product_errors([1.0, 2.0])[0], 0)

    def test_residuals_contain_them(self):
        pairs = dyn.eigh(self.loss.hessian(self.theta), k=3)
        exact = np.linalg.norm(self.exact @ pairs.vectors - pairs.vectors * pairs.values, axis=0)
        self.assertTrue((exact <= pairs.residuals).all() and pairs.product_error > 0)
        np.testing.assert_allclose(pairs.values, np.linalg.eigvalsh(self.exact)[::-1], atol=1e-7)
        self.assertEqual(dyn.eigh(np.diag([1.0, 2.0])).product_error, 0)
        self.assertNotIn("product_error", repr(dyn.eigh(np.diag([1.0, 2.0]))))

    def test_there_is_nothing_to_check(self):
        with self.assertRaisesRegex(dyn.NotSupported, "differences of gradients"):
            self.loss.check_hessian(self.theta)


if __name__ == "__main__":
    unittest.main()
