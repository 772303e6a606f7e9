# SPDX-License-Identifier: BSD-3-Clause
"""Many trainings at once against one at a time."""
import unittest

import numpy as np

import dyn
from support import wave
from support import interrupt_after


class Replicas(unittest.TestCase):
    net = dyn.mlp([1, 12, 1], seed=4)

    def test_each_equals_a_run_of_its_own(self):
        rates = [1e-3, 1e-2, 3e-2]
        many = dyn.Replicas(self.net, *wave(), optimizer=[dyn.Adam(r) for r in rates], count=3).train(40)
        self.assertEqual((len(many), many.theta.shape), (3, (3, self.net.size)))
        for i, (replica, rate) in enumerate(zip(many, rates)):
            with dyn.Context(threads=1):
                net = dyn.mlp([1, 12, 1])
                run = dyn.Run(net, *wave(), optimizer=dyn.Adam(rate), theta=self.net.initial(4 + i)).train(40)
            np.testing.assert_array_equal(replica.theta, run.theta)
            np.testing.assert_array_equal(many.theta[i], run.theta)
            np.testing.assert_array_equal(replica.history["loss"], run.history["loss"])
            self.assertEqual(many.loss[i], run.history["loss"][-1])

    def test_seeds_and_inits(self):
        inits = [dyn.init.normal(0.1), dyn.init.normal(1.0)]
        many = dyn.Replicas(self.net, *wave(), count=2, seeds=[9, 9], init=inits)
        np.testing.assert_allclose(many[1].theta, 10 * many[0].theta, rtol=1e-12)
        with self.assertRaisesRegex(dyn.ShapeError, "1 seeds"):
            dyn.Replicas(self.net, *wave(), count=2, seeds=[9])

    def test_one_that_diverges_touches_no_other(self):
        many = dyn.Replicas(self.net, *wave(), optimizer=[dyn.GD(0.1), dyn.GD(1e300), dyn.GD(0.1)], count=3,
                            theta=np.tile(self.net.initial(), (3, 1))).train(30)
        self.assertEqual([r.reason for r in many], ["ready", "nonfinite", "ready"])
        np.testing.assert_array_equal(many[0].theta, many[2].theta)

    def test_measurements(self):
        many = dyn.Replicas(self.net, *wave(), count=4, steps=20)
        for replica in many:
            replica.measure(dyn.Condensation(), at=("start", "end"))
            replica.measure(lambda s: np.linalg.norm(s.theta), name="norm", every=10)
        many.train()
        for replica in many:
            self.assertEqual(list(replica["condensation"].steps), [0, 20])
            self.assertEqual(replica["norm"].values[-1], np.linalg.norm(replica.theta))

    def test_exceptions_of_observers_come_out(self):
        many = dyn.Replicas(self.net, *wave(), count=3)

        def fail(state):
            raise LookupError("inside")
        many[1].measure(fail, at=[5])
        with self.assertRaisesRegex(LookupError, "inside"):
            many.train(10)
        self.assertEqual([r.step for r in many][::2], [10, 10])

    def test_interrupt(self):
        many = dyn.Replicas(self.net, *wave(), count=4)
        timer = interrupt_after(0.3)
        with self.assertRaises(KeyboardInterrupt):
            many.train(10**8)
        timer.join()
        self.assertTrue(all(r.stopped or r.step == 0 for r in many))
        timer = interrupt_after(0.3)
        self.assertIs(many.train(10**8, interrupt="return"), many)
        timer.join()
        many.train(3)


if __name__ == "__main__":
    unittest.main()
