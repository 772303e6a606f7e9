# SPDX-License-Identifier: BSD-3-Clause
"""Curvature in float32 against float64: the digits' Hessian at parameters that float32 holds."""
import unittest
import warnings

import numpy as np

import dyn


class Eigenpairs(unittest.TestCase):
    def setUp(self):
        x, y = dyn.data.digits()
        net = dyn.mlp([64, 30, 10], seed=1)
        theta = np.float32(dyn.Run(net, x, y, "cross_entropy", dyn.Adam(3e-3), batch=64).train(100).theta)
        self.wide, self.narrow = (dyn.Objective(net, x, y, loss="cross_entropy", dtype=dtype).hessian(theta)
                                  for dtype in ("float64", "float32"))

    def test_within_the_floor(self):
        wide, narrow = (dyn.eigh(H, k=4, search=False) for H in (self.wide, self.narrow))
        self.assertEqual(wide.floor, 0)
        self.assertTrue(0 < narrow.floor < 1e-5 * narrow.values[0])
        np.testing.assert_allclose(narrow.values, wide.values, rtol=0, atol=10 * narrow.floor)
        np.testing.assert_allclose(narrow.vectors.T @ narrow.vectors, np.eye(4), rtol=0, atol=1e-13)
        products = self.narrow @ narrow.vectors - narrow.vectors * narrow.values
        np.testing.assert_allclose(np.linalg.norm(products, axis=0), narrow.residuals, rtol=0, atol=4 * narrow.floor)

    def test_less_memory(self):
        self.assertLess(dyn.memory_of_eigh(self.narrow, k=4), dyn.memory_of_eigh(self.wide, k=4))

    def test_a_tolerance_of_float64(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            pairs = dyn.eigh(self.narrow, k=1, tolerance=1e-13)
        self.assertIn("products in float32 are rounded by", str(said[0].message))
        self.assertFalse(pairs.converged.any())
        self.assertLess(pairs.products, 500)


if __name__ == "__main__":
    unittest.main()
