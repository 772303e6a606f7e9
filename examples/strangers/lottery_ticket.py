# SPDX-License-Identifier: BSD-3-Clause
"""A lottery ticket: train, keep the largest tenth of the weights, go back to the start, train them alone; beside it as
many weights at random."""
import numpy as np

import dyn

x, y = dyn.data.digits()
x, y, tx, ty = x[:1200], y[:1200], x[1200:], y[1200:]
net = dyn.mlp([64, 60, 10], seed=1)
theta = net.initial()
end = dyn.Run(net, x, y, "cross_entropy", dyn.Adam(3e-3), batch=100).train(300).theta
weights = np.concatenate([net.index("W1").ravel(), net.index("W2").ravel()])
def ticket(kept):
    mask = np.ones(net.size)
    mask[weights] = 0
    mask[kept] = 1
    def masked(theta, g, rate, m, v, k):
        g = g * mask
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        return theta - rate * (m / (1 - 0.9**k)) / (dyn.sqrt(v / (1 - 0.999**k)) + 1e-8), m, v
    return mask, dyn.Run(net, x, y, "cross_entropy", dyn.Rule(3e-3, masked), theta=theta * mask, batch=100).train(300)
count = len(weights) // 10
winner, ticket_run = ticket(weights[np.argsort(-abs(end[weights]))[:count]])
other, random_run = ticket(np.random.default_rng(0).choice(weights, count, replace=False))
test = dyn.Objective(net, tx, ty, loss="cross_entropy")
accuracy = [test.accuracy(t) for t in (end, ticket_run.theta, random_run.theta)]
print("accuracy of all, of the ticket, of as many at random:", np.round(accuracy, 3))

# check: what is masked stays zero bit by bit; without a mask the rule is the library's Adam; the ticket is the better
assert not ticket_run.theta[winner == 0].any() and not random_run.theta[other == 0].any()
_, whole = ticket(weights)
assert np.abs(whole.theta - end).max() < 1e-8
assert accuracy[1] > accuracy[2]
