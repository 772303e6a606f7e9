# SPDX-License-Identifier: BSD-3-Clause
"""What the papers on frequencies, recovery, minima and exact tables measure, against NumPy, SciPy and closed forms."""
import tempfile
import unittest

import numpy as np

import dyn

R = np.random.default_rng(11)


class Frequency(unittest.TestCase):
    def test_transform_is_the_discrete_one_on_a_grid(self):
        y = R.normal(size=(32, 2))
        found = dyn.frequency.transform(np.arange(32), y, 2 * np.pi * np.arange(32) / 32)
        np.testing.assert_allclose(found, np.fft.fft(y, axis=0) / 32, atol=1e-14)

    def test_parity_along_the_diagonal(self):
        x, y = dyn.data.parity(10)
        k = np.linspace(0, np.pi, 33)
        found = dyn.frequency.transform(dyn.frequency.project(x, np.ones(10)), y[:, 0], k)
        np.testing.assert_allclose(abs(found), abs(np.sin(k))**10, atol=1e-14)

    def test_low_pass_is_the_kernel_mean(self):
        x, y = R.normal(size=(20, 3)), R.normal(size=(20, 2))
        g = np.exp(-((x[:, None] - x)**2).sum(-1) / (2 * 0.7))
        np.testing.assert_allclose(dyn.frequency.low_pass(x, y, 0.7), g @ y / g.sum(1, keepdims=True), rtol=1e-13)

    def test_errors(self):
        fit, truth = R.normal(size=5) + 1j * R.normal(size=5), R.normal(size=5) + 1j * R.normal(size=5)
        np.testing.assert_allclose(dyn.frequency.error(fit, truth), abs(abs(fit) - abs(truth)) / (1e-5 + abs(truth)))
        np.testing.assert_allclose(dyn.frequency.error(fit, truth, floor=0.0, phases=True), abs(fit - truth) / abs(truth))
        self.assertEqual(dyn.frequency.error([1.0, 0.0], [0.0, 0.0], floor=0.0).tolist(), [np.inf, 0.0])

    def test_errors_of_the_parts_below_and_above_a_filter(self):
        x, y, h = R.normal(size=(20, 3)), R.normal(size=(20, 2)), R.normal(size=(20, 2))
        g = np.exp(-((x[:, None] - x)**2).sum(-1) / (2 * 0.7))
        low = np.array([g @ a / g.sum(1, keepdims=True) for a in (y, h)])
        high = np.array([y, h]) - low
        expected = [np.linalg.norm(a - b) / np.linalg.norm(a) for a, b in (low, high)]
        np.testing.assert_allclose(dyn.frequency.relative_errors(x, y, h, 0.7), expected, rtol=1e-12)

    def test_errors_along_a_run(self):
        """Of two inputs and two outputs along a direction, against the sums; a checkpoint goes on with them."""
        x, y, k, d = R.normal(size=(30, 2)), R.normal(size=(30, 2)), np.array([0.5, 2.0]), np.array([1.0, -0.5])
        net = dyn.mlp([2, 5, 2], seed=1)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(1e-2))
        run.measure(dyn.frequency.FrequencyErrors(k, direction=d), every=2)
        run.measure(lambda state: state.theta, name="theta", every=2)
        found = run.train(4)["frequency_errors"]

        def sizes(f):
            return np.linalg.norm(np.exp(-1j * np.outer(k, x @ d)) @ f / 30, axis=1)
        for row, theta in zip(found.values, run["theta"].values):
            np.testing.assert_allclose(row, abs(sizes(net(theta, x)) - sizes(y)) / (1e-5 + sizes(y)), rtol=1e-10)
        with tempfile.TemporaryDirectory() as folder:
            run.save(folder + "/run")
            again = dyn.Run.load(folder + "/run", net, x, y)
        again.measure(lambda state: state.theta, name="theta", every=2)
        self.assertEqual(again.train(2)["frequency_errors"].values.shape, (4, 2))
        np.testing.assert_array_equal(again["frequency_errors"].values[:3], found.values)

    def test_errors_along_a_run_want_a_direction_and_targets_like_outputs(self):
        measurement = dyn.frequency.FrequencyErrors([1.0])
        with self.assertRaisesRegex(dyn.InvalidArgument, "inputs have 2 numbers: a direction"):
            dyn.Run(dyn.mlp([2, 1]), np.ones((3, 2)), [1.0, 2, 3]).measure(measurement, every=1)
        labels = dyn.Run(dyn.mlp([1, 4]), [1.0, 2, 3], [0, 1, 2], loss="cross_entropy")
        with self.assertRaisesRegex(dyn.InvalidArgument, "targets of 4 numbers"):
            labels.measure(measurement, every=1)

    def test_bad_input(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "delta is -1"):
            dyn.frequency.low_pass([[0.0]], [1.0], -1.0)
        with self.assertRaisesRegex(dyn.ShapeError, "3 points"):
            dyn.frequency.transform([1, 2, 3], [1, 2], [0.0])
        with self.assertRaisesRegex(dyn.InvalidArgument, "y"):
            dyn.frequency.transform([1.0], [np.nan], [0.0])


