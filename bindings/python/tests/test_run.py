# SPDX-License-Identifier: BSD-3-Clause
"""Runs: trajectories against closed forms, stop and resume, Ctrl-C, observers."""
import csv
import os
import signal
import tempfile
import threading
import time
import unittest

import numpy as np

import dyn
from support import interrupt_after, quadratic, wave


class Trajectories(unittest.TestCase):
    def test_gradient_descent_on_a_quadratic(self):
        h, start = np.array([1.0, 0.5, 0.1]), np.array([1.0, -2.0, 3.0])
        run = dyn.Run(quadratic(h), optimizer=dyn.GD(0.3), theta=start).train(25)
        np.testing.assert_allclose(run.theta, (1 - 0.3 * h)**25 * start, rtol=1e-13)
        powers = (1 - 0.3 * h)**np.arange(26)[:, None] * start
        np.testing.assert_allclose(run.history["loss"], 0.5 * np.sum(h * powers**2, 1), rtol=1e-12)
        np.testing.assert_allclose(run.history["gradient_norm"], np.linalg.norm(h * powers, axis=1), rtol=1e-12)
        np.testing.assert_array_equal(run.history["step"], np.arange(26))
        self.assertEqual(set(run.history["rate"]), {0.3})

    def test_lbfgs_meets_the_minimum_of_a_quadratic(self):
        h = np.array([1.0, 4.0, 25.0])
        run = dyn.Run(quadratic(h), optimizer=dyn.LBFGS(), gradient_tolerance=1e-12, theta=[1.0, -2.0, 3.0]).train(100)
        self.assertEqual(run.reason, "gradient")
        self.assertLess(np.abs(h * run.theta).max(), 1e-12)
        first = run.history["gradient_norm"][0]
        self.assertAlmostEqual(run.history["rate"][2], 1.0)
        self.assertAlmostEqual(first, np.linalg.norm(h * [1.0, -2.0, 3.0]))

    def test_lbfgs_in_a_run_goes_as_minimise_and_on_as_if_never_stopped(self):
        x, y = wave()
        for dtype in ("float64", "float32"):
            options = {"optimizer": dyn.LBFGS(memory=5), "dtype": dtype}
            whole = dyn.Run(dyn.mlp([1, 8, 1], seed=1), x, y, **options).train(60)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "run.npz")
                dyn.Run(dyn.mlp([1, 8, 1], seed=1), x, y, **options).train(23).save(path)
                again = dyn.Run.load(path, x=x, y=y).train(37)
                self.assertEqual(again.optimizer, dyn.LBFGS(memory=5))
                with self.assertRaisesRegex(dyn.Error, "memory is 6, in the checkpoint it is 5"):
                    dyn.Run.load(path, x=x, y=y, optimizer=dyn.LBFGS(memory=6))
            np.testing.assert_array_equal(again.theta, whole.theta)
            for column in ("loss", "gradient_norm", "rate"):
                np.testing.assert_array_equal(again.history[column], whole.history[column])
        losses = []
        dyn.minimise(dyn.mlp([1, 8, 1], seed=1), x, y, method=dyn.LBFGS(memory=5), max_evaluations=40,
                     progress=lambda words: losses.append(float(words.split("value ")[1].split(",")[0])))
        run = dyn.Run(dyn.mlp([1, 8, 1], seed=1), x, y, optimizer=dyn.LBFGS(memory=5)).train(len(losses))
        np.testing.assert_allclose(run.history["loss"][:len(losses)], losses, rtol=1e-5)

    def test_lbfgs_ends_where_nothing_goes_down(self):
        wrong = dyn.Objective.from_functions(1, lambda t: float(t @ t), lambda t: (float(t @ t), -t))
        run = dyn.Run(wrong, theta=[1.0], optimizer=dyn.LBFGS()).train(10)
        self.assertEqual((run.reason, run.step), ("stalled", 0))

    def test_lbfgs_refuses_what_it_cannot_use(self):
        x, y = wave()
        with self.assertRaisesRegex(dyn.Error, "losses of all samples, batch is 5"):
            dyn.Run(dyn.mlp([1, 1]), x, y, optimizer=dyn.LBFGS(), batch=5)

        def noisy(net, x):
            return (net(x + dyn.normal_like(x)))[:, 0]**2
        run = dyn.Run(dyn.Objective(noisy, dyn.mlp([1, 1]), x=x.reshape(-1, 1)), optimizer=dyn.LBFGS())
        with self.assertRaisesRegex(dyn.Error, "drawn anew"):
            run.train(1)
        with self.assertRaisesRegex(dyn.Error, "needs a run"):
            dyn.Stepper(dyn.LBFGS(), 2)

    def test_averages_on_a_quadratic(self):
        h, start = np.array([1.0, 0.5]), np.array([1.0, -2.0])
        path = (1 - 0.3 * h)**np.arange(11)[:, None] * start
        run = dyn.Run(quadratic(h), optimizer=dyn.GD(0.3), theta=start, ema=0.9, mean_from=4)
        np.testing.assert_array_equal(run.ema, start)
        seen = []
        run.measure(lambda state: seen.append(state.run.ema), name="ema", at=3)
        run.train(10)
        weights = 0.1 * 0.9**np.arange(10, -1, -1)
        weights[0] *= 10
        np.testing.assert_allclose(run.ema, weights @ path, rtol=1e-13)
        np.testing.assert_allclose(run.mean, path[4:].mean(0), rtol=1e-13)
        np.testing.assert_allclose(seen[0], [0.729, 0.081, 0.09, 0.1] @ path[:4], rtol=1e-13)

    def test_averages_that_are_not_there(self):
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.3), theta=[1.0], mean_from=4)
        with self.assertRaisesRegex(dyn.StateError, "no ema .* takes ema"):
            run.ema
        with self.assertRaisesRegex(dyn.StateError, "begins with step 4"):
            run.mean
        with self.assertRaisesRegex(dyn.Error, "ema is 1, "):
            dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.3), theta=[1.0], ema=1.0)

    def test_optimisers_against_numpy(self):
        h, start, steps = np.array([2.0, 0.3]), np.array([1.0, -1.5]), 30
        for optimizer, rule in ((dyn.HeavyBall(0.1, beta=0.8), heavy_ball), (dyn.Nesterov(0.1, beta=0.8), nesterov),
                                (dyn.Adam(0.1, beta1=0.8, beta2=0.95, eps=1e-6), adam), (dyn.SignGD(0.01), sign),
                                (dyn.RMSprop(0.05, beta=0.9), rmsprop)):
            run = dyn.Run(quadratic(h), optimizer=optimizer, theta=start).train(steps)
            np.testing.assert_allclose(run.theta, rule(h, start, steps), rtol=1e-11, err_msg=optimizer.kind)

    def test_decay_and_clipping(self):
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.1, weight_decay=0.5), theta=[1.0]).train(3)
        self.assertAlmostEqual(run.theta[0], (1 - 0.15)**3, delta=1e-15)
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.1, clip_norm=0.5), theta=[2.0]).train(1)
        self.assertAlmostEqual(run.theta[0], 2 - 0.05, delta=1e-15)

    def test_schedules(self):
        def rates(rate):
            return dyn.Run(quadratic([1.0]), optimizer=dyn.GD(rate), theta=[1.0]).train(10).history["rate"][:10]
        t = np.arange(10)
        np.testing.assert_allclose(rates(dyn.step(0.1, 4, factor=0.5)), 0.1 * 0.5**(t // 4), rtol=1e-14)
        np.testing.assert_allclose(rates(dyn.cosine(0.1, 10)), 0.05 * (1 + np.cos(np.pi * t / 10)), rtol=1e-13)
        np.testing.assert_allclose(rates(dyn.constant(0.1).after_warmup(5)), 0.1 * np.minimum(t / 5, 1), rtol=1e-14)

    def test_zero_is_zero_and_not_the_default(self):
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.HeavyBall(0.1, beta=0.0), theta=[1.0]).train(5)
        self.assertAlmostEqual(run.theta[0], 0.9**5, delta=1e-15)


def heavy_ball(h, theta, steps):
    m = 0
    for _ in range(steps):
        m = 0.8 * m + h * theta
        theta = theta - 0.1 * m
    return theta


def nesterov(h, theta, steps):
    m = 0
    for _ in range(steps):
        g = h * theta
        m = 0.8 * m + g
        theta = theta - 0.1 * (g + 0.8 * m)
    return theta


def adam(h, theta, steps):
    m = v = 0
    for t in range(1, steps + 1):
        g = h * theta
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
        theta = theta - 0.1 * m / (1 - 0.8**t) / (np.sqrt(v / (1 - 0.95**t)) + 1e-6)
    return theta


def rmsprop(h, theta, steps):
    v = 0
    for _ in range(steps):
        g = h * theta
        v = 0.9 * v + 0.1 * g * g
        theta = theta - 0.05 * g / (np.sqrt(v) + 1e-8)
    return theta


def sign(h, theta, steps):
    for _ in range(steps):
        theta = theta - 0.01 * np.sign(theta)
    return theta


class Set(unittest.TestCase):
    """theta set between steps: GD on (w - 2)^2 goes on from there."""

    def test_theta(self):
        run = dyn.Run(dyn.mlp([1, 1], bias=False), [[1.0]], [[2.0]], optimizer=dyn.GD(0.25), theta=[0.0]).train(2)
        run.theta = [10.0]
        self.assertEqual(run.train(1).theta[0], 6.0)
        self.assertEqual((run.step, list(run.history["step"])), (3, [0, 1, 2, 3]))
        with self.assertRaisesRegex(dyn.Error, "theta"):
            run.theta = [1.0, 2.0]
        with self.assertRaisesRegex(AttributeError, "cannot be set"):
            run.step = 7

    def test_in_the_type_of_the_run(self):
        loss = dyn.Objective(dyn.mlp([1, 1], bias=False), [[1.0]], [[2.0]], dtype="float32")
        run = dyn.Run(loss, optimizer=dyn.GD(0.25), theta=[0.0])
        run.parameters = np.float32([0.1])
        self.assertEqual(run.theta[0], float(np.float32(0.1)))
        with self.assertRaisesRegex(dyn.Error, "float64, the run's is float32"):
            run.parameters = np.array([0.1])


class Ends(unittest.TestCase):
    def run_on_wave(self, **options):
        return dyn.Run(dyn.mlp([1, 10, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2), **options)

    def test_reasons(self):
        run = self.run_on_wave(steps=30)
        self.assertEqual((run.step, run.reason), (0, "ready"))
        self.assertEqual((run.train(10).step, run.reason), (10, "ready"))
        self.assertEqual((run.train().step, run.reason), (30, "steps"))
        run = self.run_on_wave(stop_loss=0.1).train(5000)
        self.assertEqual(run.reason, "loss")
        self.assertLessEqual(run.history["loss"][-1], 0.1)
        self.assertIn("0.09", repr(run))

    def test_not_finite(self):
        run = dyn.Run(dyn.mlp([1, 10, 1]), *wave(), optimizer=dyn.GD(1e200))
        with self.assertRaisesRegex(dyn.NonFinite, "dyn_run_train"):
            run.train(100)
        self.assertEqual(run.reason, "nonfinite")
        self.assertTrue(np.all(np.isfinite(run.history["loss"])))

    def test_batches_visit_every_sample(self):
        run = self.run_on_wave(batch=7, seed=3).train(6)
        again = self.run_on_wave(batch=7, seed=3).train(6)
        np.testing.assert_array_equal(run.theta, again.theta)
        self.assertTrue(np.any(run.theta != self.run_on_wave(batch=7, seed=4).train(6).theta))

    def test_classification(self):
        x, y = dyn.data.digits()
        run = dyn.Run(dyn.mlp([64, 16, 10]), x[:300], y[:300], "cross_entropy", dyn.Adam(1e-2), dtype="float32",
                      stop_accuracy=0.9, accuracy_every=5).train(2000)
        self.assertEqual(run.reason, "accuracy")
        self.assertGreaterEqual(run.accuracy(), 0.9)
        self.assertEqual(run.accuracy(), np.mean(run.predict().argmax(1) == y[:300].argmax(1)))
        self.assertEqual(run.predict(x[:5]).shape, (5, 10))
        self.assertGreaterEqual(run["accuracy"].values[-1], 0.9)

    def test_arguments(self):
        net = dyn.mlp([1, 2, 1])
        with self.assertRaisesRegex(dyn.InvalidArgument, "x and y"):
            dyn.Run(net)
        with self.assertRaisesRegex(dyn.InvalidArgument, "theta"):
            dyn.Run(quadratic([1.0]))
        with self.assertRaises(dyn.InvalidArgument):
            dyn.Run(dyn.Objective(net, *wave()), dtype="float32")
        with self.assertRaisesRegex(dyn.ShapeError, r"\[3\], expected \[7\]"):
            dyn.Run(net, *wave(), theta=np.zeros(3))
        with self.assertRaises(dyn.InvalidArgument):
            dyn.Run(net, *wave()).train(-1)
        with self.assertRaises(dyn.InvalidArgument):
            dyn.Run(net, *wave()).train()
        with self.assertRaisesRegex(KeyError, "gradient_norm"):
            dyn.Run(net, *wave()).history["losses"]


class StopAndResume(unittest.TestCase):
    def make(self, source=dyn.Run, *path):
        return source(*path, dyn.mlp([1, 12, 1], seed=2), *wave(), optimizer=dyn.Adam(1e-2), batch=6)

    def test_a_loaded_run_goes_on_bit_for_bit(self):
        whole = self.make().train(100)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            first = self.make()
            first.measure(lambda s: s.loss, name="seen", every=10)
            first.train(37).save(path)
            second = self.make(dyn.Run.load, path)
            np.testing.assert_array_equal(second["seen"].steps, [0, 10, 20, 30])
            second.measure(lambda s: s.loss, name="seen", every=10)
            second.train(63)
            self.assertTrue(np.load(path)["theta"].shape)
        np.testing.assert_array_equal(second.theta, whole.theta)
        np.testing.assert_array_equal(second.history["loss"][-50:], whole.history["loss"][-50:])
        np.testing.assert_array_equal(second["seen"].values, whole.history["loss"][::10])

    def test_other_options_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            self.make().train(3).save(path)
            with self.assertRaisesRegex(dyn.InvalidArgument, "dyn_run_load"):
                dyn.Run.load(path, dyn.mlp([1, 12, 1]), *wave(), optimizer=dyn.GD(1e-2), batch=6)
            with self.assertRaises(dyn.FileError):
                self.make(dyn.Run.load, os.path.join(folder, "none.npz"))

    def test_csv(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.csv")
            run = self.make().train(5)
            run.write_csv(path)
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
        np.testing.assert_array_equal([float(r["loss"]) for r in rows], run.history["loss"])

    def test_interrupt_stops_and_training_goes_on(self):
        usual = signal.getsignal(signal.SIGINT)
        run = self.make()
        run.measure(lambda s: s.loss, name="seen", every=100)
        timer = interrupt_after(0.3)
        with self.assertRaises(KeyboardInterrupt):
            run.train(10**9)
        timer.join()
        self.assertTrue(run.stopped)
        self.assertIs(signal.getsignal(signal.SIGINT), usual)
        stopped_at, rows = run.step, len(run.history["loss"])
        self.assertGreater(stopped_at, 0)
        self.assertGreaterEqual(rows, stopped_at)
        run.train(10)
        self.assertEqual((run.step, run.reason), (stopped_at + 10, "ready"))
        np.testing.assert_array_equal(run.theta, self.make().train(run.step).theta)

    def test_train_again_reaches_the_old_goal(self):
        run, plain = self.make(), self.make().train(50)
        run.measure(lambda s: run.stop() if s.step == 20 else None)
        run.train(50)
        self.assertTrue(run.stopped and run.step < 50)
        run.train()
        self.assertEqual(run.step, 50)
        np.testing.assert_array_equal(run.theta, plain.theta)

    def test_interrupt_reaches_a_measurement(self):
        def slow(v):
            time.sleep(0.01)
            return np.linspace(1, 2, 500)[:, None] * v
        a = dyn.Operator.from_function(slow, 500)
        timer = interrupt_after(0.2)
        with self.assertRaises(KeyboardInterrupt):
            dyn.eigh(a, k=5, tolerance=1e-14, max_products=10**9)
        timer.join()

    def test_runs_train_in_threads(self):
        losses = {}

        def work(seed):
            losses[seed] = dyn.Run(dyn.mlp([1, 8, 1], seed=seed), *wave()).train(200).theta
        threads = [threading.Thread(target=work, args=(s,)) for s in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for s in range(4):
            np.testing.assert_array_equal(losses[s], dyn.Run(dyn.mlp([1, 8, 1], seed=s), *wave()).train(200).theta)


class Observers(unittest.TestCase):
    def make(self):
        return dyn.Run(dyn.mlp([1, 4, 1]), *wave(), optimizer=dyn.GD(0.1))

    def steps(self, steps=30, **schedule):
        run = self.make()
        run.measure(lambda s: s.step, name="seen", **schedule)
        return list(run.train(steps)["seen"].steps)

    def test_schedules(self):
        self.assertEqual(self.steps(3), [0, 1, 2, 3])
        self.assertEqual(self.steps(every=10), [0, 10, 20, 30])
        self.assertEqual(self.steps(at=("start", "end")), [0, 30])
        self.assertEqual(self.steps(at=[5, 7, "end"]), [5, 7, 30])
        self.assertEqual(self.steps(100, at="log", per_decade=1), [1, 10, 100])
        with self.assertRaisesRegex(dyn.InvalidArgument, "middle"):
            self.steps(at="middle")

    def test_what_they_see(self):
        seen = []
        run = self.make()
        run.measure(lambda s: seen.append((s.step, s.loss, s.theta.copy(), s.gradient.copy())), at=[4], name="look")
        run.train(10)
        (step, loss, theta, gradient), = seen
        value, expected = run.objective.gradient(theta)
        self.assertEqual((step, loss), (4, value))
        np.testing.assert_allclose(gradient, expected, rtol=1e-12)
        self.assertEqual(len(run["look"].steps), 0)

    def test_vectors_and_names(self):
        run = self.make()
        run.measure(lambda s: s.theta[:3], name="some", every=5)
        run.train(10)
        self.assertEqual(run["some"].values.shape, (3, 3))
        with self.assertRaisesRegex(dyn.InvalidArgument, "'some'"):
            run.measure(lambda s: 1.0, name="some")
        with self.assertRaisesRegex(KeyError, "some"):
            run["other"]

    def test_exceptions_stop_the_run_and_come_out(self):
        run = self.make()

        def fail(state):
            if state.step == 7:
                raise LookupError("seven")
        run.measure(fail)
        with self.assertRaisesRegex(LookupError, "seven"):
            run.train(20)
        self.assertEqual(run.reason, "failed")
        self.assertEqual(run.train(5).reason, "ready")


class Streams(unittest.TestCase):
    """Batches from a function, and gradients of several batches."""

    def setUp(self):
        rng = np.random.default_rng(0)
        self.x, self.y = rng.standard_normal((64, 3)), rng.standard_normal(64)
        self.net = dyn.mlp([3, 8, 1], seed=1)

    def batch(self, number):
        at = np.random.default_rng(number).integers(0, 64, 16)
        return self.x[at], self.y[at]

    def test_a_stream_is_the_batches_it_gives(self):
        for dtype, tolerance in (("float64", 1e-13), ("float32", 1e-5)):
            run = dyn.Run(self.net, *self.batch(0), optimizer=dyn.GD(0.1), stream=self.batch, dtype=dtype).train(5)
            theta = self.net.initial()
            for step in range(5):
                theta = theta - 0.1 * dyn.Objective(self.net, *self.batch(step)).gradient(theta)[1]
            np.testing.assert_allclose(run.theta, theta, atol=tolerance)
            # measurements are on the data given
            self.assertAlmostEqual(run.objective.value(theta), dyn.Objective(self.net, *self.batch(0)).value(theta), 4)

    def test_it_goes_on_in_mid_stream_to_the_same_bits(self):
        options = {"optimizer": dyn.Adam(1e-2), "stream": self.batch, "accumulate": 2}
        whole = dyn.Run(self.net, *self.batch(0), **options).train(20)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            dyn.Run(self.net, *self.batch(0), **options).train(7).save(path)
            x, y = self.batch(0)
            again = dyn.Run.load(path, x=x, y=y, stream=self.batch).train(13)
            np.testing.assert_array_equal(again.theta, whole.theta)
            with self.assertRaisesRegex(dyn.Error, "streamed is 0, in the checkpoint it is 1"):
                dyn.Run.load(path, x=x, y=y)

    def test_what_a_stream_gives_wrongly_is_said(self):
        x, y = self.batch(0)
        for stream, words in ((lambda k: (x[:3], y), r"x of the stream has shape \[3, 3\]"), (lambda k: x, "not"),
                              (lambda k: {"x": x}, "gives x, y, not x")):
            with self.assertRaisesRegex(dyn.Error, words):
                dyn.Run(self.net, x, y, stream=stream).train(1)
        tokens = dyn.Model.from_function(lambda g, t: dyn.embedding(t, g.parameter("E", (5, 2))).sum(1), dyn.Indices(4))
        ids = np.zeros((2, 4), dtype=int)
        with self.assertRaisesRegex(dyn.Error, "index 5 at position 7, the table has rows 0 to 4"):
            dyn.Run(tokens, ids, np.zeros((2, 2)), stream=lambda k: (np.array([[0] * 4, [0, 0, 0, 5]]), np.zeros((2, 2)))
                    ).train(1)
        net, points = dyn.mlp([3, 3]), np.zeros((4, 3))
        with self.assertRaisesRegex(dyn.Error, "y: number 2 is 3, expected a class"):
            dyn.Run(net, points, [0, 1, 2, 0], "cross_entropy", stream=lambda k: (points, np.array([0, 1, 3, 0]))).train(1)
        with self.assertRaisesRegex(dyn.Error, "batch is 4: a stream gives batches of 16"):
            dyn.Run(self.net, x, y, stream=self.batch, batch=4)
        with self.assertRaisesRegex(dyn.Error, "run of its own"):
            dyn.Replicas(self.net, x, y, count=2, stream=self.batch)
        with self.assertRaisesRegex(ZeroDivisionError, "mine"):
            def boom(k):
                raise ZeroDivisionError("mine")
            dyn.Run(self.net, x, y, stream=boom).train(1)

    def test_the_mean_over_batches_is_that_of_all_samples(self):
        options = {"optimizer": dyn.Adam(1e-2), "seed": 3}
        parts = dyn.Run(self.net, self.x, self.y, batch=16, accumulate=4, **options).train(10)
        whole = dyn.Run(self.net, self.x, self.y, **options).train(10)
        np.testing.assert_allclose(parts.theta, whole.theta, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(parts.history["loss"], whole.history["loss"], rtol=1e-9)
        self.assertEqual(parts.epoch_steps, 1)

    def test_epochs(self):
        run = dyn.Run(self.net, self.x, self.y, batch=16).train(epochs=3)
        self.assertEqual(run.step, 12)
        for arguments in ({"epochs": 1, "steps": 2}, {"epochs": -1}):
            with self.assertRaises(dyn.Error):
                run.train(**arguments)
        with self.assertRaisesRegex(dyn.Error, "no epochs"):
            dyn.Run(self.net, *self.batch(0), stream=self.batch).train(epochs=1)


if __name__ == "__main__":
    unittest.main()
