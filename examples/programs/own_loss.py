# SPDX-License-Identifier: BSD-3-Clause
"""An own loss: Huber with a weight per sample, and a label-smoothed head; its Gauss-Newton product."""
import numpy as np

import dyn

# ---- program ----
rng = np.random.default_rng(0)
x, y, w, c = rng.normal(size=(200, 5)), rng.normal(size=200), rng.uniform(size=200), np.eye(3)[rng.integers(0, 3, 200)]
def loss(net, x, y, w, c):
    f = net(x)
    e, p = abs(f[:, 0] - y), 0.9 * c + 0.1 / 3
    return w * dyn.where(e > 1, e - 0.5, e**2 / 2) + dyn.logsumexp(f[:, 1:]) - (p * f[:, 1:]).sum(axis=1)
objective = dyn.Objective(loss, dyn.mlp([5, 20, 4], seed=1), x=x, y=y, w=w, c=c)
theta = objective.initial()
v = rng.normal(size=theta.size)
product = objective.ggn(theta) @ v

# ---- check: J^T H J v with the Hessian of the loss in the outputs written out ----
net = objective.model
f, J = net(theta, x), objective.jacobian(theta)
p = np.exp(f[:, 1:]) / np.exp(f[:, 1:]).sum(axis=1, keepdims=True)
H = np.zeros((200, 4, 4))
H[:, 0, 0] = w * (abs(f[:, 0] - y) <= 1)
H[:, 1:, 1:] = np.einsum("ni,ij->nij", p, np.eye(3)) - np.einsum("ni,nj->nij", p, p)
expected = np.einsum("nip,nij,njq,q->p", J, H, J, v, optimize=True) / 200
assert np.max(abs(product - expected)) <= 1e-10 * np.max(abs(expected))
own = dyn.Objective(lambda net, x: net(dyn.tanh(x * net(x)[:, :1]))[:, 0]**2, net, x=x)
own.ggn(theta)      # of the outputs of two calls: still of outputs alone
beside = dyn.Objective(lambda net, x: net(x)[:, 0]**2 * x.graph.find("b2")[:1], net, x=x)
try:
    beside.ggn(theta)
    raise AssertionError("a loss that reaches a tensor by another way was taken")
except dyn.NotSupported as refused:
    assert "not only through the outputs" in str(refused)


def roughness(net, s):
    return dyn.derivative(net(s), s)[:, 0]**2


uneven = dyn.Objective(roughness, dyn.mlp([1, 5, 1], seed=1), s=x[:, :1])
try:
    uneven.ggn(uneven.initial())
    raise AssertionError("a Gauss-Newton matrix was made of a loss that is not of the outputs alone")
except dyn.NotSupported as error:
    assert "W1" in str(error)
