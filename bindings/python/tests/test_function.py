# SPDX-License-Identifier: BSD-3-Clause
"""Objectives of any function of models and data: against NumPy and closed forms."""
import tempfile
import inspect
import unittest
from pathlib import Path

import numpy as np

import dyn

RNG = np.random.default_rng(7)
X = RNG.normal(size=(24, 3))
Y = RNG.normal(size=24)


def pearson(net, x, y):
    f, t = (v - v.mean() for v in (net(x)[:, 0], y))
    return 1 - (f * t).sum() / dyn.sqrt((f**2).sum() * (t**2).sum())


def net_of(*widths, seed=1):
    return dyn.mlp(widths, seed=seed)


def dense(operator):
    return operator @ np.eye(operator.shape[0])


class Coupled(unittest.TestCase):
    def setUp(self):
        self.loss = dyn.Objective(pearson, net_of(3, 8, 1), x=X, y=Y)
        self.theta = self.loss.initial()

    def test_value_and_derivatives(self):
        f = self.loss.model(self.theta, X)[:, 0]
        self.assertAlmostEqual(self.loss.value(self.theta), 1 - np.corrcoef(f, Y)[0, 1], places=13)
        self.assertTrue(self.loss.check_gradient(self.theta).passed)
        self.assertTrue(self.loss.check_hessian(self.theta).passed)

    def test_what_needs_separate_samples_is_refused_with_the_node(self):
        self.assertIn("sum", self.loss.coupling)
        for call in (lambda: self.loss.sample_gradients(self.theta), lambda: self.loss.jacobian(self.theta),
                     lambda: dyn.Run(self.loss, batch=7)):
            with self.assertRaisesRegex(dyn.NotSupported, "joins samples at node"):
                call()
        with self.assertRaises(dyn.LimitReached):
            dyn.Objective(pearson, net_of(3, 8, 1), x=X, y=Y, memory_limit=3000).gradient(self.theta)

    def test_batches_that_divide(self):
        run = dyn.Run(self.loss, optimizer=dyn.Adam(1e-2), batch=12)
        self.assertLess(run.train(200, progress=False).objective.value(run.theta), 0.2)

    def test_a_coupled_model(self):
        def build(g, x):
            h = x @ g.parameter("W1", (3, 4))
            return (h - h.mean(axis=0)) @ g.parameter("W2", (4, 1))
        objective = dyn.Objective(dyn.Model.from_function(build, (3,)), X, Y)
        theta = objective.initial()
        w1, w2 = theta[:12].reshape(3, 4), theta[12:].reshape(4, 1)
        h = X @ w1
        self.assertAlmostEqual(objective.value(theta), np.mean(((h - h.mean(0)) @ w2 - Y[:, None])**2), places=13)
        with self.assertRaisesRegex(dyn.NotSupported, "joins samples"):
            objective.jacobian(theta)


class Physics(unittest.TestCase):
    """u'' + u = 0, u(0) = 0, u'(0) = 1 for u = a sin(b t) + c: residuals in closed form."""

    def setUp(self):
        def build(g, t):
            a, b, c = (g.parameter(name, (1,)) for name in "abc")
            return a * dyn.sin(b * t) + c
        self.u = dyn.Model.from_function(build, t=(1,))
        self.t = np.linspace(0, 2, 9).reshape(-1, 1)

        def equation(u, t):
            v = u(t)
            return dyn.residual(dyn.derivative(v, t, order=2) + v)[:, 0]**2

        def slope(u, t):
            return dyn.residual(dyn.derivative(u(t), t) - 1)[:, 0]**2
        self.loss = dyn.Objective(equation, self.u, t=self.t) + 2.0 * dyn.Objective(slope, self.u, t=np.zeros((1, 1)))

    def residuals(self, theta):
        a, b, c = theta
        return a * (1 - b * b) * np.sin(b * self.t[:, 0]) + c, a * b - 1

    def test_terms(self):
        theta = np.array([1.5, 0.7, 0.2])
        inside, start = self.residuals(theta)
        terms = self.loss.term_values(theta)
        self.assertEqual(list(terms), ["equation", "slope"])
        self.assertAlmostEqual(terms["equation"], np.mean(inside**2), places=14)
        self.assertAlmostEqual(terms["slope"], start**2, places=14)
        self.assertAlmostEqual(self.loss.value(theta), np.mean(inside**2) + 2 * start**2, places=14)
        run = dyn.Run(self.loss, theta=theta).train(3, progress=False)
        self.assertAlmostEqual(run.history["equation"][0], np.mean(inside**2), places=14)

    def test_gauss_newton_cuts_at_the_residuals(self):
        a, b, c = theta = np.array([1.5, 0.7, 0.2])
        t = self.t[:, 0]
        j = np.stack([(1 - b * b) * np.sin(b * t), a * (-2 * b * np.sin(b * t) + (1 - b * b) * t * np.cos(b * t)),
                      np.ones_like(t)], axis=1)
        s = np.array([[b, a, 0]])
        np.testing.assert_allclose(dense(self.loss.ggn(theta)), 2 * j.T @ j / len(t) + 4 * s.T @ s, rtol=1e-12, atol=1e-13)
        self.assertTrue(self.loss.check_hessian(theta).passed)

    def test_a_loss_that_is_not_of_the_outputs_alone(self):
        def equation(u, t):
            v = u(t)
            return (dyn.derivative(v, t) + v)[:, 0]**2
        with self.assertRaisesRegex(dyn.NotSupported, "mark the residual"):
            dyn.Objective(equation, self.u, t=self.t).ggn([1, 2, 3])


