# SPDX-License-Identifier: BSD-3-Clause
"""Which samples matter? Score them by the norm of their own gradient early in training, averaged over starts, and train
on the better half."""
import numpy as np

import dyn

x, y = dyn.data.digits()
x, y, tx, ty = x[:1200], y[:1200], x[1200:], y[1200:]
net = dyn.mlp([64, 30, 10], seed=1)
loss = dyn.Objective(net, x, y, loss="cross_entropy")
many = dyn.Replicas(net, x, y, "cross_entropy", dyn.Adam(5e-3), count=5, batch=100).train(30)
scores = np.mean([np.linalg.norm(loss.sample_gradients(theta), axis=1) for theta in many.theta], axis=0)
order = np.argsort(scores)
test = dyn.Objective(net, tx, ty, loss="cross_entropy")
def accuracy_on(kept):
    return test.accuracy(dyn.Run(net, x[kept], y[kept], "cross_entropy", dyn.Adam(5e-3), batch=100).train(400).theta)
accuracy = {name: accuracy_on(kept)
            for name, kept in (("hard half", order[600:]), ("easy half", order[:600]), ("all", order))}
print(accuracy)

# check: the scores of one start, by NumPy: a sample's gradient is an outer product in every layer
theta = many.theta[0]
W1, b1, W2, b2 = net.views(theta).values()
h = np.tanh(x @ W1 + b1)
p = np.exp(h @ W2 + b2)
d2 = p / p.sum(1, keepdims=True) - y
d1 = (d2 @ W2.T) * (1 - h**2)
norms = np.sqrt((d2**2).sum(1) * (1 + (h**2).sum(1)) + (d1**2).sum(1) * (1 + (x**2).sum(1)))
assert np.allclose(np.linalg.norm(loss.sample_gradients(theta), axis=1), norms, rtol=1e-10)
assert accuracy["hard half"] > accuracy["easy half"]
