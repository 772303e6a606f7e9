# SPDX-License-Identifier: BSD-3-Clause
"""
The spectrum of a Hessian, whole and at its end
===============================================

The density of the Hessian's eigenvalues by Lanczos quadrature, with its standard error, and the largest eigenvalues with
their residuals: ten outliers stand out, about as many as there are classes.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 30, 10], seed=1)
run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.Adam(1e-2)).train(60)
H = dyn.hessian(run)
pairs = dyn.eigh(H, k=12, tolerance=1e-4)
grid = np.linspace(-0.5, 1.1 * pairs.values[0], 600)
density = H.density_curve(grid, width=0.02 * pairs.values[0])

figure = Figure(figsize=(7, 3.2), layout="constrained")
ax = figure.subplots()
ax.semilogy(grid, np.maximum(density.value, 1e-7), label="density")
ax.fill_between(grid, np.maximum(density.value - 2 * density.standard_error, 1e-7),
                np.maximum(density.value + 2 * density.standard_error, 1e-7), alpha=0.3, label="two standard errors")
ax.plot(pairs.values, np.full(len(pairs.values), 3e-5), "|", color="#c1121f", markersize=14, label="largest eigenvalues")
ax.set(xlabel="eigenvalue", ylabel="density", ylim=(1e-5, None))
_ = ax.legend()

# %%
# Each eigenvalue comes with its residual.
for value, residual in zip(pairs.values, pairs.residuals):
    print(f"{value:9.4f}   residual {residual:.1e}")
assert pairs.converged.all()