class Models(unittest.TestCase):
    def test_two_models_and_a_penalty(self):
        a, b = net_of(3, 4, 1), net_of(3, 5, 1, seed=2)

        def product(first, second, x, y):
            return {"fit": (first(x)[:, 0] * second(x)[:, 0] - y)**2}
        loss = dyn.Objective(product, a, b, x=X, y=Y, l2=0.1)
        self.assertEqual(list(loss.tensors), [f"{m}.{t}" for m in ("first", "second") for t in ("W1", "b1", "W2", "b2")])
        theta = loss.initial()
        f, g = a(theta[:a.size], X)[:, 0], b(theta[a.size:], X)[:, 0]
        self.assertAlmostEqual(loss.value(theta), np.mean((f * g - Y)**2) + 0.05 * theta @ theta, places=13)
        self.assertTrue(loss.check_hessian(theta).passed)
        ja, jb = (dyn.Objective(m, X, Y).jacobian(t)[:, 0] for m, t in ((a, theta[:a.size]), (b, theta[a.size:])))
        jacobian = np.hstack([ja, jb])      # cut at both outputs: H in (f, g) is 2 [[g^2, 2 f g - y], [.., f^2]] / n
        expected = 0.1 * np.eye(loss.size)
        for i in range(len(X)):
            rows = np.stack([np.r_[ja[i], np.zeros(b.size)], np.r_[np.zeros(a.size), jb[i]]])
            h = 2 * np.array([[g[i]**2, 2 * f[i] * g[i] - Y[i]], [2 * f[i] * g[i] - Y[i], f[i]**2]]) / len(X)
            expected += rows.T @ h @ rows
        np.testing.assert_allclose(dense(loss.ggn(theta)), expected, atol=1e-12)
        self.assertEqual(jacobian.shape, (len(X), loss.size))

    def test_a_model_called_twice_has_one_set_of_parameters(self):
        net = net_of(3, 4, 1)

        def contrast(net, x, z):
            return (net(x) - net(z))[:, 0]**2
        loss = dyn.Objective(contrast, net, x=X, z=X[::-1].copy())
        theta = loss.initial()
        self.assertEqual(loss.size, net.size)
        self.assertAlmostEqual(loss.value(theta), np.mean((net(theta, X) - net(theta, X[::-1]))**2), places=13)

    def test_a_frozen_teacher_can_be_exchanged(self):
        student, teacher = net_of(3, 4, 2), net_of(3, 6, 2, seed=5)

        def distil(net, x, teacher):
            return ((net(x) - teacher(x))**2).sum(axis=1)
        loss = dyn.Objective(distil, student, x=X, teacher=dyn.frozen(teacher))
        self.assertEqual(loss.size, student.size)
        theta = loss.initial()
        for tau in (teacher.initial(), teacher.initial(9)):
            loss.set_data("teacher", tau)
            expected = np.mean(np.sum((student(theta, X) - teacher(tau, X))**2, axis=1))
            self.assertAlmostEqual(loss.value(theta), expected, places=13)

    def test_two_inputs_one_of_indices(self):
        table, tokens = RNG.normal(size=(5, 3)), RNG.integers(0, 5, size=24)

        def build(g, token, x):
            return (g.parameter("E", (5, 3)).gather(token) * x).sum(axis=1)
        net = dyn.Model.from_function(build, token=dyn.Indices(), x=(3,))
        loss = dyn.Objective(lambda net, token, x, y: (net(token, x) - y)**2, net, token=tokens, x=X, y=Y)
        f = (table[tokens] * X).sum(axis=1)
        self.assertAlmostEqual(loss.value(table.ravel()), np.mean((f - Y)**2), places=13)
        gradient = np.zeros_like(table)
        np.add.at(gradient, tokens, (2 * (f - Y) / 24)[:, None] * X)
        np.testing.assert_allclose(loss.gradient(table.ravel())[1], gradient.ravel(), atol=1e-14)
        run = dyn.Run(loss, batch=8, optimizer=dyn.GD(0.1), theta=np.zeros(15)).train(500, progress=False)
        self.assertLess(loss.gradient(run.theta)[1] @ loss.gradient(run.theta)[1], 1e-2)


