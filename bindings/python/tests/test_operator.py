# SPDX-License-Identifier: BSD-3-Clause
"""Operators and eigenpairs against dense matrices."""
import unittest
import warnings

import numpy as np

import dyn

try:
    import scipy
    import scipy.linalg
    import scipy.sparse.linalg
except ImportError:
    scipy = None

R = np.random.default_rng(4)


def symmetric(n):
    a = R.normal(size=(n, n))
    return (a + a.T) / 2


def operator(m):
    return dyn.Operator.from_function(lambda v: m @ v, len(m))


class Operators(unittest.TestCase):
    def setUp(self):
        self.m = symmetric(9)
        self.a = operator(self.m)

    def equal(self, a, expected):
        np.testing.assert_allclose(a.dense(), expected, rtol=1e-12, atol=1e-13)

    def test_products(self):
        v, block = R.normal(size=9), R.normal(size=(9, 4))
        np.testing.assert_allclose(self.a @ v, self.m @ v, rtol=1e-13)
        np.testing.assert_allclose(self.a @ block, self.m @ block, rtol=1e-13)
        np.testing.assert_allclose(self.a @ block.T.copy().T, self.m @ block, rtol=1e-13)
        self.assertEqual((self.a.shape, self.a.dtype, self.a.products), ((9, 9), np.float64, 9))

    def test_derived(self):
        m, d = self.m, R.uniform(1, 2, 9)
        self.equal(2 * self.a, 2 * m)
        self.equal(np.float64(2) * self.a - self.a, m)
        self.equal(self.a.shifted(3), m + 3 * np.eye(9))
        self.equal(self.a + operator(np.eye(9)), m + np.eye(9))
        self.equal(self.a.sandwiched(d), d[:, None] * m * d)
        self.equal(self.a.restricted([1, 4]), m[np.ix_([1, 4], [1, 4])])
        values, vectors = np.linalg.eigh(m)
        self.equal(self.a.deflated(vectors[:, :2], values[:2]), m - vectors[:, :2] * values[:2] @ vectors[:, :2].T)
        q = np.linalg.qr(R.normal(size=(9, 2)))[0]
        p = np.eye(9) - q @ q.T
        self.equal(self.a.projected(q), p @ m @ p)

    def test_derived_keep_their_parts(self):
        a = 2 * operator(np.eye(3)).shifted(1)
        np.testing.assert_array_equal(a @ np.ones(3), [4, 4, 4])

    def test_estimates(self):
        m = symmetric(40)
        m = m @ m
        a = operator(m)
        t = a.trace(products=36)
        self.assertLess(abs(t.value - np.trace(m)), 6 * t.standard_error)
        d = a.diagonal(probes=400)
        self.assertLess(np.max(abs(d.value - np.diag(m)) / d.standard_error), 6)
        density = a.density(probes=20, steps=40)
        np.testing.assert_allclose(density.weights.sum(1), 1, rtol=1e-12)
        grid = np.linspace(-50, 250, 2000)
        self.assertAlmostEqual(np.trapezoid(a.density_curve(grid, 5.0, density).value, grid), 1, delta=1e-3)
        self.assertLess(a.asymmetry(), 1e-14)

    def test_exceptions_come_out(self):
        def product(v):
            raise LookupError("inside")
        a = dyn.Operator.from_function(product, 5)
        with self.assertRaisesRegex(LookupError, "inside"):
            a @ np.ones(5)
        with self.assertRaisesRegex(LookupError, "inside"):
            dyn.eigh(a)
        bad = dyn.Operator.from_function(lambda v: v[:2], 5)
        with self.assertRaisesRegex(dyn.ShapeError, r"\[2, 1\], expected \[5, 1\]"):
            bad @ np.ones(5)

    def test_not_finite(self):
        with self.assertRaises(dyn.NonFinite):
            dyn.Operator.from_function(lambda v: v * np.nan, 5) @ np.ones(5)

    def test_wrong_sizes(self):
        with self.assertRaisesRegex(dyn.ShapeError, r"\[9, 9\] times an array of shape \[8\]"):
            self.a @ np.ones(8)
        with self.assertRaisesRegex(dyn.ShapeError, r"d has shape \[3\], expected \[9\]"):
            self.a.sandwiched(np.ones(3))
        with self.assertRaises(dyn.ShapeError):
            self.a + operator(np.eye(3))


