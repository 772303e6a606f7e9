# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C: raised soon, always, once; what was found before is kept, and nothing is left behind."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

import dyn
from support import interrupt_after, quadratic, wave

SOON = 0.6      # seconds; .2 on a machine that does nothing else


class Soon(unittest.TestCase):
    """Long calls of every kind, of many seconds each."""

    @classmethod
    def setUpClass(cls):
        x, y = dyn.data.digits()
        cls.net = dyn.mlp([64, 40, 10], seed=1)
        cls.objective = dyn.Objective(cls.net, np.tile(x, (4, 1)), np.tile(y, (4, 1)), "cross_entropy")
        cls.theta = cls.net.initial()
        cls.hessian = cls.objective.hessian(cls.theta)
        cls.matrix = np.random.default_rng(1).normal(size=(3000, 2000))

    def assert_soon(self, function, *arguments, **options):
        """function, interrupted after a while, raises KeyboardInterrupt within SOON."""
        usual, at = signal.getsignal(signal.SIGINT), []

        def interrupt():
            at.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        timer = threading.Timer(0.3, interrupt)
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            function(*arguments, **options)
        took = time.monotonic() - at[0]
        timer.join()
        self.assertLess(took, SOON, function)
        self.assertIs(signal.getsignal(signal.SIGINT), usual)

    def test_eigenpairs(self):
        self.assert_soon(dyn.eigh, self.hessian, k=60, tolerance=1e-13, max_products=10**8)

    def test_estimates(self):
        self.assert_soon(self.hessian.trace, products=10**5)
        self.assert_soon(self.hessian.diagonal, probes=10**5)
        self.assert_soon(self.hessian.density, probes=10**4)

    def test_the_matrix(self):
        self.assert_soon(self.hessian.dense)

    def test_checks(self):
        big = dyn.Objective(self.net, np.zeros((200000, 64)), np.zeros((200000, 10)))
        self.assert_soon(big.check_hessian, self.theta)

    def test_jacobians(self):
        small = dyn.mlp([64, 8, 1])
        x = np.random.default_rng(2).normal(size=(10**5, 64))
        objective = dyn.Objective(small, x, np.zeros((10**5, 1)))
        self.assert_soon(lambda: [objective.jacobian(small.initial()) for _ in range(50)])

    def test_singular_values_and_rank(self):
        self.assert_soon(dyn.singular_values, self.matrix)
        self.assert_soon(dyn.matrix_rank, self.matrix)

    def test_condensation(self):
        features = np.random.default_rng(3).normal(size=(12000, 200))
        self.assert_soon(dyn.CondensationResult, features)
        found = dyn.CondensationResult(features[:4000])
        self.assert_soon(lambda: [found.cover(0.1) for _ in range(100)])

    def test_files(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write("1.25,2.5,3.75,5.0,6.25\n" * 10**6)
            file.flush()
            self.assert_soon(lambda: [dyn.data.read(file.name) for _ in range(20)])

    def test_one_evaluation(self):
        g = dyn.Graph()
        x = g.input("x", (1000000, 30))
        y = x
        for _ in range(400):
            y = dyn.tanh(y * 1.1 + 0.1)
        f = g.compile(y.sum())
        self.assert_soon(f, x=np.zeros((1000000, 30)))

    def test_the_users_own_code(self):
        slow = dyn.Operator.from_function(lambda v: time.sleep(30), 5)
        self.assert_soon(lambda: slow @ np.ones(5))
        run = dyn.Run(self.net, *dyn.data.digits())
        run.measure(lambda state: time.sleep(30), at=[3], name="slow")
        self.assert_soon(run.train, 10)
        self.assertTrue(run.stopped)

    def test_replicas(self):
        many = dyn.Replicas(self.objective, theta=np.tile(self.theta, (3, 1)), count=3)
        self.assert_soon(many.train, 10**6)
        many = dyn.Replicas(self.objective, theta=np.tile(self.theta, (3, 1)), count=3)
        for member in many:
            member.measure(dyn.Sharpness(k=50, tolerance=1e-13, max_products=10**6), at=[0])
        self.assert_soon(many.train, 10)

    def test_waiting_for_another_thread(self):
        run = dyn.Run(self.objective, theta=self.theta)
        thread = threading.Thread(target=run.train, args=(10**6,))
        thread.start()
        try:
            self.assert_soon(self.objective.value, self.theta)
        finally:
            run.stop()
            thread.join()


class Kept(unittest.TestCase):
    def test_a_run_goes_on_as_if_it_had_not_been_stopped(self):
        def make():
            run = dyn.Run(dyn.mlp([1, 30, 30, 1], seed=3), *wave(), optimizer=dyn.Adam(1e-3))
            run.measure(dyn.Sharpness(k=3, cold=True), every=40)
            run.measure(dyn.Condensation(), every=15)
            run.measure(lambda s: s.loss, name="seen", every=7)
            return run
        run, whole, count = make(), make().train(400), 0
        while run.step < 400:
            try:
                interrupt_after(random.Random(count).uniform(0.005, 0.05))
                run.train(None if count else 400)
                time.sleep(0.1)         # a late one comes here
            except KeyboardInterrupt:
                count += 1
        np.testing.assert_array_equal(run.theta, whole.theta)
        np.testing.assert_array_equal(run.history["loss"], whole.history["loss"])
        for name, series in whole.series.items():
            np.testing.assert_array_equal(run.series[name].steps, series.steps)
            np.testing.assert_array_equal(run.series[name].values, series.values)

    def test_every_interrupt_is_raised_once_and_leaves_no_stop(self):
        run = dyn.Run(dyn.mlp([1, 4, 1]), *wave())
        raised = 0
        for i in range(60):
            try:
                interrupt_after(0.001 * random.Random(i).uniform(0, 10))
                for _ in range(40):
                    run.train(5)
                time.sleep(5)           # a late one comes here
            except KeyboardInterrupt:
                raised += 1
            step = run.step
            run.train(10)
            self.assertEqual(run.step, step + 10)
        self.assertEqual(raised, 60)

    def test_a_loop_of_runs_ends(self):
        def sweep():
            for rate in np.linspace(1e-4, 1e-2, 1000):
                dyn.Run(dyn.mlp([1, 20, 1]), *wave(), optimizer=dyn.GD(rate)).train(10**5)
        timer = interrupt_after(0.3)
        with self.assertRaises(KeyboardInterrupt):
            sweep()
        timer.join()

    def test_swallowed_on_request(self):
        run = dyn.Run(dyn.mlp([1, 20, 1]), *wave())
        timer = interrupt_after(0.2)
        self.assertIs(run.train(10**9, interrupt="return"), run)
        timer.join()
        self.assertTrue(run.stopped)
        with self.assertRaisesRegex(dyn.InvalidArgument, "ignore"):
            run.train(1, interrupt="ignore")

    def test_a_stop_before_training_is_no_stop(self):
        run = dyn.Run(dyn.mlp([1, 4, 1]), *wave())
        run.stop()
        self.assertEqual(run.train(10).step, 10)

    def test_handlers_that_do_not_raise(self):
        heard = []
        usual = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
        try:
            timer = interrupt_after(0.1)
            dyn.eigh(quadratic(np.linspace(0, 1, 300)).hessian(np.zeros(300)), k=3)
            run = dyn.Run(dyn.mlp([1, 20, 1]), *wave())
            while not heard:
                run.train(1000)
            timer.join()
        finally:
            signal.signal(signal.SIGINT, usual)
        self.assertEqual((heard, run.reason), ([1], "ready"))

    def test_a_program_ends(self):
        code = ("import dyn, numpy as np; run = dyn.Run(dyn.mlp([1, 50, 1]), np.ones(50), np.ones(50)); "
                "print('go', flush=True); run.train(10**9)")
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(child.stdout.readline(), "go\n")
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=20)
        self.assertEqual(child.returncode, -signal.SIGINT)
        self.assertIn("KeyboardInterrupt", errors)
        self.assertNotIn("ignored", errors)


if __name__ == "__main__":
    unittest.main()
