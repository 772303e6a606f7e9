# SPDX-License-Identifier: BSD-3-Clause
"""differences.py in SciPy. The differences there tell no error of their own."""
import numpy as np
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, eigsh

from pair import agree, ours

TAKE = {"values": "low.values", "loss": "value(run.theta)"}
# ---- program ----
n = 100_000
h = np.r_[1.0, 2.0, 3.0, 4.0, 5.0, np.linspace(50, 100, n - 5)]
def value_and_gradient(t):
    return h @ (1 - np.cos(t)) + n * t.mean()**2 / 20, h * np.sin(t) + 0.1 * t.mean()
found = minimize(value_and_gradient, np.full(n, 0.5), jac=True, method="L-BFGS-B",
                 options=dict(maxcor=10, ftol=0, gtol=1e-9, maxiter=500))
def product(v, step=1e-4):
    v = v.ravel()
    a, b = (value_and_gradient(found.x + s * step * v)[1] for s in (1, -1))
    return (a - b) / (2 * step)
low = eigsh(LinearOperator((n, n), product, dtype=float), 5, which="SA", tol=1e-6)[0]

# ---- check ----
agree("smallest value", found.fun, ours["loss"], atol=1e-9)
agree("five lowest eigenvalues", np.sort(low), np.sort(ours["values"]), atol=1e-5)