class Weights(unittest.TestCase):
    def test_own_loss_with_weights(self):
        net, w = net_of(3, 6, 1), RNG.uniform(size=24)

        def huber(f, y, w):
            e = f[:, 0] - y
            return w * dyn.where(abs(e) > 1, abs(e) - 0.5, e**2 / 2)
        own = dyn.Objective(net, X, Y, loss=huber, weight=w)
        built_in = dyn.Objective(net, X, Y, loss="huber", delta=1.0, weight=w)
        theta = own.initial() * 3
        e = net(theta, X)[:, 0] - Y
        self.assertAlmostEqual(own.value(theta), np.mean(w * np.where(abs(e) > 1, abs(e) - .5, e * e / 2)), places=13)
        self.assertAlmostEqual(own.value(theta), built_in.value(theta), places=13)
        j = own.jacobian(theta)[:, 0]
        expected = (j * (w * (abs(e) <= 1) / 24)[:, None]).T @ j
        np.testing.assert_allclose(dense(own.ggn(theta)), expected, atol=1e-13)
        np.testing.assert_allclose(dense(built_in.ggn(theta)), expected, atol=1e-13)
        np.testing.assert_allclose(own.sample_gradients(theta).mean(axis=0), own.gradient(theta)[1], atol=1e-14)

    def test_chunks_add_up(self):
        def fit(net, x, y):
            return {"fit": (net(x)[:, 0] - y)**2, "size": (net(x)**2)[:, 0] * 0.1}
        theta = net_of(3, 64, 1).initial()
        whole = dyn.Objective(fit, net_of(3, 64, 1), x=X, y=Y)
        parts = dyn.Objective(fit, net_of(3, 64, 1), x=X, y=Y, memory_limit=20000)
        np.testing.assert_allclose(parts.gradient(theta)[1], whole.gradient(theta)[1], rtol=1e-11, atol=1e-15)
        for name, value in whole.term_values(theta).items():
            self.assertAlmostEqual(parts.term_values(theta)[name], value, places=13)


