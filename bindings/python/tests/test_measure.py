# SPDX-License-Identifier: BSD-3-Clause
"""The three measurements on problems whose answers are known."""
import os
import tempfile
import time
import unittest

import numpy as np

import dyn
from support import quadratic, wave

R = np.random.default_rng(5)


class Sharpness(unittest.TestCase):
    def test_gradient_descent_sees_the_hessian(self):
        run = dyn.Run(quadratic([3.0, 2.0, 0.5]), optimizer=dyn.GD(0.1), theta=[1.0, 0.0, 0.0])
        run.measure(dyn.Sharpness(k=2), every=5)
        found = run.train(10)["sharpness"]
        np.testing.assert_array_equal(found.steps, [0, 5, 10])
        np.testing.assert_allclose(found.values, np.tile([3.0, 2.0], (3, 1)), rtol=1e-9)
        np.testing.assert_allclose(found.raw, found.values, rtol=1e-9)
        np.testing.assert_allclose(found.directional, 3.0, rtol=1e-12)
        np.testing.assert_allclose(found.threshold, 20.0, rtol=1e-14)
        self.assertTrue(found.converged.all())
        self.assertTrue((found.residuals < 1e-5).all())

    def test_adam_sees_its_preconditioned_hessian(self):
        h, b1, b2, eps = np.array([3.0, 0.5]), 0.9, 0.99, 1e-8
        run = dyn.Run(quadratic(h), optimizer=dyn.Adam(1e-3, b1, b2, eps), theta=[1.0, 1.0])
        run.measure(dyn.Sharpness(k=2, raw=False), at=[7])
        run.measure(lambda s: s.gradient**2, name="g2")
        found = run.train(20)["sharpness"]
        v = sum((1 - b2) * b2**(7 - t) * g2 for t, g2 in enumerate(run["g2"].values[:8])) / (1 - b2**8)
        c = (1 - b1) / ((1 + b1) * (1 - b1**8))
        np.testing.assert_allclose(found.values[0], np.sort(c * h / (np.sqrt(v) + eps))[::-1], rtol=1e-9)
        self.assertEqual(found.raw.shape, (1, 0))

    def test_tracking_goes_on_after_a_checkpoint_to_the_same_bits(self):
        def made():
            run = dyn.Run(dyn.mlp([1, 30, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2))
            run.measure(dyn.Sharpness(k=2, tolerance=1e-4, search=False), every=3)
            return run
        whole, first = made().train(20), made().train(11)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            first.save(path)
            loaded = dyn.Run.load(path, x=wave()[0], y=wave()[1]).train(9)
        a, b = whole["sharpness"], loaded["sharpness"]
        for name in ("values", "raw", "residuals", "overlaps", "products"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)
        self.assertTrue(np.isnan(a.overlaps[0]).all())
        self.assertTrue(((a.raw_overlaps[1:] > 0) & (a.raw_overlaps[1:] < 1 + 1e-12)).all())
        vectors = whole.kept("sharpness.vectors").reshape(4, 3, -1)[0, 1:]
        thetas = [made().train(step).theta for step in (15, 18)]
        old, new = (np.linalg.eigh(dyn.hessian(whole.objective, theta=t).dense())[1][:, :-3:-1] for t in thetas)
        np.testing.assert_allclose(np.linalg.norm(old.T @ new, axis=0), a.raw_overlaps[6], atol=1e-2)
        self.assertAlmostEqual(abs(vectors[0] @ new[:, 0]), 1, delta=1e-3)

    def test_tracking_takes_at_most_a_third_of_the_products(self):
        """On a smooth path, and where theta jumps to and fro: at the edge of stability."""
        x, y = dyn.data.digits()
        smooth = (dyn.mlp([1, 30, 1], seed=1), *wave(), 1e-3, 0, 1e-4)
        edge = (dyn.mlp([64, 50, 10], activation="tanh", seed=1), x[:500], y[:500], 0.1, 300, 1e-3)
        for net, inputs, targets, rate, before, tolerance in (smooth, edge):
            found = {}
            for cold in (False, True):
                run = dyn.Run(net, inputs, targets, optimizer=dyn.GD(rate)).train(before)
                run.measure(dyn.Sharpness(tolerance=tolerance, search=False, cold=cold), every=1)
                found[cold] = run.train(32)["sharpness"]
            self.assertLessEqual(3 * found[False].products[1:].sum(), found[True].products[1:].sum())
            self.assertTrue(found[False].converged.all())
            np.testing.assert_allclose(found[False].values, found[True].values, rtol=10 * tolerance**2 + 1e-4)
        self.assertGreater(found[True].values.max(), 0.95 * found[True].threshold[0])

    def test_limits_of_optimisers(self):
        self.assertAlmostEqual(dyn.GD(0.1).limit(), 20, delta=1e-12)
        self.assertAlmostEqual(dyn.HeavyBall(0.1, beta=0.5).limit(), 30, delta=1e-12)
        self.assertAlmostEqual(dyn.Adam(0.1).limit(), 2 * 1.9 / (0.1 * 0.1), delta=1e-9)
        with self.assertRaises(dyn.NotSupported):
            dyn.SignGD(0.1).limit()

    def test_only_where_there_is_a_preconditioner(self):
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.SignGD(0.1), theta=[1.0])
        with self.assertRaises(dyn.NotSupported):
            run.measure(dyn.Sharpness())
        self.assertEqual(run.measured, [])

    def test_empty_before_the_first_row(self):
        run = dyn.Run(dyn.mlp([1, 3, 1]), *wave())
        for measurement in (dyn.Sharpness(k=2), dyn.Condensation(), dyn.ModelRank()):
            run.measure(measurement, at="end")
            self.assertEqual(len(run[measurement.name].steps), 0)


