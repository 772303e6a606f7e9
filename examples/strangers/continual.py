# SPDX-License-Identifier: BSD-3-Clause
"""Elastic weight consolidation: digits 0 to 4, then 5 to 9, with a penalty by the Fisher information of the first."""
import numpy as np

import dyn

x, labels = dyn.data.digits(one_hot=False)
y, old = np.eye(10)[labels], labels < 5
net = dyn.mlp([64, 40, 10], seed=1)
first = dyn.Objective(net, x[old], y[old], loss="cross_entropy")
start = dyn.Run(first, optimizer=dyn.Adam(3e-3), batch=50).train(300).theta
fisher = (first.sample_gradients(start)**2).mean(axis=0)
second = dyn.Objective(net, x[~old], y[~old], loss="cross_entropy")
penalty = 3000 * fisher
def value_and_gradient(theta):
    value, slope = second.gradient(theta)
    return value + penalty @ (theta - start)**2 / 2, slope + penalty * (theta - start)
def consolidated(t):
    return value_and_gradient(t)[0]
both = dyn.Objective.from_functions(net.size, consolidated, value_and_gradient)
plain = dyn.Run(second, theta=start, optimizer=dyn.Adam(1e-3)).train(150).theta
elastic = dyn.Run(both, theta=start, optimizer=dyn.Adam(1e-3)).train(150).theta
losses = [first.value(theta) for theta in (start, plain, elastic)]
print("loss on the first five digits: before %.3f, plain %.2f, elastic %.2f" % tuple(losses))

# check: the Fisher information is NumPy's, from outer products; less is forgotten, and the new is learned
W1, b1, W2, b2 = net.views(start).values()
h = np.tanh(x[old] @ W1 + b1)
p = np.exp(h @ W2 + b2)
d2 = p / p.sum(1, keepdims=True) - y[old]
expected = np.einsum("ni,nj->ij", h**2, d2**2).ravel() / old.sum()
assert np.allclose(fisher[net.index("W2").ravel()], expected, rtol=1e-10)
assert first.value(elastic) < 0.7 * first.value(plain) and second.value(elastic) < 0.5 * second.value(start)
