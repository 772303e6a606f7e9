# SPDX-License-Identifier: BSD-3-Clause
"""Graphs against NumPy, derivatives against closed forms."""
import math
import unittest

import numpy as np

import dyn

R = np.random.default_rng(1)


def evaluate(build, *arrays):
    """Node that build(*nodes) makes, run on the arrays."""
    g = dyn.Graph()
    nodes = [g.input(f"a{i}", a.shape) for i, a in enumerate(arrays)]
    return g.compile(build(*nodes))(**{f"a{i}": a for i, a in enumerate(arrays)})


class Operations(unittest.TestCase):
    def agree(self, build, expected, *arrays):
        np.testing.assert_allclose(evaluate(build, *arrays), expected, rtol=1e-14, atol=1e-14)

    def test_arithmetic_broadcasts_as_numpy(self):
        a, b = R.normal(size=(3, 4)), R.normal(size=4)
        for op in (lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y):
            self.agree(op, op(a, b), a, b)
        self.agree(lambda x: 2 - 3 / (1 + x * x) + -x, 2 - 3 / (1 + a * a) - a, a)
        self.agree(lambda x: np.float64(2) * x, 2 * a, a)
        self.agree(lambda x: x**3 + abs(x)**0.5, a**3 + np.sqrt(abs(a)), a)

    def test_functions(self):
        a = R.uniform(0.1, 2, size=7)
        for f, g in ((dyn.exp, np.exp), (dyn.expm1, np.expm1), (dyn.log, np.log), (dyn.log1p, np.log1p),
                     (dyn.tanh, np.tanh), (dyn.sin, np.sin), (dyn.cos, np.cos), (dyn.sqrt, np.sqrt)):
            self.agree(f, g(a), a)
        self.agree(dyn.erf, np.array([math.erf(x) for x in a]), a)
        self.agree(dyn.relu, np.maximum(a - 1, 0), a - 1)
        self.agree(dyn.sigmoid, 1 / (1 + np.exp(-a)), a)
        self.agree(dyn.softplus, np.log1p(np.exp(a)), a)
        self.agree(dyn.logsumexp, np.log(np.sum(np.exp(a))), a)
        self.agree(lambda x: dyn.activation("x_tanh", x), a * np.tanh(a), a)

    def test_comparisons_and_choice(self):
        a, b = R.normal(size=5), R.normal(size=5)
        self.agree(lambda x, y: x > y, 1.0 * (a > b), a, b)
        self.agree(lambda x, y: x <= y, 1.0 * (a <= b), a, b)
        self.agree(lambda x: x < 0.5, 1.0 * (a < 0.5), a)
        self.agree(lambda x, y: x.equal(y) + x.equal(x), np.ones(5), a, b)
        self.agree(lambda x, y: dyn.where(x > 0, y, -1.0), np.where(a > 0, b, -1), a, b)
        self.agree(dyn.maximum, np.maximum(a, b), a, b)
        self.agree(dyn.minimum, np.minimum(a, b), a, b)
        self.agree(lambda x: dyn.minimum(0.2, x) + dyn.minimum(x, b), np.minimum(a, 0.2) + np.minimum(a, b), a)

    def test_powers_of_a_number(self):
        a = R.normal(size=5)
        self.agree(lambda x: 0.9**x, 0.9**a, a)
        with self.assertRaisesRegex(dyn.InvalidArgument, "the base must be positive"):
            (-2.0)**dyn.Graph().input("x", (3,))

    def test_products_and_reductions(self):
        a, b = R.normal(size=(3, 4)), R.normal(size=(4, 5))
        self.agree(lambda x, y: x @ y, a @ b, a, b)
        self.agree(lambda x, y: x.matmul(y, transpose=True), a @ b, a.T.copy(), b)
        self.agree(lambda x: x.sum(0), a.sum(0), a)
        self.agree(lambda x: x.sum(), a.sum(), a)
        self.agree(lambda x: x.mean(1), a.mean(1), a)
        self.agree(lambda x: x.mean(), a.mean(), a)
        self.agree(lambda x: x.max(-1), a.max(1), a)

    def test_shapes(self):
        a = R.normal(size=(2, 3, 4))
        self.agree(lambda x: x.reshape(6, -1), a.reshape(6, 4), a)
        self.agree(lambda x: x.transpose(2, 0, 1), a.transpose(2, 0, 1), a)
        self.agree(lambda x: x.T, a.T, a)
        self.agree(lambda x: x[1, :, 1:3], a[1, :, 1:3], a)
        self.agree(lambda x: x[:, -1], a[:, -1], a)
        self.agree(lambda x: x.pad((0, 1, 0), (2, 5, 4)), np.pad(a, ((0, 0), (1, 1), (0, 0))), a)
        self.agree(lambda x: dyn.concatenate([x, x * 2, x], axis=1), np.concatenate([a, a * 2, a], 1), a)
        for axis in (0, 1, 2, -1, -2, -3):
            self.agree(lambda x: dyn.stack([x, x * 2, -x], axis), np.stack([a, a * 2, -a], axis), a)
        self.agree(lambda x: x[0, 0, :1].broadcast_to((3, 4)), np.full((3, 4), a[0, 0, 0]), a)

    def test_what_is_no_stack(self):
        x, y = dyn.Graph().input("x", (2, 3)), dyn.Graph().input("y", (3,))
        with self.assertRaisesRegex(dyn.InvalidArgument, "stack: axis 3 of a result with 3 axes"):
            dyn.stack([x, x], axis=3)
        with self.assertRaisesRegex(dyn.ShapeError, r"stack: shapes \[2, 3\] and \[3\]"):
            dyn.stack([x, y])
        with self.assertRaisesRegex(dyn.InvalidArgument, "stack: no nodes"):
            dyn.stack([])
        with self.assertRaisesRegex(TypeError, "a dyn.Node expected"):
            dyn.stack([x, np.ones((2, 3))])

    def test_rows_by_index(self):
        g = dyn.Graph()
        table, i = g.input("table", (4, 2)), g.indices("i", (3,))
        picked = table.gather(i)
        f = g.compile(picked, picked.scatter_add(i, 4))
        t, k = R.normal(size=(4, 2)), [2, 0, 2]
        rows, back = f(table=t, i=k)
        np.testing.assert_array_equal(rows, t[k])
        np.testing.assert_array_equal(back, np.array([t[0], [0, 0], 2 * t[2], [0, 0]]))


