# SPDX-License-Identifier: BSD-3-Clause
"""Estimates, sums, solves and eigenpairs of operators that are zero, the identity, of one row, indefinite, singular,
with products that are not finite or that stop: the closed form's value, or an error where there is none."""
import unittest
import warnings

import numpy as np

import dyn

# eigenvalues: of a diagonal matrix
SPECTRA = {"zero": np.zeros(6), "identity": np.ones(6), "one": np.array([3.0]), "minus one": np.array([-2.0]),
           "indefinite": np.array([4.0, 1.0, -1.0, -3.0, 2.0, -2.0]),
           "singular": np.array([2.0, 1.0, 0.0, 0.0, 5.0, 3.0])}
MEASURED = {
    "trace": lambda A: A.trace(6), "XTrace": lambda A: A.trace(6, "xtrace"), "diagonal": lambda A: A.diagonal(4),
    "Hutchinson": lambda A: A.trace(6, "hutchinson"), "norm": lambda A: dyn.frobenius_norm(A),
    "density": lambda A: A.density(4, A.size), "effective dimension": lambda A: dyn.effective_dimension(A, 0.5),
    "negative share": lambda A: dyn.negative_share(A, 0.5), "log determinant": lambda A: dyn.log_determinant(A, 7.0),
    "solve": lambda A: dyn.solve(A.shifted(0.5), np.ones(A.size)),
    "exponential": lambda A: dyn.exponential(A, 1.0, np.ones(A.size)),
    "eigenpairs": lambda A: dyn.eigh(A), "dense": lambda A: A.dense()}


def diagonal(values):
    return dyn.Operator.from_function(lambda V: values[:, None] * V, len(values))


class Spectra(unittest.TestCase):
    def each(self, test):
        for name, values in SPECTRA.items():
            with self.subTest(spectrum=name):
                test(values, diagonal(values))

    def test_all_eigenpairs_but_none_or_one(self):
        def test(values, A):
            for k in range(max(1, len(values) - 1), len(values) + 1):
                for which, order in (("largest", -values), ("smallest", values)):
                    found = dyn.eigh(A, k, which, 1e-10)
                    np.testing.assert_allclose(found.values, values[np.argsort(order, kind="stable")][:k], atol=1e-12)
                    self.assertTrue(found.converged.all())
                    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(k), atol=1e-12)
        self.each(test)

    def test_estimates(self):
        """Random signs see a diagonal matrix as it is: no estimate is off, and each says so."""
        def test(values, A):
            for found, value in ((A.trace(6), values.sum()), (A.trace(6, "hutchinson"), values.sum()),
                                 (A.diagonal(4), values), (dyn.frobenius_norm(A), np.linalg.norm(values))):
                np.testing.assert_allclose(found.value, value, atol=1e-12)
                np.testing.assert_allclose(found.standard_error, 0, atol=1e-12)
            for seed in range(5):
                found = A.trace(6, "xtrace", seed)
                self.assertLessEqual(abs(found.value - values.sum()), 6 * found.standard_error + 1e-10)
        self.each(test)

    def test_sums_over_the_spectrum(self):
        def test(values, A):
            positive, n = np.maximum(values, 0), len(values)
            density = A.density(60, n)
            np.testing.assert_allclose(density.weights.sum(1), 1, rtol=1e-12)
            for found, value in (
                    (dyn.effective_dimension(A, 0.5, density=density), (positive / (positive + 0.5)).sum()),
                    (dyn.negative_share(A, 0.5, density=density), np.mean(values < -0.5)),
                    (dyn.log_determinant(A, 7.0, probes=60), np.log(values + 7).sum())):
                self.assertTrue(np.isfinite(found.value))
                self.assertLessEqual(abs(found.value - value), 6 * found.standard_error + 1e-12)
        self.each(test)

    def test_solves_and_exponentials(self):
        def test(values, A):
            b = np.arange(1.0, len(values) + 1)
            found = dyn.solve(A.shifted(0.5), b, tolerance=1e-12)
            np.testing.assert_allclose(found.x, b / (values + 0.5), rtol=1e-9)
            np.testing.assert_allclose(dyn.exponential(A, 0.5, b).value, np.exp(values / 2) * b, rtol=1e-9)
            np.testing.assert_array_equal(dyn.solve(A.shifted(0.5), 0 * b).x, 0 * b)
        self.each(test)

    def test_no_logarithm_of_what_is_not_positive(self):
        for name in ("zero", "indefinite", "minus one"):
            with self.subTest(spectrum=name), self.assertRaises(dyn.InvalidArgument):
                dyn.log_determinant(diagonal(SPECTRA[name]))

    def test_a_singular_equation_is_not_called_solved(self):
        b = np.ones(6)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = dyn.solve(diagonal(SPECTRA["singular"]), b)
        self.assertEqual([w.category for w in caught], [dyn.NotConverged])
        self.assertGreaterEqual(found.residual, np.sqrt(2) * (1 - 1e-9))       # of the two rows that are zero


class Faults(unittest.TestCase):
    """At the first product, and after three columns."""

    def each(self, error, fault):
        for name, measure in MEASURED.items():
            for good in (0, 3):
                seen = 0

                def product(V):
                    nonlocal seen
                    seen += V.shape[1]
                    return fault(V) if seen > good else np.arange(1.0, 41)[:, None] * V
                with self.subTest(measurement=name, good=good), self.assertRaises(error):
                    measure(dyn.Operator.from_function(product, 40))

    def test_products_that_are_not_finite(self):
        for bad in (np.nan, np.inf):
            self.each(dyn.NonFinite, lambda V: np.full_like(V, bad))

    def test_products_that_stop(self):
        def fault(V):
            raise KeyError("stopped here")
        self.each(KeyError, fault)


if __name__ == "__main__":
    unittest.main()
