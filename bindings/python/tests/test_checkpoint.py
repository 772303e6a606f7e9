# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints say how their run was made: it comes back from the file and the data alone, and as nothing else."""
import os
import tempfile
import unittest

import numpy as np

import dyn
from support import quadratic, wave


class Checkpoints(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "run.npz")
        self.x, self.y = wave()

    def make(self, **options):
        net = dyn.mlp([1, 8, 5, 1], activation="x_tanh", init=dyn.init.normal(0.4, bias=dyn.init.zero()), seed=5,
                      output_scale=0.5)
        run = dyn.Run(net, self.x, self.y, loss="mse", half=True, l2=1e-3, batch=6, seed=3, record_every=2,
                      optimizer=dyn.AdamW(dyn.cosine(3e-3, 200).after_warmup(5), clip_norm=0.5), **options)
        run.measure(dyn.Sharpness(k=2, cold=True), every=5)
        run.measure(dyn.Condensation(layer=2, threshold=0.9), at=("start", 7))
        run.measure(dyn.ModelRank(self.x[:5], rule="gap"), at="log", per_decade=3)
        run.measure(lambda s: s.loss, name="seen", every=3)
        return run

    def test_the_file_and_the_data_are_enough(self):
        whole = self.make().train(40)
        self.make().train(17).save(self.path)
        run = dyn.Run.load(self.path, x=self.x, y=self.y)
        self.assertEqual((run.step, run.optimizer, run.objective.model.tensors), (17, whole.optimizer,
                                                                                 whole.objective.model.tensors))
        np.testing.assert_array_equal(run["sharpness"].steps, [0, 5, 10, 15])
        self.assertEqual(run["sharpness"].values.shape, (4, 2))
        self.assertEqual((run["condensation"].layer, len(run["condensation"])), (2, 2))
        np.testing.assert_array_equal(run["seen"].steps, np.arange(0, 17, 3))
        run.measure(lambda s: s.loss, name="seen", every=3)
        run.train(23)
        np.testing.assert_array_equal(run.theta, whole.theta)
        for name, series in whole.series.items():
            np.testing.assert_array_equal(run.series[name].steps, series.steps, name)
            np.testing.assert_array_equal(run.series[name].values, series.values, name)
        run.save(self.path)         # and once more from there
        self.assertEqual(dyn.Run.load(self.path, x=self.x, y=self.y).step, 40)

    def test_the_seed_of_dropout_is_held_to_without_batches_too(self):
        net = dyn.mlp([1, 8, 1], dropout=0.2, seed=5)
        dyn.Run(net, self.x, self.y, optimizer=dyn.Adam(1e-2), seed=3).train(4).save(self.path)
        with self.assertRaisesRegex(dyn.InvalidArgument, "seed is 4.*3"):
            dyn.Run.load(self.path, x=self.x, y=self.y, seed=4)
        dyn.Run(dyn.mlp([1, 8, 1]), self.x, self.y, optimizer=dyn.Adam(1e-2), seed=3).train(4).save(self.path)
        self.assertEqual(dyn.Run.load(self.path, x=self.x, y=self.y, seed=4).step, 4)

    def test_what_differs_is_refused_with_both_values(self):
        self.make().train(4).save(self.path)

        def load(words, *arguments, error=dyn.InvalidArgument, **options):
            given = {"x": self.x, "y": self.y, **options} if not arguments else options
            with self.assertRaisesRegex(error, words):
                dyn.Run.load(self.path, *arguments, **given)
        load("activation is 'tanh'.*'x_tanh'", net=dyn.mlp([1, 8, 5, 1]))
        load("loss is 'cross_entropy'.*'mse'", loss="cross_entropy")
        load("l2 is 0.1.*0.001", l2=0.1)
        load("half is False.*True", half=False)
        load("optimizer.rate is 0.02.*0.003", optimizer=dyn.AdamW(dyn.cosine(2e-2, 200).after_warmup(5), clip_norm=0.5))
        load("batch is 5.*6", batch=5)
        load("seed is 4.*3", seed=4)
        load("data x.*data x", x=self.x + 1e-12)
        load("data y", y=self.y[::-1])
        load("x and y", x=None)
        load("samples is 19", x=self.x[:19], y=self.y[:19])
        run = dyn.Run.load(self.path, x=self.x, y=self.y)
        with self.assertRaisesRegex(dyn.InvalidArgument, "k.*3.*2"):
            run.measure(dyn.Sharpness(k=3, cold=True), every=5)
        self.assertIs(type(run.measure(dyn.Sharpness(k=2, cold=True), every=5)), dyn.Sharpness)

    def test_a_network_of_a_function(self):
        def build(slope):
            return lambda g, x: dyn.tanh(x @ g.parameter("A", (1, 3)) * slope) @ np.arange(1.0, 4.0).reshape(3, 1)
        dyn.Run(dyn.Model.from_function(build(2.0), (1,)), self.x, self.y).train(5).save(self.path)
        with self.assertRaisesRegex(dyn.InvalidArgument, "net="):
            dyn.Run.load(self.path, x=self.x, y=self.y)
        self.assertEqual(dyn.Run.load(self.path, dyn.Model.from_function(build(2.0), (1,)), self.x, self.y).step, 5)
        with self.assertRaisesRegex(dyn.InvalidArgument, r"constant.* 3[^\d].*constant.* 2[^\d]"):
            dyn.Run.load(self.path, dyn.Model.from_function(build(3.0), (1,)), self.x, self.y)

    def test_an_objective_of_functions(self):
        dyn.Run(quadratic([1.0, 2.0]), theta=[1.0, 1.0], optimizer="gd").train(5).save(self.path)
        with self.assertRaisesRegex(dyn.InvalidArgument, "give it"):
            dyn.Run.load(self.path)
        self.assertEqual(dyn.Run.load(self.path, quadratic([1.0, 2.0])).step, 5)

    def test_files_that_lack_what_came_later(self):
        """Without the note and the text of the loss, and with an option of the default left out."""
        self.make().train(4).save(self.path)
        members = dict(np.load(self.path))
        for name in ("note", "objective", "options.optimizer.eps"):
            del members[name]
        np.savez(self.path, **members)
        run = dyn.Run.load(self.path, self.make().objective, optimizer=self.make().optimizer, batch=6, seed=3)
        self.assertEqual(run.step, 4)

    def test_replicas(self):
        many = dyn.Replicas(dyn.mlp([1, 4, 1]), self.x, self.y, count=2, optimizer=["adam", "gd"], dtype="float32").train(7)
        many[1].save(self.path)
        run = dyn.Run.load(self.path, x=self.x, y=self.y)
        self.assertEqual((run.step, run.optimizer), (7, dyn.GD()))
        np.testing.assert_array_equal(run.theta, many[1].theta)

    def test_plots_show_what_was_measured(self):
        try:
            import matplotlib
        except ImportError:
            self.skipTest("matplotlib is not installed")
        matplotlib.use("Agg")
        self.make().train(20).save(self.path)
        whole, loaded = self.make().train(20), dyn.Run.load(self.path, x=self.x, y=self.y)
        self.assertEqual(len(dyn.plot(loaded).axes), len(dyn.plot(whole).axes))


if __name__ == "__main__":
    unittest.main()
