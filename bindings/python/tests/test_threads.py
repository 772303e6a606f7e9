# SPDX-License-Identifier: BSD-3-Clause
"""One object in several threads: right answers, and every thread its own errors."""
import unittest
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import dyn
from support import wave


def in_threads(function, items):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(function, items))


class Threads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.x, cls.y = dyn.data.digits()
        cls.net = dyn.mlp([64, 30, 10], seed=1)
        cls.theta = cls.net.initial()
        cls.objective = dyn.Objective(cls.net, cls.x, cls.y, "cross_entropy")

    def assert_alike(self, function, items):
        expected = [function(item) for item in items]
        for _ in range(3):
            for found, wanted in zip(in_threads(function, items), expected):
                np.testing.assert_array_equal(found, wanted)

    def test_models(self):
        self.assert_alike(lambda v: self.net(self.theta, v), list(self.x.reshape(-1, 3, 64)[:200]))
        self.assert_alike(lambda n: self.net(self.theta, self.x[:n]), [1, 2, 3, 4, 5, 6, 7, 8] * 10)

    def test_operators(self):
        H = self.objective.hessian(self.theta)
        self.assert_alike(lambda v: H @ v, list(np.random.default_rng(1).normal(size=(50, H.size))))

    def test_objectives(self):
        thetas = [self.net.initial(seed) for seed in range(50)]
        self.assert_alike(lambda theta: self.objective.gradient(theta)[1], thetas)
        self.assert_alike(lambda theta: self.objective.predict(theta), thetas[:10])

    def test_functions(self):
        g = dyn.Graph()
        x = g.input("x", (1000,))
        f = g.compile(dyn.tanh(x).sum())
        self.assert_alike(lambda v: f(x=v), list(np.random.default_rng(2).normal(size=(100, 1000))))

    def test_every_thread_has_its_own_message(self):
        def shape(n):
            with self.assertRaises(dyn.ShapeError) as caught:
                dyn.Objective(self.net, np.zeros((n, 63)), np.zeros((n, 10)))
            return str(caught.exception)
        for n, message in zip(range(1, 201), in_threads(shape, range(1, 201))):
            self.assertIn(f"{63 * n} numbers in {n} samples", message)

    def test_every_thread_has_its_own_exception(self):
        def fail(v):
            raise LookupError(str(v[0, 0]))
        A = dyn.Operator.from_function(fail, 4)

        def error(i):
            with self.assertRaises(LookupError) as caught:
                A @ np.full(4, float(i))
            return caught.exception.args[0]
        self.assertEqual(in_threads(error, range(200)), [str(float(i)) for i in range(200)])

    def test_replicas_measured_by_functions_that_use_the_objective(self):
        many = dyn.Replicas(self.objective, theta=np.tile(self.theta, (4, 1)), count=4, optimizer=dyn.GD(0.1))
        for i, member in enumerate(many):
            member.measure(lambda s: s.run.objective.value(s.theta), every=2, name="again")
        many.train(6)
        for member in many:
            np.testing.assert_allclose(member["again"].values, member.history["loss"][::2], rtol=1e-14)

    def test_looking_at_a_run_that_trains(self):
        run = dyn.Run(dyn.mlp([1, 10, 1]), *wave())
        with ThreadPoolExecutor(1) as pool:
            training = pool.submit(run.train, 3000)
            while not training.done():
                steps = run.history["step"]
                np.testing.assert_array_equal(steps, np.arange(len(steps)))
                np.testing.assert_array_equal(np.isfinite(run.theta), True)
        self.assertEqual(run.step, 3000)


if __name__ == "__main__":
    unittest.main()