class Budget(unittest.TestCase):
    """A measurement that sleeps, on a run whose steps take microseconds."""

    def run_with(self, **when):
        run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2))
        run.measure(lambda state: time.sleep(1e-3) or state.step, name="slow", **when)
        return run.train(300)

    def test_a_budget_stretches_the_schedule_and_changes_no_bit(self):
        plain = dyn.Run(dyn.mlp([1, 5, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2)).train(300)
        run = self.run_with(every=1, at="end", budget=0.2)
        cost = run.costs["slow"]
        self.assertEqual(run["slow"].steps[[0, -1]].tolist(), [0, 300])
        self.assertEqual((cost.measured, cost.measured + cost.passed_over), (len(run["slow"]), 301))
        self.assertLess(cost.measured, 150)
        # the end and what is measured before the mean is known may go beyond
        self.assertLessEqual(cost.seconds - 3 * cost.seconds / cost.measured, 0.2 * run.seconds)
        np.testing.assert_array_equal(run.theta, plain.theta)

    def test_without_one_all_are_measured(self):
        run = self.run_with(every=10)
        cost = run.costs["slow"]
        self.assertEqual((cost.measured, cost.passed_over), (31, 0))
        self.assertGreater(cost.seconds, 31e-3)
        self.assertAlmostEqual(cost.share, cost.seconds / run.seconds, delta=1e-12)

    def test_every_measurement_has_its_cost_and_changes_no_bit(self):
        """All that there are, on a perceptron, a transformer and a factorisation."""
        x, y = (a[:40] for a in dyn.data.digits())
        tokens = np.arange(24).reshape(4, 6)
        net = dyn.mlp([64, 8, 10], activation="tanh", seed=1)
        words = dyn.transformer(24, 6, layers=2, width=8, key_width=4, hidden=8, seed=1)
        factors, entries = dyn.factorisation([4, 4, 4], seed=1), np.arange(0, 16, 5)
        cases = (
            (lambda: dyn.Run(net, x, y, optimizer=dyn.Adam(1e-2)),
             (dyn.Sharpness(tolerance=1e-2), dyn.Spectrum(k=2, lanczos=8), dyn.Kronecker(), dyn.TangentKernel(x[:5], y[:5]),
              dyn.Projection(2), dyn.Condensation(), dyn.ModelRank(x=x[:5]))),
            (lambda: dyn.Run(words, tokens, [3, 4, 1, 2], loss="cross_entropy", optimizer=dyn.RMSprop(1e-3)),
             (dyn.Attention(), dyn.Sharpness(tolerance=1e-2))),
            (lambda: dyn.Run(factors, entries, np.ones(4), optimizer=dyn.GD(1e-2)), (dyn.completion.FactorSpectra(),)))
        for made, measurements in cases:
            run, plain = made(), made().train(12)
            for measurement in measurements:
                run.measure(measurement, every=4, budget=0.9)
            run.train(12)
            np.testing.assert_array_equal(run.theta, plain.theta)
            for measurement in measurements:
                cost = run.costs[measurement.name]
                self.assertEqual(cost.measured + cost.passed_over, 4, measurement.name)
                self.assertTrue(cost.measured >= 1 and 0 < cost.share < 1, (measurement.name, cost))

    def test_refused(self):
        for budget in (0.0, -1.0, 1.5, np.nan):
            with self.assertRaisesRegex(dyn.InvalidArgument, "budget"):
                self.run_with(every=1, budget=budget)


class Condensation(unittest.TestCase):
    def two_groups(self):
        """20 neurons in two directions, 90 degrees apart, and one of no amplitude."""
        angles = np.r_[np.full(12, 0.3), np.full(8, 0.3 + np.pi / 2), 0.0]
        radii = np.r_[R.uniform(1, 2, 20), 0.0]
        return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)

    def test_constructed_groups(self):
        features = self.two_groups()
        found = dyn.CondensationResult(features)
        self.assertEqual((found.effective, found.dead), (2, 1))
        self.assertEqual(sorted(found.sizes), [8, 12])
        np.testing.assert_allclose(found.norms, np.linalg.norm(features, axis=1), rtol=1e-14)
        np.testing.assert_allclose(found.orientation()[:20], np.arctan2(features[:20, 1], features[:20, 0]),
                                   rtol=1e-13)
        cosines = found.cosines(ordered=False)[:20, :20]
        unit = features[:20] / np.linalg.norm(features[:20], axis=1, keepdims=True)
        np.testing.assert_allclose(cosines, unit @ unit.T, atol=1e-14)
        np.testing.assert_allclose(found.shares.sum(), 1, rtol=1e-14)
        np.testing.assert_allclose(found.tightness, 1, rtol=1e-12)
        np.testing.assert_allclose(abs(found.directions @ [np.cos(0.3), np.sin(0.3)]).max(), 1, rtol=1e-12)
        self.assertEqual(found.assignment[20], -1)
        self.assertEqual(sorted(found.order), list(range(21)))
        self.assertAlmostEqual(found.leading.value, 12 / 20, delta=1e-6)
        self.assertEqual(found.cover(), (2, 2 / 20))
        mass, top = found.histogram(bins=32, top=2)
        self.assertAlmostEqual(top, 1, delta=1e-12)
        self.assertAlmostEqual(mass.sum(), 1, delta=1e-12)

    def test_alignment(self):
        found = dyn.CondensationResult(np.outer([1, -2, 3], [1.0, 2.0]))
        self.assertAlmostEqual(found.alignment([2, 4]).ratio, 1, delta=1e-14)
        np.testing.assert_allclose(found.alignment([2, 4]).cosines, [1, -1, 1], rtol=1e-14)
        x, y = R.normal(size=(9, 2)), R.normal(size=9)
        np.testing.assert_allclose(dyn.data_direction(x, y), np.r_[y @ x, y.sum()] / 9, rtol=1e-13)

    def test_of_a_model(self):
        net = dyn.mlp([2, 5, 3], seed=1)
        theta = net.initial()
        p = net.views(theta)
        found = dyn.condensation(net, theta, layer=1, amplitude="product")
        np.testing.assert_array_equal(found.features, np.c_[p["W1"].T, p["b1"]])
        np.testing.assert_allclose(found.amplitudes, np.linalg.norm(p["W2"], axis=1) * found.norms, rtol=1e-13)
        np.testing.assert_array_equal(dyn.condensation(net, theta, layer=2).features, np.c_[p["W2"].T, p["b2"]])
        with self.assertRaisesRegex(dyn.InvalidArgument, "W3"):
            dyn.condensation(net, theta, layer=3)
        with self.assertRaisesRegex(dyn.InvalidArgument, "layer is 0"):     # layers count from 1
            dyn.Condensation(layer=0)

    def test_along_a_run(self):
        run = dyn.Run(dyn.mlp([1, 30, 1], init=dyn.init.normal(0.02), seed=1), *wave(), optimizer=dyn.Adam(5e-3))
        run.measure(dyn.Condensation(join_opposite=True), at=("start", "end"))
        found = run.train(300)["condensation"]
        self.assertEqual((list(found.steps), len(found)), ([0, 300], 2))
        self.assertGreater(found.effective[0], found.effective[1])
        self.assertEqual(found[1].effective, found.effective[1])
        net = run.objective.model
        np.testing.assert_array_equal(found.features[1], dyn.condensation(net, run.theta).features)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            run.save(path)
            loaded = dyn.Run.load(path, net, *wave(), optimizer=dyn.Adam(5e-3))
            loaded.measure(dyn.Condensation(join_opposite=True), at=("start", "end"))
            np.testing.assert_array_equal(loaded["condensation"].features, found.features)

    def test_needs_a_model(self):
        with self.assertRaises(dyn.InvalidArgument):
            dyn.Run(quadratic([1.0]), theta=[1.0]).measure(dyn.Condensation())