class Eigenpairs(unittest.TestCase):
    def test_clusters_and_what_is_left_of_them(self):
        """Of a rotated matrix with values 4, 4, 4, 1 and -2 .. -1: found whole, and cut."""
        rng = np.random.default_rng(0)
        Q = np.linalg.qr(rng.standard_normal((200, 200)))[0]
        A = (Q * np.r_[4.0, 4.0, 4.0, 1.0, np.linspace(-2, -1, 196)]) @ Q.T
        for matrix in (A, A[:40, :40] * 0 + np.diag(np.r_[4.0, 4.0, 4.0, 1.0, np.linspace(-2, -1, 36)])):
            whole, cut = dyn.eigh(matrix, 4), dyn.eigh(matrix, 2)
            np.testing.assert_array_equal(whole.clusters, [0, 0, 0, 1])
            np.testing.assert_array_equal(whole.multiplicities, [3, 3, 3, 1])
            self.assertEqual((whole.last_cluster, cut.last_cluster), ("whole", "cut"))
            self.assertIn("multiplicities=array([2, 2])", repr(cut))
        self.assertIn("complete", cut.certificate)
        self.assertIn("chance", dyn.eigh(A, 1).certificate)
        self.assertIn("none", dyn.eigh(A, 1, search=False).certificate)

    def test_tolerance_of_each(self):
        A = np.diag(np.r_[1e-4, np.linspace(1, 2, 199)])
        found = dyn.eigh(A, 1, "smallest", 1e-3, tolerance_of="each")
        np.testing.assert_allclose(found.tolerances, 1e-3 * found.values)
        self.assertLessEqual(found.residuals[0], 1e-7)
        self.assertEqual(dyn.eigh(A, 1, tolerance=0.5, tolerance_of="absolute").tolerance, 0.5)
        with self.assertRaises(dyn.InvalidArgument):
            dyn.eigh(A, tolerance_of="relative")

    def test_ends(self):
        m = symmetric(120)
        values = np.linalg.eigvalsh(m)
        for which, expected in (("largest", values[::-1][:4]), ("smallest", values[:4]),
                                ("both", np.r_[values[::-1][:4], values[:4][::-1]]),
                                ("magnitude", values[np.argsort(-abs(values))][:4])):
            pairs = dyn.eigh(operator(m), k=4, which=which, tolerance=1e-9)
            np.testing.assert_allclose(pairs.values, expected, rtol=1e-8, err_msg=which)
            true = np.linalg.norm(m @ pairs.vectors - pairs.vectors * pairs.values, axis=0)
            np.testing.assert_allclose(pairs.residuals, true, atol=1e-12)
            self.assertTrue(pairs.converged.all() and (pairs.residuals <= pairs.tolerance).all())
            self.assertLessEqual(pairs.miss_bound, 1e-4)

    def test_anything_with_a_product(self):
        m = symmetric(80)
        self.assertAlmostEqual(dyn.eigh(m).values[0], np.linalg.eigvalsh(m)[-1], delta=1e-6)

    def test_warm_start_saves_products(self):
        m = np.diag(np.linspace(0, 1, 300)**3)
        cold = dyn.eigh(operator(m), k=2, search=False)
        warm = dyn.eigh(operator(m), k=2, start=cold.vectors, search=False)
        self.assertLess(warm.products, cold.products / 2)

    def test_what_has_not_converged_warns_and_is_flagged(self):
        a = operator(np.diag(1 + np.linspace(0, 1e-3, 400)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pairs = dyn.eigh(a, k=3, tolerance=1e-14, max_products=64)
        self.assertEqual([w.category for w in caught], [dyn.NotConverged])
        self.assertFalse(pairs.converged.all())
        self.assertTrue((pairs.residuals > 0).all())

    def test_scipy_takes_an_operator(self):
        try:
            from scipy.sparse.linalg import aslinearoperator, eigsh
        except ImportError:
            self.skipTest("SciPy is not installed")
        m = symmetric(50)
        self.assertAlmostEqual(eigsh(aslinearoperator(operator(m)), k=1, which="LA")[0][0], np.linalg.eigvalsh(m)[-1],
                               delta=1e-10)

    def test_singular_values(self):
        m = R.normal(size=(30, 12))
        for accurate in (False, True):
            np.testing.assert_allclose(dyn.singular_values(m, accurate), np.linalg.svd(m, compute_uv=False),
                                       rtol=1e-12)



class Algebra(unittest.TestCase):
    """Everything that a symmetric matrix can do, compared with the matrix."""

    def setUp(self):
        rng = np.random.default_rng(5)
        self.matrix, other = rng.normal(size=(2, 7, 7))
        self.matrix = self.matrix + self.matrix.T
        self.other = other + other.T
        self.H = dyn.Operator.from_function(lambda V: self.matrix @ V, 7)
        self.v = rng.normal(size=7)

    def assert_is(self, operator, matrix):
        self.assertIsInstance(operator, dyn.Operator)
        np.testing.assert_allclose(operator @ np.eye(7), matrix, rtol=1e-12, atol=1e-12)

    def test_with_itself(self):
        H, M = self.H, self.matrix
        for operator, matrix in ((H.T, M), (H.H, M), (+H, M), (-H, -M), (H / 2, M / 2), (2 * H, 2 * M), (H @ H, M @ M),
                                 (np.float64(2) * H, 2 * M), (sum([H, H, H]), 3 * M), (H - H / 4, 0.75 * M)):
            self.assert_is(operator, matrix)

    def test_with_vectors(self):
        np.testing.assert_allclose(self.v @ self.H, self.v @ self.matrix, rtol=1e-12)
        np.testing.assert_allclose(np.eye(7)[:3] @ self.H, self.matrix[:3], rtol=1e-12)
        np.testing.assert_allclose(self.H.dot(self.v), self.matrix @ self.v, rtol=1e-12)
        np.testing.assert_allclose(np.asarray(self.H), self.matrix, rtol=1e-12)

    @unittest.skipIf(scipy is None, "SciPy is not installed")
    def test_with_matrices_and_foreign_operators(self):
        for other in (self.other, scipy.sparse.csr_matrix(self.other), scipy.sparse.linalg.aslinearoperator(self.other),
                      dyn.Operator.from_function(lambda V: self.other @ V, 7)):
            self.assert_is(self.H + other, self.matrix + self.other)
            self.assert_is(self.H - other, self.matrix - self.other)
        self.assert_is(self.other + self.H, self.matrix + self.other)
        self.assert_is(self.other - self.H, self.other - self.matrix)
        self.assert_is(self.H @ scipy.sparse.linalg.aslinearoperator(self.other), self.matrix @ self.other)
        with self.assertRaises(dyn.ShapeError):
            self.H + np.ones((3, 3))
        with self.assertRaises(dyn.ShapeError):
            dyn.eigh(np.ones((3, 4)))

    @unittest.skipIf(scipy is None, "SciPy is not installed")
    def test_exponential(self):
        found = scipy.sparse.linalg.expm_multiply(0.1 * self.H, self.v)
        np.testing.assert_allclose(found, scipy.linalg.expm(0.1 * self.matrix) @ self.v, rtol=1e-10)

    def test_blocks_by_name(self):
        net = dyn.mlp([2, 3, 1], seed=1)
        H = dyn.hessian(net, np.random.default_rng(1).normal(size=(9, 2)), np.ones(9))
        dense = H.dense()
        np.testing.assert_allclose(H.restricted("W1").dense(), dense[:6, :6], rtol=1e-12)
        np.testing.assert_allclose((H / 2).restricted(["b1", "W2"]).dense(), dense[6:12, 6:12] / 2, rtol=1e-12)
        with self.assertRaisesRegex(dyn.InvalidArgument, "W9.*W1, b1"):
            H.restricted("W9")
        with self.assertRaisesRegex(dyn.InvalidArgument, "no model"):
            self.H.restricted("W1")


if __name__ == "__main__":
    unittest.main()
