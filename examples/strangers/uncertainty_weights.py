# SPDX-License-Identifier: BSD-3-Clause
"""Two tasks weighted by their learned uncertainty: sum of exp(-s) L + s with a parameter s for each task."""
import numpy as np

import dyn

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 4))
near = np.sin(x[:, 0]) + 0.1 * rng.normal(size=300)
far = 30 * x[:, 1] + 10 * rng.normal(size=300)
net = dyn.mlp([4, 30, 2], seed=1)
scales = dyn.Model.from_function(lambda g, x: 0.0 * x[:, :1] + g.parameter("s", (2,), dyn.init.zero()), 4)
def tasks(net, scales, x, near, far):
    f, s = net(x), scales(x)
    errors = [(f[:, i] - y)**2 for i, y in enumerate((near, far))]
    return sum(dyn.exp(-s[:, i]) * error + s[:, i] for i, error in enumerate(errors))
loss = dyn.Objective(tasks, net, scales, x=x, near=near, far=far)
run = dyn.Run(loss, optimizer=dyn.Adam(1e-2)).train(15000)
s = run.theta[-2:]

# check: at the minimum in s, exp(s) is the mean squared error of each task
f = net(run.theta[:-2], x)
errors = np.array([np.mean((f[:, 0] - near)**2), np.mean((f[:, 1] - far)**2)])
print("errors", errors, "exp(s)", np.exp(s))
assert np.allclose(np.exp(s), errors, rtol=0.05)