class Rank(unittest.TestCase):
    def test_one_living_neuron_of_tanh(self):
        """f = sum_k a_k tanh(w_k . x): at one living neuron the rank is d + 1, whatever the width."""
        for d, width in ((2, 3), (4, 2)):
            net = dyn.mlp([d, width, 1], bias=False)
            theta = np.zeros(net.size)
            p = net.views(theta)
            p["W1"][:, 0], p["W2"][0] = R.normal(size=d), 1.5
            found = dyn.model_rank(net, theta)
            self.assertEqual((found.rank, found.by_tolerance), (d + 1, d + 1))
            self.assertGreater(found.gap_at_tolerance, 1e6)
            self.assertEqual(found.columns, net.size)
            self.assertEqual(dyn.model_rank(net, theta, R.normal(size=(2, d))).rank, 2)

    def test_matrix(self):
        m = R.normal(size=(40, 4)) @ R.normal(size=(4, 15))
        found = dyn.matrix_rank(m, rule="gap")
        self.assertEqual(found.rank, 4)
        scaled = m / np.linalg.norm(m, axis=0)
        np.testing.assert_allclose(found.singular_values[:4], np.linalg.svd(scaled, compute_uv=False)[:4], rtol=1e-12)

    def test_along_a_run(self):
        run = dyn.Run(dyn.mlp([2, 3, 1], bias=False, seed=1), R.normal(size=(12, 2)), R.normal(size=12))
        run.measure(dyn.ModelRank(), at=("start", "end"))
        found = run.train(20)["rank"]
        np.testing.assert_array_equal(found.rank, [9, 9])
        direct = dyn.model_rank(run.objective.model, run.theta)
        np.testing.assert_array_equal(found[1].singular_values, direct.singular_values)
        self.assertEqual(found[1].largest_gap, direct.largest_gap)
        self.assertEqual(found.singular_values.shape, (2, 9))

    def test_too_large_is_refused_beforehand(self):
        run = dyn.Run(dyn.mlp([64, 100, 100, 10]), *dyn.data.digits(), "cross_entropy")
        with self.assertRaisesRegex(dyn.LimitReached, "17610 parameters.*GiB"):
            run.measure(dyn.ModelRank(), at="end")


class Episodes(unittest.TestCase):
    def test_spikes_and_predictors(self):
        loss = np.ones(300)
        loss[100:105] = [3, 9, 5, 3, 2.5]
        loss[200:203] = 4
        found = dyn.spikes(loss)
        self.assertEqual((list(found.starts), list(found.peaks[:1]), len(found)), ([100, 200], [101], 2))
        series = np.zeros(300)
        series[90:110] = 2
        series[250:260] = 2
        episodes = dyn.above(series, 1.0)
        self.assertEqual((list(episodes.starts), list(episodes.ends)), ([90, 250], [110, 260]))
        self.assertEqual(tuple(episodes.predict(found, lead=15)), (1, 1, 1))
        np.testing.assert_array_equal(dyn.sustained([3, 1, 2, 5]), [1, 1, 1, 2])


if __name__ == "__main__":
    unittest.main()