class Inertia(unittest.TestCase):
    def test_a_rotated_diagonal(self):
        q, _ = np.linalg.qr(R.normal(size=(9, 9)))
        h = q @ np.diag([-3.0, -1e-3, 0, 0, 0, 1e-3, 1, 2, 5]) @ q.T
        found = dyn.inertia((h + h.T) / 2)
        self.assertEqual(found[:3], (2, 3, 4))
        self.assertGreater(found.gap, 1e9)
        np.testing.assert_allclose(found.values, np.linalg.eigvalsh(h), atol=1e-14)
        self.assertEqual(dyn.inertia(found.values, 1e-2)[:3], (1, 5, 3))

    def test_zero_is_zero(self):
        self.assertEqual(dyn.inertia([0.0, 1e-300, -1.0], 0)[:3], (1, 1, 1))
        self.assertEqual(dyn.inertia(np.zeros((2, 2))).gap, np.inf)

    def test_of_an_operator(self):
        net = dyn.mlp([1, 2, 1], seed=3)
        H = dyn.hessian(net, [0.1, 0.7], [1.0, 2.0])
        np.testing.assert_allclose(dyn.inertia(H).values, np.linalg.eigvalsh(H @ np.eye(7)), atol=1e-13)


def factors(name):
    """A and B of a 4 x 4 matrix of the paper with r columns that matter, and the model's theta."""
    u, s, v = np.linalg.svd(dyn.data.matrix(name))
    s = np.where(s > 1e-12 * s[0], s, 0.0)
    return np.concatenate([(u * np.sqrt(s)).ravel(), (np.sqrt(s)[:, None] * v).ravel()])


class ColumnsOfRounding(unittest.TestCase):
    """A model's parameters without effect but for rounding are no directions; those of a tiny unit are."""

    def test_bias_of_keys(self):
        net = dyn.transformer(5, 3, layers=1, width=4, key_width=3, hidden=3, bias=True, last=False, activation="tanh", seed=2)
        theta, x = net.initial(), np.array([[i, j, k] for i in range(5) for j in range(5) for k in range(5)])
        J = dyn.jacobian(net, x, theta=theta).reshape(-1, net.size)
        keys = net.views(np.arange(float(net.size)))["layer1.bk"].astype(int)
        norms = np.linalg.norm(J, axis=0)
        self.assertTrue((norms[keys] > 0).all() and (norms[keys] < 1e-14 * norms.max()).all())
        J = np.delete(J / norms, keys, axis=1)
        expected = np.linalg.matrix_rank(J, tol=10 * np.finfo(float).eps * len(J)**0.5 * np.linalg.norm(J, 2))
        for limit in (None, 8 * net.size * 6 * net.size):
            rank = dyn.model_rank(net, theta, x, memory_limit=limit)
            self.assertEqual((rank.rank, rank.zero_columns), (expected, 3))

    def test_tiny_units(self):
        x = np.random.default_rng(0).standard_normal((9, 2)) * [1, 1e-20]
        rank = dyn.model_rank(dyn.mlp([2, 1], seed=1), np.array([0.3, 2.0, 0.1]), x)
        self.assertEqual((rank.rank, rank.zero_columns), (3, 0))