class Losses(unittest.TestCase):
    """A network that passes its input on, so that the outputs are given numbers."""

    def objective(self, f, y, **options):
        f = np.asarray(f, dtype=np.float64)
        net = dyn.Model.from_function(lambda g, x: x * g.parameter("a", (1,)), f.shape[1:])
        return dyn.Objective(net, f, y, **options)

    def value(self, f, y, **options):
        return self.objective(f, y, **options).value([1.0])

    def test_large_logits(self):
        self.assertAlmostEqual(self.value([[1e8, 1e8]], [0], loss="cross_entropy", dtype="float32"), np.log(2), places=6)
        for dtype, f, expected in (("float32", 15.0, 3.0590232e-07), ("float64", 40.0, 4.248354255291589e-18)):
            o = self.objective([[f]], [1.0], loss="binary_cross_entropy", dtype=dtype)
            self.assertAlmostEqual(o.value([1.0]) / expected, 1, places=6)
            self.assertAlmostEqual(o.gradient([1.0])[1][0] / (-f * expected), 1, places=6)

    def test_positions(self):
        f = RNG.normal(size=(6, 4, 5))
        y = RNG.integers(0, 5, size=(6, 4))
        log_p = f - np.log(np.exp(f).sum(-1, keepdims=True))
        expected = -np.take_along_axis(log_p, y[..., None], -1).mean()
        self.assertAlmostEqual(self.value(f, y, loss="cross_entropy"), expected, places=13)
        self.assertAlmostEqual(self.value(f, np.eye(5)[y], loss="cross_entropy"), expected, places=13)
        self.assertAlmostEqual(self.objective(f, y, loss="cross_entropy").accuracy([1.0]), (f.argmax(-1) == y).mean())
        mask = RNG.integers(0, 2, size=(6, 4))
        masked = -(np.take_along_axis(log_p, y[..., None], -1)[..., 0] * mask).sum() / 24
        self.assertAlmostEqual(self.value(f, y, loss="cross_entropy", weight=mask), masked, places=13)

    def test_values_of_public_reports(self):
        self.assertAlmostEqual(self.value([[3.0]], [0.0], loss="huber", delta=2.0), 4.0)
        self.assertAlmostEqual(self.value([[2.0, 0, 0]], [0], loss="cross_entropy", label_smoothing=.1), .372878, places=6)
        self.assertAlmostEqual(self.value([[0.5, 0.5]], [[0.0, 1.0]], loss="kl"), .693147, places=6)
        self.assertAlmostEqual(self.value([[0.0], [0.0]], [1.0, 0.0], loss="binary_cross_entropy", weight=[3, 1]), 1.386294,
                               places=6)

    def test_accuracy(self):
        bce = self.objective([[2.0, -1], [-1, 1], [3, 3], [-1, -2]], [[1.0, 0], [0, 1], [1, 1], [0, 0]],
                             loss="binary_cross_entropy")
        self.assertEqual(bce.accuracy([1.0]), 1.0)
        signs = self.objective([[0.2], [-0.3], [0.4]], [1.0, -1.0, 1.0])
        self.assertEqual(signs.accuracy([1.0]), 1.0)

    def test_targets_are_checked(self):
        for f, y, loss, text in (([[1.0]], [-1.0], "binary_cross_entropy", "number 0 is -1"),
                                 ([[1.0, 2]], [[-1.0, 1]], "cross_entropy", "number 0 is -1"),
                                 ([[1.0, 2]], [2], "cross_entropy", "number 0 is 2"),
                                 ([[1.0]], [1.0], "cross_entropy", "two outputs")):
            with self.assertRaisesRegex(dyn.Error, text):
                self.objective(f, y, loss=loss)


class Validation(unittest.TestCase):
    def run_of(self, **options):
        x = np.linspace(-1, 1, 20)
        return dyn.Run(net_of(1, 30, 1), x, np.sin(3 * x) + 0.3 * RNG.normal(size=20), optimizer=dyn.Adam(0.02),
                       validation=(x + 0.05, np.sin(3 * x + 0.15)), validate_every=10, **options)

    def test_early_stop_and_best(self):
        run = self.run_of(patience=5).train(5000, progress=False)
        self.assertEqual(run.reason, "patience")
        looks = ~np.isnan(run.history["validation_loss"])
        losses, steps = run.history["validation_loss"][looks], run.history["step"][looks]
        self.assertEqual(run.best_loss, losses.min())
        self.assertEqual(run.best_step, steps[losses.argmin()])
        self.assertEqual(run.validation.value(run.best), run.best_loss)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "run.npz")
            run.save(path)
            objective = run.objective
            again = dyn.Run.load(path, objective, optimizer=dyn.Adam(0.02), validation=run.validation, validate_every=10,
                                 patience=5)
            np.testing.assert_array_equal(again.best, run.best)
            np.testing.assert_array_equal(again.history["validation_loss"], run.history["validation_loss"])

    def test_without(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "without a validation"):
            dyn.Run(net_of(1, 3, 1), [1.0], [2.0], patience=3)
        with self.assertRaises(dyn.StateError):
            dyn.Run(net_of(1, 3, 1), [1.0], [2.0]).best


class States(unittest.TestCase):
    def test_running_mean(self):
        """A state m <- 0.9 m + 0.1 mean(x), read by measurements, not by training."""
        def build(g, x):
            m = g.state("m", (3,), 0.5)
            if g.training:
                g.update(m, 0.9 * m + 0.1 * x.mean(axis=0))
                m = x.mean(axis=0)
            return (x - m) @ g.parameter("W", (3, 1))
        x = X + 2
        run = dyn.Run(dyn.Model.from_function(build, (3,)), x, Y, optimizer=dyn.GD(0.0), theta=np.ones(3))
        run.measure(lambda s: s.run.objective.value(s.theta), name="measured", every=1)
        run.train(3, progress=False)
        m = np.full(3, 0.5)
        for k in range(4):
            expected = np.mean((((x - m) @ np.ones(3)) - Y)**2)
            self.assertAlmostEqual(run["measured"].values[k], expected, places=12)
            m = 0.9 * m + 0.1 * x.mean(axis=0)