class Derivatives(unittest.TestCase):
    """f(w) = sum_i exp(x_i w_i): gradient x e^(xw), Hessian diag(x^2 e^(xw))."""

    def setUp(self):
        self.g = dyn.Graph()
        self.x, self.w, self.v = (self.g.input(n, (6,)) for n in "xwv")
        self.e = dyn.exp(self.x * self.w)
        self.given = {n: R.normal(size=6) for n in "xwv"}

    def value(self, *nodes):
        return self.g.compile(*nodes)(**{n: self.given[n] for n in self.g.compile(*nodes).inputs})

    def test_gradient_and_hessian_product(self):
        x, w, v = self.given.values()
        np.testing.assert_allclose(self.value(*self.g.gradient(self.e.sum(), [self.w])), x * np.exp(x * w), rtol=1e-14)
        np.testing.assert_allclose(self.value(*self.g.hvp(self.e.sum(), [self.w], [self.v])),
                                   x * x * np.exp(x * w) * v, rtol=1e-14)

    def test_jvp_vjp_ggn(self):
        x, w, v = self.given.values()
        expected = x * np.exp(x * w) * v
        np.testing.assert_allclose(self.value(*self.g.jvp([self.e], [self.w], [self.v])), expected, rtol=1e-14)
        np.testing.assert_allclose(self.value(*self.g.vjp([self.e], [self.v], [self.w])), expected, rtol=1e-14)
        square = (self.e * self.e).sum()
        np.testing.assert_allclose(self.value(*self.g.ggn(square, self.e, [self.w], [self.v])),
                                   2 * (x * np.exp(x * w))**2 * v, rtol=1e-13)

    def test_batch(self):
        many = self.g.input("many", (3, 6))
        out, = self.g.batch(3, [self.e.sum()], [self.w], [many])
        w = R.normal(size=(3, 6))
        got = self.g.compile(out)(x=self.given["x"], many=w)
        np.testing.assert_allclose(got, np.exp(self.given["x"] * w).sum(1), rtol=1e-14)


class Functions(unittest.TestCase):
    def test_float32(self):
        g = dyn.Graph("float32")
        f = g.compile(dyn.tanh(g.input("x", (4,))))
        result = f(x=[0, 1, 2, 3])
        self.assertEqual(result.dtype, np.float32)
        np.testing.assert_allclose(result, np.tanh([0, 1, 2, 3]), rtol=1e-6)

    def test_bound_arrays_are_not_copied(self):
        g = dyn.Graph()
        f = g.compile(g.input("x", (3,)) * 2)
        x, y = np.ones(3), np.zeros(3)
        f.bind("x", x)
        f.bind_output(0, y)
        f.run()
        np.testing.assert_array_equal(y, [2, 2, 2])
        x[1] = 5
        f.run()
        np.testing.assert_array_equal(y, [2, 10, 2])

    def test_a_wide_layer_of_one_input_is_one_step(self):
        g = dyn.Graph()
        x, y, W, b, V = (g.input(n, s) for n, s in
                         dict(x=(80, 1), y=(80, 1), W=(1, 10000), b=(10000,), V=(10000, 1)).items())
        loss = ((dyn.tanh(x @ W + b) @ V - y)**2).mean()
        text = g.compile(loss, *g.gradient(loss, [W, b, V])).text()
        self.assertEqual(text.count("80 rows"), 1, text)

    def test_text(self):
        g = dyn.Graph()
        y = dyn.tanh(g.input("x", (2,)))
        self.assertIn("tanh", g.text(y))
        self.assertIn("digraph", g.text(y, dot=True))
        self.assertGreater(g.compile(y).bytes, 0)
        self.assertTrue(g.compile(y).text())

    def test_errors_say_what_and_give_sizes(self):
        g = dyn.Graph()
        a, b = g.input("a", (2, 3)), g.input("b", (4, 5))
        with self.assertRaisesRegex(dyn.ShapeError, r"dyn_graph_matmul.*3.*4") as caught:
            a @ b
        self.assertEqual((caught.exception.name, caught.exception.status), ("DYN_ESHAPE", -3))
        with self.assertRaises(ValueError):
            a + b
        with self.assertRaisesRegex(dyn.InvalidArgument, "different graphs"):
            a + dyn.Graph().input("a", (2, 3))
        with self.assertRaisesRegex(dyn.InvalidArgument, "tahn.*tanh"):
            dyn.activation("tahn", a)
        with self.assertRaises(IndexError):
            a[7]
        with self.assertRaisesRegex(dyn.ShapeError, r"input 'a' has shape \[3, 2\], expected \[2, 3\]"):
            g.compile(a)(a=np.ones((3, 2)))
        with self.assertRaisesRegex(dyn.InvalidArgument, "'c'"):
            g.compile(a)(c=np.ones((3, 2)))
        with self.assertRaises(dyn.LimitReached):
            g.compile(a @ a.T, arena_limit=1)
        with self.assertRaises(dyn.StateError):
            g.compile(a + 1).run()