class Recovery(unittest.TestCase):
    def test_ranks_of_factorisations(self):
        net = dyn.factorisation([4, 4, 4])
        for name, rank in (("M1", 7), ("M2", 7), ("M3", 12), ("M4", 12), ("M6", 15), ("M7", 16), ("M8", 16)):
            J = dyn.jacobian(net, np.arange(16), theta=factors(name))
            found = dyn.recovery.samples_needed(J[dyn.data.observed(4, 4, "connected")], J)
            self.assertEqual(found, (rank, rank), name)

    def test_designed_sequences(self):
        expected = {"31 43 21 13 24 41 11 12 42 44 32 34 33 22 23 14": 8,
                    "34 21 23 43 41 44 11 33 12 14 13 24 32 22 31 42": 9,
                    "24 33 31 44 43 34 13 14 23 33 11 12 42 22 21 41": 12,
                    "24 33 31 44 43 34 13 14 23 32 11 12 42 22 21 41": 10,
                    "44 23 42 12 14 32 41 31 11 34 13 22 24 21 33 43": 11}
        J = dyn.jacobian(dyn.factorisation([4, 4, 4]), np.arange(16), theta=factors("M2"))
        for text, n in expected.items():
            at = [4 * (int(e[0]) - 1) + int(e[1]) - 1 for e in text.split()]
            self.assertEqual(dyn.recovery.samples_needed(J[at], J).needed, n)
            self.assertLess(dyn.recovery.slack(J[at[:n]], J), 1e-12)
            self.assertGreater(dyn.recovery.slack(J[at[:n - 1]], J), 1e-3)
            self.assertTrue(dyn.recovery.linearly_stable(J[at[:n]], J))
            self.assertFalse(dyn.recovery.linearly_stable(J[at[:n - 1]], J))

    def test_slack_is_the_distance_from_the_span(self):
        a, b = R.normal(size=(3, 6)), R.normal(size=(4, 6))
        off = b - b @ np.linalg.pinv(a) @ a
        self.assertAlmostEqual(dyn.recovery.slack(a, b), (np.linalg.norm(off, axis=1) / np.linalg.norm(b, axis=1)).max(),
                               delta=1e-13)

    def test_not_enough_samples(self):
        self.assertEqual(dyn.recovery.samples_needed(np.eye(3)[:2], np.eye(3)), (3, 3))

    def test_columns_differ(self):
        with self.assertRaisesRegex(dyn.ShapeError, "samples has 2 columns, whole 3"):
            dyn.recovery.samples_needed(np.eye(2), np.eye(3))


class Completion(unittest.TestCase):
    def test_nuclear_norm_of_blocks(self):
        M = np.outer([1.0, 2, 3], [1.0, 2, 3])
        at = [0, 4, 5, 7, 8]
        expected = M[0, 0] + np.linalg.svd(M[1:, 1:], compute_uv=False).sum()
        self.assertAlmostEqual(dyn.completion.least_nuclear_norm(3, 3, at, M.ravel()[at]), expected, delta=1e-12)
        self.assertAlmostEqual(expected, 14.0, delta=1e-12)
        with self.assertRaises(dyn.NotSupported):
            dyn.completion.least_nuclear_norm(3, 3, at[:-1], M.ravel()[at[:-1]])

    def test_spectra(self):
        a, b = R.normal(size=(3, 2)), R.normal(size=(2, 4))
        found = dyn.completion.spectra(a, b)
        for values, matrix in zip(found, (a @ b, a, b, np.hstack([a.T, b]))):
            np.testing.assert_allclose(values, np.linalg.svd(matrix, compute_uv=False), atol=1e-14)


    def test_along_a_run_and_in_its_figure(self):
        """A matrix of rank 1 from all its entries: what starts at rank 3 ends at 1, and the checkpoint holds it."""
        M = np.outer([1.0, 2, 3], [1.0, -1, 2])
        net = dyn.factorisation([3, 3, 3], init=dyn.init.normal(1e-3), seed=1)
        run = dyn.Run(net, np.arange(9), M.ravel(), optimizer=dyn.GD(0.02), stop_loss=1e-14)
        run.measure(dyn.completion.FactorSpectra(), every=50)
        found = run.train(5000)["factors"]
        self.assertEqual((found.rank()[0], found.rank()[-1]), (3, 1))
        self.assertAlmostEqual(found.nuclear_norm[-1], np.linalg.norm(M), delta=1e-4)
        with tempfile.TemporaryDirectory() as folder:
            run.save(folder + "/run")
            again = dyn.Run.load(folder + "/run", net, np.arange(9), M.ravel())
        np.testing.assert_array_equal(again["factors"].augmented, found.augmented)
        try:
            dyn.plot(run)
        except ImportError:
            self.skipTest("no matplotlib")

    def test_only_of_two_factors(self):
        run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0], [0.0])
        run.measure(dyn.completion.FactorSpectra(), every=1)
        with self.assertRaisesRegex(dyn.InvalidArgument, "two factors"):
            run.train(1)


