# SPDX-License-Identifier: BSD-3-Clause
"""A student learns a teacher's outputs at temperature 3 under fresh noise on the inputs; its sharpness meanwhile."""
import sys

import numpy as np

import dyn

# ---- program ----
x, y = dyn.data.digits()
big, small = dyn.mlp([64, 100, 10], seed=1), dyn.mlp([64, 20, 10], seed=2)
steps = 50 if "--quick" in sys.argv else 500
taught = dyn.Run(big, x, y, loss="cross_entropy", optimizer=dyn.Adam(3e-3)).train(steps)
def distil(net, x, teacher):
    z = x + 0.1 * dyn.normal_like(x)
    return -9.0 * (dyn.softmax(teacher(z) / 3) * dyn.log_softmax(net(z) / 3)).sum(axis=1)
objective = dyn.Objective(distil, small, x=x, teacher=dyn.frozen(big, taught.theta))
run = dyn.Run(objective, optimizer=dyn.Adam(3e-3))
run.measure(dyn.Sharpness(k=1), every=10)
run.train(steps)

# ---- check: theta is the student's; at another teacher nothing is compiled again ----
assert objective.size == small.size and len(run["sharpness"].steps) == steps // 10 + 1
def entropy_of(tau):                             # without noise the loss at the teacher itself is its entropy
    p = np.exp(big(tau, x) / 3)
    p /= p.sum(axis=1, keepdims=True)
    return -9 * np.mean((p * np.log(p)).sum(axis=1))
def still(net, x, teacher):
    return -9.0 * (dyn.softmax(teacher(x) / 3) * dyn.log_softmax(net(x) / 3)).sum(axis=1)
same = dyn.Objective(still, big, x=x, teacher=dyn.frozen(big, taught.theta))
assert abs(same.value(taught.theta) - entropy_of(taught.theta)) < 1e-12
same.set_data("teacher", big.initial())
assert abs(same.value(big.initial()) - entropy_of(big.initial())) < 1e-12