class Frozen(unittest.TestCase):
    def test_what_is_left_is_the_whole_in_those_coordinates(self):
        net = net_of(3, 6, 1)
        theta = net.initial()
        tuned = net.freeze("W1", theta=theta)
        self.assertEqual(list(tuned.tensors), ["b1", "W2", "b2"])
        start = tuned.initial()
        whole, part = dyn.Objective(net, X, Y), dyn.Objective(tuned, X, Y)
        self.assertEqual(part.value(start), whole.value(theta))
        np.testing.assert_allclose(part.gradient(start)[1], whole.gradient(theta)[1][18:], atol=1e-15)
        np.testing.assert_allclose(dense(part.hessian(start)), dense(whole.hessian(theta))[18:, 18:], atol=1e-14)
        run = dyn.Run(tuned, X, Y, optimizer=dyn.AdamW(0.01, weight_decay=0.1)).train(20, progress=False)
        moved = tuned.expand(run.theta)
        np.testing.assert_array_equal(moved[:18], theta[:18])
        self.assertFalse(np.array_equal(moved[18:], theta[18:]))
        np.testing.assert_array_equal(tuned.contract(moved), run.theta)

    def test_patterns_that_match_nothing_or_everything(self):
        net = net_of(3, 6, 1)
        for patterns, text in ((("V*",), 'no tensor\'s name matches "V'), (("*",), "all tensors"), ((), "patterns")):
            with self.assertRaisesRegex(dyn.InvalidArgument, text):
                net.freeze(*patterns, theta=net.initial())


class Inside(unittest.TestCase):
    def test_hidden_values_and_their_gradients(self):
        def build(g, x):
            h = g.name("hidden", dyn.tanh(x @ g.parameter("W1", (3, 4))))
            return g.name("logits", h @ g.parameter("W2", (4, 1)))
        loss = dyn.Objective(dyn.Model.from_function(build, (3,)), X, Y)
        theta = loss.initial()
        self.assertEqual(loss.names, {"hidden": (24, 4), "logits": (24, 1)})
        h = np.tanh(X @ theta[:12].reshape(3, 4))
        e = h @ theta[12:] - Y
        values, gradients = loss.inside(theta, "hidden", "logits", gradient=True)
        np.testing.assert_allclose(values["hidden"], h, atol=1e-15)
        np.testing.assert_allclose(gradients["hidden"], 2 / 24 * np.outer(e, theta[12:]), atol=1e-15)
        np.testing.assert_allclose(gradients["logits"][:, 0], 2 / 24 * e, atol=1e-15)
        with self.assertRaisesRegex(dyn.InvalidArgument, "no tensor inside"):
            loss.inside(theta, "logit")

    def test_many_points_at_once(self):
        loss = dyn.Objective(net_of(3, 4, 1), X, Y)
        line = np.linspace(0, 1, 5)[:, None] * loss.initial()
        np.testing.assert_array_equal(loss.values(line), [loss.value(t) for t in line])


