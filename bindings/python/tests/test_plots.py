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
    from PIL import Image
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
        self.assertEqual(len(figure.axes), panels)
        for ax in figure.axes:
            self.assertTrue(ax.has_data(), ax)
        image = self.drawn(figure)
        self.assertGreater(np.mean(image[..., :3].min(-1) < 0.9), 0.02)

    def test_phases_and_plateaus(self):
        """The zero of a slope lies where dyn.crossings finds it; a plateau is shaded where it is, at its height."""
        x, y = np.array([.8, .9, 1.0, 1.2]), np.array([-.2, 0.0, .2])
        figure, axes = pyplot.subplots(1, 3)
        dyn.plots.phase(axes[0], x, y, x - (1.03 + y[:, None] / 2), [1, 1, 1])
        line = axes[0].collections[-1].get_paths()[0].vertices
        np.testing.assert_allclose(line[:, 0], 1.03 + line[:, 1] / 2, atol=1e-12)
        with self.assertRaisesRegex(dyn.Error, "3, 4"):
            dyn.plots.phase(axes[0], x, y, np.zeros((4, 3)))
        net = dyn.mlp([1, 20, 1], "relu", dyn.init.normal(1e-4), seed=1, output_bias=False)
        points = np.linspace(-1, 1, 20)
        run = dyn.Run(net, points, np.sin(3 * points), optimizer=dyn.GD(.1)).train(3000)
        dyn.plots.plateaus(axes[1], run)
        self.assertEqual(len(axes[1].patches), len(dyn.plateaus(run)))
        self.assertGreater(len(axes[1].patches), 0)
        dyn.plots.levels(axes[2], [run, run])
        counts, _ = dyn.loss_histogram(run)
        np.testing.assert_allclose(axes[2].patches[0].get_data().values, counts / counts.sum())
        with self.assertRaisesRegex(dyn.Error, "no run"):
            dyn.plots.levels(axes[2], [])
        self.drawn(figure)

    def test_eigenvalues_layers_and_a_central_flow(self):
        figure, axes = pyplot.subplots(1, 3)
        pairs = dyn.eigh(np.diag([3.0, 3.0, 1.0, 0.5]), 3)
        dyn.plots.eigenvalues(axes[0], pairs)
        self.assertEqual([text.get_text() for text in axes[0].texts], ["2 together"])
        dyn.plots.layers(axes[1], {"W1": pairs, "W2": dyn.eigh(np.diag([2.0, 1.0]))})
        self.assertEqual([text.get_text() for text in axes[1].get_xticklabels()], ["W1", "W2"])
        flow = dyn.central_flow(quadratic([1.0]), theta=[1.0], steps=5, rate=0.1)
        dyn.plots.central(axes[2], flow, np.linspace(0.5, 0.2, 6))
        self.assertEqual(len(axes[2].lines), 3)
        self.assert_full(figure, 3)

    def test_adam_in_its_states_and_over_its_moments(self):
        figure, axes = pyplot.subplots(1, 3)
        found, theory = dyn.degenerate.run(4, 0.9, 0.91, steps=3000), dyn.degenerate.theory(4, 0.9, 0.91)
        dyn.plots.states(axes[0], found, theory)
        edge, point = axes[0].lines
        np.testing.assert_allclose(np.prod(edge.get_data(), axis=0), 2000)
        self.assertEqual((point.get_xdata()[0], point.get_ydata()[0]), (theory.omega, theory.lambda_))
        dyn.plots.states(axes[1], dyn.degenerate.run(4, 0.9, 0.8, steps=3000), dyn.degenerate.theory(4, 0.9, 0.8))
        self.assertEqual(len(axes[1].lines), 1)     # there is no fixed point
        b1, b2 = np.meshgrid(np.linspace(0.1, 0.9, 4), np.linspace(0.2, 0.8, 3))
        dyn.plots.regimes(axes[2], b1, b2, b1 - b2, k=6, label="difference")
        for line, power in zip(axes[2].lines, (5, 6)):
            np.testing.assert_allclose(line.get_xdata(), line.get_ydata()**(power / 8))
        self.assert_full(figure, 4)
        with self.assertRaisesRegex(dyn.ShapeError, "beta1, beta2, values"):
            dyn.plots.regimes(axes[2], b1, b2, b1[:2])

    def test_frequencies_against_steps(self):
        x = np.linspace(-np.pi, np.pi, 40)
        run = dyn.Run(dyn.mlp([1, 20, 1], seed=1), x, np.sin(x), optimizer=dyn.Adam(0.01))
        run.measure(dyn.frequency.FrequencyErrors([1, 4]), every=10)
        ax = dyn.plot(run.train(50)).axes[1]
        self.assertEqual([t.get_text() for t in ax.get_yticklabels()], ["1", "4"])
        np.testing.assert_allclose(ax.collections[0].get_array(), np.clip(run["frequency_errors"].values.T, 0.1, 1))

    def test_branches_of_minima(self):
        found = dyn.branches.branches(2, 1, 2)
        figure, ax = pyplot.subplots()
        dyn.plots.branches(ax, found)
        self.assertEqual([bar.get_width() for bar in ax.patches], [3, 4])       # r + (r - l) d
        marks = {line.get_label(): list(line.get_xdata()) for line in ax.lines}
        self.assertEqual(marks, {"separated, Morse-Bott": [4], "separated": [5]})
        self.assert_full(figure, 1)

    def test_inertia_and_observed_entries(self):
        figure, axes = pyplot.subplots(1, 3)
        dyn.plots.inertia(axes[0], dyn.inertia([3.0, -2.0, 0.0, 1e-18]))
        counts = {line.get_label(): list(line.get_xdata()) for line in axes[0].lines[:3]}
        self.assertEqual(counts, {"1 positive": [1], "1 negative": [2], "2 zero": [3, 4]})
        dyn.plots.observed(axes[1], 2, 3, [0, 1, 5])
        shown = axes[1].images[0].get_array()
        np.testing.assert_array_equal(shown.mask, [[False, False, True], [True, True, False]])
        self.assertEqual(axes[1].get_title(), "2 components, complete")
        dyn.plots.observed(axes[2], 2, 2, [0, 1, 2])
        self.assertEqual(axes[2].get_title(), "1 component")
        self.assert_full(figure, 3)
        with self.assertRaisesRegex(dyn.InvalidArgument, "9"):
            dyn.plots.observed(axes[2], 2, 2, [9])

    def test_tables_of_numbers_and_types(self):
        figure, axes = pyplot.subplots(1, 2)
        dyn.plots.table(axes[0], [[1, 2], [2.5, 4]], rows=["a", "b"])
        self.assertEqual([text.get_text() for text in axes[0].texts], ["1", "2", "2.5", "4"])
        self.assertEqual([text.get_text() for text in axes[0].get_yticklabels()], ["a", "b"])
        dyn.plots.table(axes[1], [[(3, 1, 1)]])
        self.assertEqual(axes[1].texts[0].get_text(), r"$3\ 1^{2}$")
        self.assert_full(figure, 2)
        with self.assertRaisesRegex(dyn.ShapeError, r"rows of \[1, 2\] cells"):
            dyn.plots.table(axes[1], [[1], [1, 2]])

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

    def test_a_density_is_its_mixture_of_gaussians(self):
        nodes, weights = np.array([[1.0, 3.0], [1.0, 2.0]]), np.array([[0.25, 0.75], [0.5, 0.5]])
        figure = dyn.plot(dyn.Density(nodes, weights))
        (line,) = figure.axes[0].get_lines()
        x, y = line.get_data()
        width = 0.02                    # a hundredth of what the nodes span
        bumps = np.exp(-0.5 * ((x[:, None, None] - nodes) / width)**2) / width / np.sqrt(2 * np.pi)
        np.testing.assert_allclose(y, (bumps * weights).sum(2).mean(1), rtol=1e-9, atol=1e-12)
        self.assertAlmostEqual(np.trapezoid(y, x), 1, delta=1e-3)
        self.assertEqual(figure.axes[0].get_yscale(), "log")

    def test_a_density_of_one_eigenvalue(self):
        (line,) = dyn.plot(dyn.Density(np.zeros((1, 1)), np.ones((1, 1)))).axes[0].get_lines()
        self.assertAlmostEqual(line.get_ydata().max(), 100 / np.sqrt(2 * np.pi), delta=0.1)

    def test_spikes_are_marked_once(self):
        rises = dyn.Objective.from_functions(1, lambda t: 1.0, lambda t: (9.0 if 60 < t[0] < 65 else 1.0, [-1.0]))
        run = dyn.Run(rises, optimizer=dyn.GD(1.0), theta=[0.0]).train(100)
        figure = dyn.plot(run)
        marks = figure.axes[0].lines[-1]
        self.assertEqual(list(marks.get_xdata()), list(dyn.spikes(run.history["loss"]).peaks))
        self.assertEqual(list(marks.get_ydata()), [9.0])
        self.assertEqual([text.get_text() for text in figure.axes[0].texts], ["1 spike"])

    def sharpness_of(self, values, threshold=200.0):
        """Axes with a series of one eigenvalue per step."""
        values = np.asarray(values, dtype=float).reshape(-1, 1)
        rows, zero = len(values), np.zeros_like(values)
        none = np.empty((rows, 0))
        series = dyn.measure.SharpnessSeries(np.arange(rows), values, zero, zero == 0, none, none, none == 0,
                                             0.5 * values[:, 0], np.full(rows, np.nan), np.full(rows, threshold),
                                             np.full(rows, 3.0), none, none)
        ax = pyplot.figure().subplots()
        dyn.plots.sharpness(ax, series)
        return ax

    def test_an_outlier_does_not_ruin_the_axis(self):
        ax = self.sharpness_of([2e5, *np.linspace(20, 210, 30)])
        self.assertEqual(ax.get_yscale(), "linear")
        self.assertLess(ax.get_ylim()[1], 300)
        marks = [line for line in ax.lines if line.get_marker() == "^"]
        self.assertEqual([tuple(line.get_xydata()[0]) for line in marks], [(0, ax.get_ylim()[1])])
        self.assertIn("200000", [text.get_text() for text in ax.texts])

    def test_a_loss_that_diverges_does_not_hide_the_rest(self):
        rises = dyn.Objective.from_functions(1, lambda t: 1.0, lambda t: (1e200 if t[0] > 90 else 100 - t[0], [-1.0]))
        ax = dyn.plot(dyn.Run(rises, optimizer=dyn.GD(1.0), theta=[0.0]).train(99)).axes[0]
        self.assertLess(ax.get_ylim()[1], 1e3)
        self.assertEqual([line.get_xdata()[0] for line in ax.lines if line.get_marker() == "^"], [91])

    def test_usual_values_are_all_inside(self):
        ax = self.sharpness_of([180, 230, 190, 205])
        self.assertGreater(ax.get_ylim()[1], 230)
        self.assertFalse([line for line in ax.lines if line.get_marker() == "^"])

    def test_a_threshold_far_above_is_told(self):
        ax = self.sharpness_of(np.linspace(1, 5, 20))
        self.assertLess(ax.get_ylim()[1], 10)
        self.assertIn("= 200, above", " ".join(text.get_text() for text in ax.texts))

    def test_train_and_validation_have_names_and_axes(self):
        x, y = dyn.data.digits()
        run = dyn.Run(dyn.mlp([64, 10, 10], seed=1), x[:100], y[:100], "cross_entropy",
                      validation=(x[100:200], y[100:200]), validate_every=5)
        run.measure(lambda s: run.objective.accuracy(s.theta), name="accuracy", every=5)
        loss, accuracy = dyn.plot(run.train(20)).axes
        for ax, name in ((loss, "loss"), (accuracy, "accuracy")):
            self.assertEqual(ax.get_ylabel(), name)
            self.assertEqual([t.get_text() for t in ax.get_legend().get_texts()], ["training", "validation"])
        self.assertEqual(loss.lines[1].get_color(), accuracy.lines[1].get_color())
        seen = np.isfinite(run.history["validation_loss"])
        np.testing.assert_array_equal(loss.lines[1].get_xdata(), run.history["step"][seen])
        np.testing.assert_array_equal(loss.lines[1].get_ydata(), run.history["validation_loss"][seen])

    def test_terms_are_named(self):
        def fit(net, x, y):
            return (net(x) - y)[:, 0]**2

        def size(net, x):
            return net(x)[:, 0]**2
        net = dyn.mlp([1, 3, 1], seed=1)
        x, y = (a.reshape(-1, 1) for a in wave())
        run = dyn.Run(dyn.Objective(fit, net, x=x, y=y) + 0.1 * dyn.Objective(size, net, x=x)).train(10)
        lines = dyn.plot(run).axes[0].lines
        self.assertEqual([line.get_label() for line in lines], ["training", "fit", "size"])
        np.testing.assert_array_equal(lines[1].get_ydata(), run.history["fit"])

    def test_a_measurement_of_a_loss_shares_its_axis(self):
        run = dyn.Run(dyn.mlp([1, 3, 1], seed=1), *wave())
        run.measure(lambda s: 1.0, name="test_loss", every=5)
        self.assertEqual([line.get_label() for line in dyn.plot(run.train(10)).axes[0].lines], ["training", "test"])

    def test_layers_are_named(self):
        run = dyn.Run(dyn.mlp([2, 5, 4, 1]), np.eye(2), [[1.0], [0.0]])
        for i, name in enumerate(("first", "second"), 1):
            run.measure(dyn.Condensation(layer=i, name=name), at=("start", "end"))
        figure = dyn.plot(run.train(5))
        frames = figure.subfigs[0].subfigs
        self.assertEqual([frame.get_suptitle() for frame in frames[1:]],
                         ["first, layer 1: 5 neurons", "second, layer 2: 4 neurons"])

    def test_a_schedule_of_ranks_is_a_curve_and_a_few_spectra(self):
        run = dyn.Run(dyn.mlp([1, 3, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2))
        run.measure(dyn.ModelRank(probe_std=4), at="log")
        _, rank, spectra, _ = dyn.plot(run.train(100)).axes
        np.testing.assert_array_equal(rank.lines[0].get_ydata(), run["rank"].rank)
        self.assertEqual(sum(text.get_text().startswith("step") for text in spectra.get_legend().get_texts()), 5)

    def test_animation(self):
        run = dyn.Run(dyn.mlp([1, 6, 1], seed=1), *wave())
        with self.assertRaises(KeyError):
            dyn.plots.animate(run)
        run.measure(dyn.Condensation(), every=10)
        with self.assertRaises(dyn.InvalidArgument):
            dyn.plots.animate(run)
        run.train(20)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.gif")
            dyn.plots.animate(run, path=path)
            with Image.open(path) as image:
                self.assertEqual(image.n_frames, 3)

    def test_wide_has_the_same_panels(self):
        run = dyn.Run(dyn.mlp([1, 6, 1], seed=1), *wave())
        run.measure(dyn.Condensation(), at=("start", "end"))
        run.train(10)
        tall, wide = dyn.plot(run), dyn.plot(run, wide=True)
        self.assertEqual(len(tall.axes), len(wide.axes))
        self.assertGreater(wide.get_figwidth() / wide.get_figheight(), 1.5)

    def test_pyplot_keeps_nothing_without_windows(self):
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.1), theta=[1.0]).train(9)
        dyn.plot(run)
        self.assertEqual(pyplot.get_fignums(), [])

    def test_saved_where_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.pdf")
            dyn.plot(dyn.Run(quadratic([1.0]), optimizer=dyn.GD(0.1), theta=[1.0]).train(9), path)
            self.assertGreater(os.path.getsize(path), 2000)


if __name__ == "__main__":
    unittest.main()
