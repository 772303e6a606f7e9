# SPDX-License-Identifier: BSD-3-Clause
"""An objective by callback, 10^5 unknowns: its minimum, the lowest curvatures there by gradient differences."""
import resource

import numpy as np

import dyn

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

# ---- program ----
n = 100_000
h = np.r_[1.0, 2.0, 3.0, 4.0, 5.0, np.linspace(50, 100, n - 5)]
def value(t):
    return h @ (1 - np.cos(t)) + n * t.mean()**2 / 20
def value_and_gradient(t):
    return value(t), h * np.sin(t) + 0.1 * t.mean()
loss = dyn.Objective.from_functions(n, value, value_and_gradient)
run = dyn.Run(loss, theta=np.full(n, 0.5), optimizer=dyn.LBFGS(memory=10), gradient_tolerance=1e-6).train(500)
low = dyn.eigh(loss.hessian(run.theta), k=5, which="smallest", search=False)

# ---- check: at the minimum the Hessian is diag(h) + 0.1 / n; residuals contain what differences are wrong by ----
assert run.reason == "gradient" and np.max(abs(run.theta)) < 1e-6
assert np.max(abs(low.values - [1, 2, 3, 4, 5])) < 1e-6 + 0.1 / n
assert 0 < low.product_error < 1e-6 and (low.residuals >= 0).all() and "product_error" in repr(low)
products = (h * np.cos(run.theta))[:, None] * low.vectors + 0.1 * low.vectors.mean(0)
wrong = np.linalg.norm(loss.hessian(run.theta) @ low.vectors - products, axis=0)
assert np.max(wrong) <= low.product_error
exact = dyn.eigh(dyn.hessian(dyn.mlp([2, 3, 1], seed=1), np.eye(2), np.ones(2)), k=1)
assert exact.product_error == 0 and "product_error" not in repr(exact)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
kept = 64 * 2**20                         # what the context keeps of blocks that were given back, at most
assert grown < kept + 150 * 8 * n, grown    # 2 m vectors of the method, some of the solver's; n^2 numbers are 80 GB
