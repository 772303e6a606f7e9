# SPDX-License-Identifier: BSD-3-Clause
"""Figures: drawn without a screen, and not empty."""
import os
import tempfile
import unittest

import numpy as np

import dyn
from support import quadratic, wave

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:
    pyplot = None


@unittest.skipIf(pyplot is None, "matplotlib is not installed")
class Plots(unittest.TestCase):
    def tearDown(self):
        pyplot.close("all")

    def drawn(self, figure):
        """The figure as a file read back [height, width, 4]."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "figure.png")
            figure.savefig(path, dpi=50)
            return pyplot.imread(path)

    def assert_full(self, figure, panels):
        self.assertEqual(len([a for a in figure.axes if a.get_label() != "<colorbar>"]), panels)
        for ax in figure.axes:
            self.assertTrue(ax.has_data(), ax)
        image = self.drawn(figure)
        self.assertGreater(np.mean(image[..., :3].min(-1) < 0.9), 0.02)

    def test_all_three_measurements(self):
        run = dyn.Run(dyn.mlp([1, 20, 1], init=dyn.init.normal(0.1), seed=1), *wave(), optimizer=dyn.Adam(1e-2))
        run.measure(dyn.Sharpness(k=2), every=20)
        run.measure(dyn.Condensation(), at=["start", 100, "end"])
        run.measure(dyn.ModelRank(probe_std=4), at=("start", "end"))
        run.measure(lambda s: np.linalg.norm(s.theta), name="norm", every=20)
        figure = dyn.plot(run.train(200))
        self.assert_full(figure, 3 + 3 + 3 + 2)     # curves, maps, orientations, spectrum and function
        labels = {line.get_label() for line in figure.axes[1].lines}
        self.assertIn(r"$2/\eta$", labels)
        threshold = next(line for line in figure.axes[1].lines if line.get_label() == r"$2/\eta$")
        np.testing.assert_allclose(threshold.get_ydata(), 200.0)

    def test_more_inputs_and_no_model(self):
        x, y = dyn.data.digits()
        run = dyn.Run(dyn.mlp([64, 12, 10]), x[:100], y[:100], "cross_entropy")
        run.measure(dyn.Condensation(), at=("start", "end"))
        self.assert_full(dyn.plot(run.train(20)), 1 + 2)
        self.assert_full(dyn.plot(dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.1), theta=[1.0]).train(9)), 1)

    def test_before_the_first_step(self):
        run = dyn.Run(dyn.mlp([1, 3, 1]), *wave())
        run.measure(dyn.Sharpness(), every=5)
        self.assertEqual(len(dyn.plot(run).axes), 2)

    def test_single_panels(self):
        figure, axes = pyplot.subplots(1, 3)
        features = np.random.default_rng(1).normal(size=(15, 3))
        dyn.plots.cosines(axes[0], dyn.CondensationResult(features), order=range(15))
        dyn.plots.spectrum(axes[1], dyn.matrix_rank(features))
        dyn.plots.series(axes[2], "a", dyn.Series(np.arange(3), np.ones((3, 2))))
        self.assert_full(figure, 3)

    def test_spikes_are_shaded(self):
        rises = dyn.Objective.from_functions(1, lambda t: 1.0, lambda t: (9.0 if 60 < t[0] < 65 else 1.0, [-1.0]))
        run = dyn.Run(rises, optimizer=dyn.GD(1.0), theta=[0.0]).train(100)
        figure = dyn.plot(run)
        self.assertEqual(len(figure.axes[0].patches), 1)

    def test_saved_where_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.pdf")
            dyn.plot(dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.1), theta=[1.0]).train(9), path)
            self.assertGreater(os.path.getsize(path), 2000)


if __name__ == "__main__":
    unittest.main()