class Branches(unittest.TestCase):
    def test_examples_of_the_paper(self):
        one, two = dyn.branches.branches(2, 1, 2)
        self.assertEqual((one.dimension, one.codimension, one.morse_bott), (1, 5, False))
        self.assertEqual((two.dimension, two.codimension, two.morse_bott), (2, 4, True))
        found = {b.sizes: b.dimension for b in dyn.branches.branches(3, 1, 5)}
        self.assertEqual(found, {(3,): 2, (2, 1): 6, (1, 2): 6, (1, 1, 1): 10})

    def test_dimension_and_codimension_add_up(self):
        for m, m0, d in ((2, 1, 2), (4, 2, 3), (6, 1, 1), (5, 5, 2)):
            for b in dyn.branches.branches(m, m0, d):
                self.assertEqual(b.dimension + b.codimension, m * (d + 1))
                self.assertEqual(sum(b.sizes), m)

    def test_codimension_is_the_rank_on_a_generic_point_of_a_morse_bott_branch(self):
        """At a point of Q^2 the Jacobian has rank min(n, r + (r - l) d)."""
        net = dyn.mlp([1, 2, 1], output_bias=False)
        theta = net.theta({"W1": [[0.7, 1.3]], "b1": [0.4, -0.2], "W2": [[1.0], [0.0]]})
        b = dyn.branches.branches(2, 1, 2)[1]
        self.assertEqual(dyn.model_rank(net, theta, probe_std=4).rank, 2 + (2 - b.deficient) * 2)

    def test_too_many(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "31 neurons"):
            dyn.branches.branches(31, 1, 1)

    def test_imbalance(self):
        a, w, x, y = R.normal(size=2), R.normal(size=(2, 3)), R.normal(size=(5, 3)), R.normal(size=5)
        gamma = y @ x
        np.testing.assert_allclose(dyn.branches.imbalance(a, w, x, y), a * np.linalg.norm(gamma) + w @ gamma, rtol=1e-14)
        for c in (0.0, 0.74, -2.0):
            first, second = dyn.branches.imbalance(*dyn.branches.set_imbalance(a, w, x, y, c), x, y)
            self.assertAlmostEqual(first / second, c, delta=1e-13)

    def test_probe_recovers_only_where_the_branch_is_separated(self):
        """The target tanh(x + 1) with two neurons at Q^2: from 4 samples on all ends near it are it (arXiv 2405.13787)."""
        net = dyn.mlp([1, 2, 1], output_bias=False)
        theta = net.theta({"W1": [[1.0, -0.6]], "b1": [1.0, 0.9], "W2": [[1.0], [0.0]]})
        grid = np.linspace(-2, 2, 41)
        off = {}
        for n in (3, 4):
            x = np.linspace(-2, 2, n)
            ends = [dyn.branches.probe(net, theta, x, np.tanh(x + 1), 0.05, seed=s) for s in range(4)]
            self.assertTrue(all(e.converged for e in ends))
            off[n] = [abs(net(e.theta, grid)[:, 0] - np.tanh(grid + 1)).max() for e in ends]
        self.assertLess(max(off[4]), 1e-10)
        self.assertGreater(min(off[3]), 1e-4)


class Degenerate(unittest.TestCase):
    def test_theory(self):
        t = dyn.degenerate.theory(4, 0.9, 0.93)
        self.assertAlmostEqual(t.slope, np.log(0.93), delta=1e-15)
        self.assertAlmostEqual(t.stable_below, 0.93, delta=1e-15)
        self.assertAlmostEqual(t.exists_below, 0.93**0.75, delta=1e-15)
        s = 1 - 1e-3 * t.omega * t.lambda_
        self.assertAlmostEqual(s, t.ratio, delta=1e-15)
        self.assertAlmostEqual(0.9 * t.omega * s**-3 + 0.1, t.omega, delta=1e-12)       # the map's fixed point
        self.assertTrue(dyn.degenerate.theory(4, 0.0, 0.06).flips)
        self.assertFalse(dyn.degenerate.theory(4, 0.0, 0.07).flips)

    def test_as_adam_itself(self):
        x, m, v = 1.0, 1.0, 1.0
        seen = []
        for _ in range(300):
            g = x**3
            m, v = 0.9 * m + 0.1 * g, 0.8 * v + 0.2 * g * g
            seen.append((np.log(abs(x)), m / x**3, x * x / np.sqrt(v)))
            x -= 0.01 * m / np.sqrt(v)
        found = dyn.degenerate.run(4, 0.9, 0.8, rate=0.01, steps=299)
        np.testing.assert_allclose(np.array(found).T[:150], seen[:150], rtol=1e-9)

    def test_spikes_that_overflow_go_on(self):
        """Just above the curve of stability x is thrown far beyond what v remembers: g_t^2 overflows in these units, but
        the state is still that of a spike, not of convergence (NumPy in ln x, ω and λ^-2, which does not overflow)."""
        grid = np.linspace(0.02, 0.98, 50)
        b1, b2 = grid[[8, 28, 35]], grid[[4, 23, 31]]
        self.assertTrue(np.all((b1 > b2**0.75) & (b1 < b2**0.625)))
        found = dyn.degenerate.map(b1, b2, 6, steps=50_000)
        self.assertTrue(np.all(found.last > -100 * np.log(10)), found.last)
        self.assertTrue(np.all(np.isfinite(found.coupling)))

    def test_reference_numbers(self):
        """First step at 1e-20 and ratio, from 60-digit arithmetic; L_T of regime I (arXiv 2603.09581)."""
        t = dyn.degenerate.run(4, 0.9, 0.93, steps=5000).log_x
        self.assertEqual(np.argmax(t <= np.log(1e-20)), 3384)
        self.assertAlmostEqual(np.exp(t[5000] - t[4999]), 0.98202, delta=5e-6)
        t = dyn.degenerate.run(4, 0.9, 0.91, steps=5000).log_x
        self.assertAlmostEqual((4 * t[-1] - np.log(4)) / np.log(10), np.log10(1.6e-171), delta=0.02)

    def test_a_map_is_its_trajectories(self):
        b1, b2 = np.array([[0.9, 0.5]]), np.array([[0.93, 0.7]])
        found = dyn.degenerate.map(b1, b2, 6, steps=2000)
        for i in range(2):
            t = 6 * dyn.degenerate.run(6, b1[0, i], b2[0, i], steps=2000).log_x - np.log(6)
            self.assertEqual(found.last[0, i], t[-1])
            self.assertEqual(found.least[0, i], t.min())

    def test_odd_powers_are_refused(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "k is 5"):
            dyn.degenerate.theory(5)