class Random(unittest.TestCase):
    """Noise on the inputs: of one network f = w x with loss (w (x + e) - y)^2, whose derivatives are known for known e."""

    def objective(self, **options):
        def noisy(net, x, y):
            return (net(x + 0.5 * dyn.normal_like(x))[:, 0] - y)**2
        net = dyn.Model.from_function(lambda g, x: x @ g.parameter("w", (3, 1)), (3,))
        return dyn.Objective(noisy, net, x=X, y=Y, **options)

    def test_new_at_every_step_and_the_same_for_gradient_and_curvature(self):
        loss = self.objective()
        run = dyn.Run(loss, optimizer=dyn.GD(0.0), theta=np.zeros(3), seed=4)
        seen = []

        def look(state):
            h = dense(state.run.objective.hessian(state.theta))
            g = state.run.objective.gradient(state.theta)[1]
            seen.append((state.gradient.copy(), g, h))
            return [0.0]
        run.measure(look, name="look", every=1)
        run.train(3, progress=False)
        for gradient, measured, h in seen:
            np.testing.assert_array_equal(gradient, measured)
            self.assertTrue(np.all(np.linalg.eigvalsh(h) > 0))
        self.assertFalse(np.allclose(seen[0][0], seen[1][0]))
        gradient, _, h = seen[2]
        # with z = x + e/2: H = 2 z'z/n, gradient at 0 = -2 z'y/n; the same z in both solves the least squares
        w = np.linalg.solve(h, -gradient)
        fresh = dyn.Run(loss, optimizer=dyn.GD(0.0), theta=w, seed=4)
        fresh.measure(lambda s: s.gradient.copy(), name="g", every=1)
        fresh.train(3, progress=False)
        np.testing.assert_allclose(fresh["g"].values[2], 0, atol=1e-13)

    def test_the_same_however_the_samples_are_cut(self):
        theta = np.array([1.0, -2, 0.5])
        whole, parts = self.objective(), self.objective(memory_limit=2000)
        self.assertAlmostEqual(whole.value(theta), parts.value(theta), places=12)
        np.testing.assert_allclose(whole.sample_gradients(theta).mean(axis=0), whole.gradient(theta)[1], atol=1e-13)

    def test_moments(self):
        def drawn(net, x):
            e, u = dyn.normal_like(x), dyn.uniform_like(x)
            return {"mean": e.mean(axis=1), "square": (e**2).mean(axis=1), "fourth": (e**4).mean(axis=1),
                    "uniform": u.mean(axis=1), "weight": net(x)[:, 0] * 0.0}
        net = dyn.mlp([50, 1], seed=1)
        terms = dyn.Objective(drawn, net, x=np.zeros((4000, 50))).term_values(net.initial())
        for name, expected, deviation in (("mean", 0, 1), ("square", 1, 2**.5), ("fourth", 3, 96**.5), ("uniform", .5, .29)):
            self.assertLess(abs(terms[name] - expected), 5 * deviation / 200000**.5, name)


def line_of(function, text):
    """File and line where the function's source has the text, as errors say it."""
    lines, first = inspect.getsourcelines(function)
    at = next(i for i, line in enumerate(lines) if text in line)
    return f"({__file__}, line {first + at})"


class Places(unittest.TestCase):
    """What is wrong with a node is said with the line that made it, also when it shows later than there."""

    def setUp(self):
        self.net, self.x = dyn.mlp([2, 1], seed=1), np.linspace(-1, 1, 24).reshape(12, 2)

    def test_a_term_of_the_wrong_shape(self):
        def loss(net, x):
            f = net(x)
            twice = 2 * f
            return twice
        with self.assertRaises(dyn.ShapeError) as raised:
            dyn.Objective(loss, self.net, x=self.x)
        self.assertIn("has shape [12, 1], expected [12]", str(raised.exception))
        self.assertIn(line_of(loss, "2 * f"), str(raised.exception))

    def test_what_joins_samples(self):
        def loss(net, x):
            f = net(x)[:, 0]
            centred = f - f.mean()
            return centred**2
        objective = dyn.Objective(loss, self.net, x=self.x)
        with self.assertRaises(dyn.NotSupported) as raised:
            dyn.Run(objective, batch=5)
        self.assertIn("joins samples at node", str(raised.exception))
        self.assertIn(line_of(loss, "f.mean()"), str(raised.exception))

    def test_what_is_not_finite(self):
        def loss(net, x):
            f = net(x)[:, 0]
            return dyn.log(f)
        found = dyn.Objective(loss, self.net, x=self.x).first_nonfinite(self.net.initial())
        self.assertIn("log of shape [12]", found)
        self.assertIn(line_of(loss, "dyn.log"), found)

    def test_in_a_model_of_the_users(self):
        def line(g, x):
            w = g.parameter("w", (1, 1))
            return dyn.log(x @ w)
        net = dyn.Model.from_function(line, input_shape=(1,))
        found = dyn.Objective(net, [[1.0]], [[0.0]]).first_nonfinite([-1.0])
        self.assertIn(line_of(line, "dyn.log"), found)

    def test_another_objective_has_other_lines(self):
        def first(net, x):
            return dyn.log(net(x)[:, 0])

        def second(net, x):
            return dyn.sqrt(net(x)[:, 0])
        one, two = (dyn.Objective(f, self.net, x=self.x) for f in (first, second))
        self.assertIn(line_of(first, "dyn.log"), one.first_nonfinite(self.net.initial()))
        self.assertIn(line_of(second, "dyn.sqrt"), two.first_nonfinite(self.net.initial()))


if __name__ == "__main__":
    unittest.main()