class Constants(unittest.TestCase):
    def test_arrays(self):
        rng = np.random.default_rng(3)
        A, v, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 4)), rng.normal(size=3)
        for dtype, tolerance in (("float64", 1e-14), ("float32", 1e-5)):
            g = dyn.Graph(dtype)
            x = g.input("x", (5, 4))
            y = x @ A + b
            f = g.compile(y, x.T.matmul(np.ones((5, 2))), np.eye(2, 5) @ x, A.T @ x.T, *g.gradient((y * y).sum(), [x]))
            self.assertEqual(list(f.inputs), ["x"])
            expected = [v @ A + b, v.T @ np.ones((5, 2)), v[:2], A.T @ v.T, 2 * (v @ A + b) @ A.T]
            for found, wanted in zip(f(x=v), expected):
                np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)

    def test_in_models(self):
        mask = np.array([1.0, 0.0, 1.0])

        def build(g, x):
            return (dyn.tanh(x @ g.parameter("A", (2, 3))) * mask) @ np.ones((3, 1))
        net = dyn.Model.from_function(build, (2,))
        x, theta = np.random.default_rng(4).normal(size=(6, 2)), net.initial()
        A = net.views(theta)["A"]
        np.testing.assert_allclose(net(theta, x), (np.tanh(x @ A) * mask) @ np.ones((3, 1)), rtol=1e-12)
        objective = dyn.Objective(net, x, np.zeros((6, 1)))
        self.assertTrue(objective.check_gradient(theta).passed)
        self.assertTrue(objective.check_hessian(theta).passed)

    def test_what_numpy_does_with_nodes(self):
        g = dyn.Graph()
        x = g.input("x", (3,))
        f = g.compile(np.array([1.0, 2.0, 3.0]) * x, np.arange(3) - x, dyn.maximum(np.zeros(3), x), dyn.abs(x), abs(x))
        v = np.array([-1.0, 0.0, 2.0])
        for found, wanted in zip(f(x=v), ([-1, 0, 6], [1, 1, 0], [0, 0, 2], [1, 0, 2], [1, 0, 2])):
            np.testing.assert_array_equal(found, wanted)
        with self.assertRaises(dyn.ShapeError):
            g.constant(np.ones(3), (4,))

    def test_an_input_that_folding_removed(self):
        g = dyn.Graph()
        t, w = g.input("t", (2,)), g.parameter("w", (2,))
        f = g.compile(g.gradient((t * w).sum(), [w])[0])
        np.testing.assert_array_equal(f(t=[3.0, 4.0], w=[1.0, 1.0]), [3, 4])
        with self.assertRaisesRegex(dyn.InvalidArgument, "'u'.*t, w"):
            f(t=[3.0, 4.0], u=1.0)
        with self.assertRaises(dyn.ShapeError):
            f(t=[3.0, 4.0], w=[1.0])


class Profile(unittest.TestCase):
    def test_steps_have_time_and_the_bytes_of_what_they_read_and_write(self):
        g = dyn.Graph()
        x, w = g.input("x", (400, 30)), g.parameter("W", (30, 20))
        f = g.compile(dyn.tanh(x @ w))
        with self.assertRaisesRegex(dyn.StateError, "not bound"):
            f.profile()
        arrays = {"x": np.ones((400, 30)), "W": np.ones((30, 20))}
        for name, a in arrays.items():
            f.bind(name, a)
        out = np.empty((400, 20))
        f.bind_output(0, out)
        steps = f.profile(repeats=3)
        self.assertEqual(sum(step.bytes for step in steps), 8 * (400 * 30 + 30 * 20 + 400 * 20))
        self.assertTrue(all(0 < step.seconds < 1 and step.instructions > 0 for step in steps))
        self.assertIn("tiles", steps[0].text)
        np.testing.assert_allclose(out, 1)
        with self.assertRaises(dyn.Error):
            f.profile(repeats=0)


if __name__ == "__main__":
    unittest.main()