def stack(a, x, powers):
    """The equations x f = f a, x^powers f = 0 on f as a vector."""
    p, q = len(a), len(x)
    return np.vstack([np.kron(np.eye(p, dtype=int), x) - np.kron(a.T, np.eye(q, dtype=int)),
                      np.kron(np.eye(p, dtype=int), np.linalg.matrix_power(x, powers))])


class Nilpotent(unittest.TestCase):
    def test_rank_is_exact(self):
        a = R.integers(-5, 6, (6, 4)) @ R.integers(-5, 6, (4, 7))
        self.assertEqual(dyn.nilpotent.rank(a), 4)
        self.assertEqual(dyn.nilpotent.rank([[2**31 - 1, 0], [0, 1]]), 2)       # the first prime divides a minor
        self.assertEqual(dyn.nilpotent.rank(np.zeros((3, 2), int)), 0)

    def test_type_is_that_of_the_blocks(self):
        for parts in ((3, 2, 2, 1), (5,), (1, 1, 1)):
            p = np.eye(sum(parts), dtype=int)
            p[:, 0] += 1 - p[:, 0]          # unipotent: its inverse has integers
            x = np.rint(p @ dyn.nilpotent.matrix(parts) @ np.linalg.inv(p)).astype(int)
            self.assertEqual(dyn.nilpotent.jordan_type(x), parts)
        with self.assertRaisesRegex(dyn.InvalidArgument, "not nilpotent"):
            dyn.nilpotent.jordan_type(np.eye(2, dtype=int))

    def test_hom_has_the_type_of_its_equations(self):
        for p, q in (((3,), (2,)), ((3, 1), (2, 2)), ((2, 1), (4,))):
            a, x = dyn.nilpotent.matrix(p), dyn.nilpotent.matrix(q)
            kernels = [0] + [sum(p) * sum(q) - dyn.nilpotent.rank(stack(a, x, k)) for k in range(1, 7)]
            at_least = np.diff(kernels)
            parts = sorted((int(k) + 1 for k in range(6) for _ in range(at_least[k] - (at_least[k + 1] if k < 5 else 0))),
                           reverse=True)
            self.assertEqual(dyn.nilpotent.hom(p, q), tuple(parts))

    def test_products(self):
        for p in range(1, 5):
            for q in range(1, 5):
                x, y = dyn.nilpotent.matrix([p]), dyn.nilpotent.matrix([q])
                self.assertEqual(dyn.nilpotent.tensor([p], [q]), dyn.nilpotent.jordan_type(np.kron(x, y)))
                both = np.kron(x, np.eye(q, dtype=int)) + np.kron(np.eye(p, dtype=int), y)
                self.assertEqual(dyn.nilpotent.kronecker_sum([p], [q]), dyn.nilpotent.jordan_type(both))
            for b in (np.diag([2, 3]), np.array([[1, 1], [0, 1]])):
                self.assertEqual(dyn.nilpotent.repeated([p, 1], 2),
                                 dyn.nilpotent.jordan_type(np.kron(dyn.nilpotent.matrix([p, 1]), b)))


if __name__ == "__main__":
    unittest.main()
