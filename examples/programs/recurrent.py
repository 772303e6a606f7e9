# SPDX-License-Identifier: BSD-3-Clause
"""A recurrent network with a tied embedding on sequences of different length: say the token before the last."""
import sys
import time

import numpy as np

import dyn

# ---- program ----
rng = np.random.default_rng(0)
V, T, d = 8, 12, 24
tokens, lengths = rng.integers(0, V, size=(256, T)), rng.integers(4, T + 1, size=256)
mask = (np.arange(T) < lengths[:, None]) & (np.arange(T) > 0)
def recurrent(g, tokens):
    E, W = g.parameter("E", (V, d)), g.parameter("W", (d, d))
    e, hidden = dyn.embedding(tokens, E), []
    for t in range(T):
        hidden.append(dyn.tanh(e[:, t] + hidden[-1] @ W if t else e[:, t]))
    return dyn.concatenate([(h @ E.T).reshape(-1, 1, V) for h in hidden], axis=1)
net = dyn.Model.from_function(recurrent, tokens=dyn.Indices(T), init=dyn.init.normal(0.3), seed=1)
targets = np.roll(tokens, 1, axis=1)
run = dyn.Run(net, tokens, targets, loss="cross_entropy", weight=mask, optimizer=dyn.Adam(1e-2))
run.train(20 if "--quick" in sys.argv else 400)

# ---- check: one tensor E in theta; the loss by NumPy; what is masked has no part ----
assert list(net.tensors) == ["E", "W"]
E, W = net.views(run.theta).values()
h, total = np.zeros((256, d)), 0.0
for t in range(T):
    h = np.tanh(E[tokens[:, t]] + h @ W)
    z = h @ E.T
    total += np.sum(mask[:, t] * (np.log(np.exp(z).sum(axis=1)) - z[np.arange(256), targets[:, t]]))
assert abs(run.objective.value(run.theta) - total / 256 / T) < 1e-11
other = np.where(mask, targets, 0)
unmasked = dyn.Objective(net, tokens, other, loss="cross_entropy", weight=mask)
assert unmasked.value(run.theta) == run.objective.value(run.theta)
begin = time.process_time()
T = 200
long = dyn.Model.from_function(recurrent, tokens=dyn.Indices(T))
ids = rng.integers(0, V, (4, T))
dyn.Objective(long, ids, ids, loss="cross_entropy").gradient(long.initial())
took = time.process_time() - begin
print(f"gradient of 200 steps built and compiled in {took:.2f} s")
assert took < 1
