# SPDX-License-Identifier: BSD-3-Clause
"""Episodes in steps: series of different schedules are compared where they were measured."""
import unittest

import numpy as np

import dyn
from support import wave


class Episodes(unittest.TestCase):
    def setUp(self):
        """35 spikes of a loss, one every 100 steps; the predictor, seen every 10 steps, is up before every fifth."""
        self.loss = np.ones(3501)
        self.loss[100::100] = 5.0
        self.steps = np.arange(0, 3501, 10)
        self.curvature = np.where(np.isin(self.steps, np.arange(490, 3500, 500)), 3.0, 1.0)

    def test_steps_and_not_rows(self):
        spikes = dyn.spikes(self.loss, steps=np.arange(3501))
        np.testing.assert_array_equal(spikes.starts, np.arange(100, 3501, 100))
        crossed = dyn.above(self.curvature, 2.0, self.steps)
        np.testing.assert_array_equal(crossed.starts, np.arange(490, 3500, 500))
        np.testing.assert_array_equal(crossed.ends, crossed.starts + 1)
        self.assertEqual(crossed.predict(spikes, lead=10), (7, 28, 0))
        self.assertEqual(crossed.predict(spikes, lead=5), (0, 35, 7))

    def test_series_know_their_steps(self):
        run = dyn.Run(dyn.mlp([1, 4, 1]), *wave())
        run.measure(lambda s: float(s.step % 30 == 20), every=10, name="up")
        run.train(100)
        np.testing.assert_array_equal(dyn.above(run["up"], 0.5).starts, [20, 50, 80])
        np.testing.assert_array_equal(dyn.above(dyn.sustained(run["up"]), 0.5).starts, [])
        self.assertEqual(len(dyn.spikes(run)), 0)

    def test_windows_and_merging_count_steps(self):
        steps = np.arange(0, 1000, 20)
        loss = np.ones(50)
        loss[[10, 12]] = 5.0            # steps 200 and 240
        self.assertEqual(len(dyn.spikes(loss, steps=steps, merge=30)), 2)
        self.assertEqual(len(dyn.spikes(loss, steps=steps, merge=41)), 1)
        self.assertEqual(len(dyn.spikes(loss, steps=steps, window=19)), 0)     # nothing lies so near before
        self.assertEqual(len(dyn.spikes(loss)), 1)

    def test_rows_and_steps_do_not_mix(self):
        rows, steps = dyn.spikes(self.loss), dyn.above(self.curvature, 2.0, self.steps)
        for predictor, spikes in ((rows, steps), (steps, rows)):
            with self.assertRaisesRegex(dyn.InvalidArgument, "steps="):
                predictor.predict(spikes)
        with self.assertRaisesRegex(dyn.InvalidArgument, r"steps\[1\]"):
            dyn.above([1.0, 2.0], 0.0, [5, 5])
        with self.assertRaisesRegex(dyn.InvalidArgument, "one whole number for each"):
            dyn.above([1.0, 2.0], 0.0, [1.0, 2.5])


if __name__ == "__main__":
    unittest.main()
