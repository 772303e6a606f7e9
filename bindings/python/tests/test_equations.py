# SPDX-License-Identifier: BSD-3-Clause
"""Maps, solves, exponentials and sums over spectra against NumPy."""
import unittest
import warnings

import numpy as np

import dyn

RNG = np.random.default_rng(5)
J = RNG.standard_normal((4, 6))
K = RNG.standard_normal((3, 6))
S = RNG.standard_normal((6, 6))
S = S + S.T


def of(matrix):
    return dyn.Map.from_functions(lambda V: matrix @ V, lambda W: matrix.T @ W, matrix.shape)


def symmetric(matrix):
    return dyn.Operator.from_function(lambda V: matrix @ V, len(matrix))


class Maps(unittest.TestCase):
    def test_products(self):
        A, V = of(J), RNG.standard_normal((6, 3))
        self.assertEqual(A.shape, (4, 6))
        np.testing.assert_allclose(A @ V, J @ V, rtol=1e-13)
        np.testing.assert_allclose(A @ V[:, 0], J @ V[:, 0], rtol=1e-13)
        np.testing.assert_allclose(A.T @ (J @ V), J.T @ J @ V, rtol=1e-12)
        np.testing.assert_allclose(A.rmatvec(J @ V[:, 1]), J.T @ J @ V[:, 1], rtol=1e-12)
        np.testing.assert_allclose(A.T.dense(), J.T)
        self.assertLess(A.mismatch(), 1e-15)
        with self.assertRaises(dyn.ShapeError):
            A @ np.ones(4)

    def test_made_of_others(self):
        A, B, C = of(J), of(K), symmetric(S)
        np.testing.assert_allclose((A @ B.T).dense(), J @ K.T, atol=1e-13)
        np.testing.assert_allclose((A @ C).dense(), J @ S, atol=1e-13)
        np.testing.assert_allclose(dyn.kronecker(A, B).dense(), np.kron(J, K), atol=1e-13)
        np.testing.assert_allclose(dyn.kronecker(C, C).dense(), np.kron(S, S), atol=1e-13)
        np.testing.assert_allclose(dyn.low_rank(J.T, [1, 2, -3, 0.5]).dense(), J.T @ np.diag([1, 2, -3, 0.5]) @ J,
                                   atol=1e-13)
        np.testing.assert_allclose(dyn.low_rank(J, np.arange(6.0), K).dense(), J @ np.diag(np.arange(6.0)) @ K.T,
                                   atol=1e-13)
        top = dyn.eigh(A.gram(), 1, tolerance=1e-12).values[0]
        self.assertAlmostEqual(top, np.linalg.norm(J, 2) ** 2, places=10)
        with self.assertRaises(dyn.ShapeError):
            dyn.eigh(A)

    def test_wrong_adjoints_show(self):
        A = dyn.Map.from_functions(lambda V: J @ V, lambda W: -J.T @ W, J.shape)
        self.assertGreater(A.mismatch(), 0.1)


class Equations(unittest.TestCase):
    def setUp(self):
        q = np.linalg.qr(RNG.standard_normal((50, 50)))[0]
        self.values = np.linspace(0.5, 4.0, 50)
        self.matrix = q @ np.diag(self.values) @ q.T
        self.A, self.b = symmetric(self.matrix), RNG.standard_normal(50)

    def test_solves(self):
        expected = np.linalg.solve(self.matrix, self.b)
        for method in ("minres", "gradients"):
            s = dyn.solve(self.A, self.b, method=method, tolerance=1e-12)
            np.testing.assert_allclose(s.x, expected, rtol=1e-9, atol=1e-10)
            self.assertLessEqual(s.residual, 1e-12 * np.linalg.norm(self.b))
        with self.assertRaises(dyn.InvalidArgument):
            dyn.solve(self.A.shifted(-2.0), self.b, method="gradients")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            dyn.solve(self.A, self.b, max_products=4)
        self.assertIs(caught[0].category, dyn.NotConverged)

    def test_exponential(self):
        w, Q = np.linalg.eigh(self.matrix)
        for t in (-2.0, 1.5):
            y = dyn.exponential(self.A, t, self.b)
            expected = Q @ (np.exp(t * w) * (Q.T @ self.b))
            self.assertLess(np.linalg.norm(y.value - expected), 1e-9 * np.linalg.norm(expected))

    def test_sums(self):
        d = self.A.density(30, 20, seed=1)
        for f in (np.exp, np.square, np.log):
            sum_ = dyn.spectral_sum(f, d, 50)
            self.assertLess(abs(sum_.value - f(self.values).sum()), 4 * sum_.standard_error + 1e-9)
        value, error = dyn.log_determinant(self.A, probes=30, seed=2)
        self.assertLess(abs(value - np.log(self.values).sum()), 4 * error)
        trace = self.A.trace(20, method="xtrace")
        self.assertLess(abs(trace.value - self.values.sum()), 5 * trace.standard_error)


if __name__ == "__main__":
    unittest.main()
