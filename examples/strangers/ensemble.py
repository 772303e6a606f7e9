# SPDX-License-Identifier: BSD-3-Clause
"""A deep ensemble: eight trainings at once, their averaged probabilities, and how much its members disagree."""
import numpy as np

import dyn

x, y = dyn.data.digits()
x, y, tx, ty = x[:400], y[:400], x[1200:], y[1200:]
net = dyn.mlp([64, 30, 10], seed=1)
many = dyn.Replicas(net, x, y, "cross_entropy", dyn.Adam(5e-3), count=8, batch=50).train(300)
logits = np.array([net(theta, tx) for theta in many.theta])
shares = np.exp(logits - logits.max(-1, keepdims=True))
shares /= shares.sum(-1, keepdims=True)
together = shares.mean(0)
def nll(p):
    return -np.log(p[ty > 0]).mean()
def entropy(p):
    return -(p * np.log(p)).sum(-1)
disagreement = entropy(together) - entropy(shares).mean(0)
print(f"members {np.mean([nll(p) for p in shares]):.3f}, ensemble {nll(together):.3f}")

# check: Jensen's inequality; disagreement is not negative; a member is the run of its seed
assert nll(together) < np.mean([nll(p) for p in shares]) and disagreement.min() > -1e-12
wrong = together.argmax(1) != ty.argmax(1)
assert disagreement[wrong].mean() > disagreement[~wrong].mean()
first = dyn.Run(net, x, y, "cross_entropy", dyn.Adam(5e-3), batch=50, theta=net.initial(1)).train(300)
assert np.array_equal(first.theta, many.theta[0])
