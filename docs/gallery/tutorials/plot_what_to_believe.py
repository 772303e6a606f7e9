# SPDX-License-Identifier: BSD-3-Clause
"""
What can I believe?
===================

Every number that comes from an iteration or from random samples says how well it is known. This page shows what to look at.
"""
import warnings

import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 20, 10], seed=1)
run = dyn.Run(net, x[:500], y[:500], loss="cross_entropy", optimizer=dyn.Adam(1e-2)).train(100)
H = dyn.hessian(run)

# %%
# **Eigenvalues** come with residuals. An eigenvalue of a symmetric operator is off by at most its residual, whatever the
# iteration did; and a bound tells how probable it is that one beyond those given was missed.
pairs = dyn.eigh(H, k=3, tolerance=1e-8)
exact = np.linalg.eigvalsh(H.dense())[::-1][:3]
for value, residual, true in zip(pairs.values, pairs.residuals, exact):
    print(f"{value:.12f}   residual {residual:.1e}   off by {abs(value - true):.1e}")
print("bound on the probability that one was missed:", pairs.miss_bound)
assert (np.abs(pairs.values - exact) <= pairs.residuals + 1e-12).all()

# %%
# **What has not converged says so**: a warning, and a flag beside each value.
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    early = dyn.eigh(H, k=3, tolerance=1e-12, max_products=15)
print([str(w.category.__name__) for w in caught], early.converged)
assert not early.converged.all()

# %%
# **Estimates** from random vectors come with a standard error. Here it is put to the test a hundred times.
trace = H.dense().trace()
estimates = [H.trace(products=30, seed=seed) for seed in range(100)]
away = np.array([(e.value - trace) / e.standard_error for e in estimates])
figure = Figure(figsize=(7, 2.6), layout="constrained")
ax = figure.subplots()
ax.hist(away, bins=np.linspace(-4, 4, 33), color="#1f5fa8")
_ = ax.set(xlabel="error / standard error", ylabel="of 100 estimates")
print(f"within two standard errors: {np.mean(np.abs(away) < 2):.0%}")

# %%
# **Ranks** come with the singular values and the gap at the cut. Without a gap there is no rank to report.
clear = dyn.model_rank(dyn.mlp([1, 2, 1], bias=False), [1.0, 1.0, 1.0, 1.0])
print(f"two equal neurons: rank {clear.rank}, gap {clear.largest_gap:.1e}")
t = np.linspace(-1, 1.5, 40)
trained = dyn.Run(dyn.mlp([1, 30, 1], seed=1), t, np.sin(4 * t), optimizer=dyn.Adam(1e-2)).train(2000)
blurred = dyn.model_rank(trained.objective.model, trained.theta, rule="gap", probe_std=4)
print(f"a trained network: the largest gap is {blurred.largest_gap:.1f}, all {blurred.rank} parameters count")
assert blurred.largest_gap < 10

# %%
# **Functions of your own** are checked against differences before anything is built on them. A wrong factor is found.
right = dyn.Objective.from_functions(2, lambda t: t @ t, lambda t: (t @ t, 2 * t))
wrong = dyn.Objective.from_functions(2, lambda t: t @ t, lambda t: (t @ t, 2.1 * t))
print(right.check_gradient([1.0, 2.0]).passed, wrong.check_gradient([1.0, 2.0]).passed)
assert right.check_gradient([1.0, 2.0]).passed and not wrong.check_gradient([1.0, 2.0]).passed

# %%
# **The same bits** come out for any number of threads.
thetas = []
for threads in (1, 2):
    with dyn.Context(threads=threads):
        net = dyn.mlp([64, 20, 10], seed=1)
        thetas.append(dyn.Run(net, x, y, optimizer=dyn.Adam(1e-2)).train(20).theta)
assert np.array_equal(*thetas)
