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
    for t in range(tokens.shape[1]):
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
def work(T):
    """Nodes of the graph of a gradient, and lines of its plan."""
    g, long = dyn.Graph(), dyn.Model.from_function(recurrent, tokens=dyn.Indices(T))
    f = long(g.indices("tokens", (4, T)))
    gradient = g.gradient((f * f).mean(), [g.find(name) for name in long.tensors])
    return len(g), g.compile(*gradient).text().count("\n")
begin = time.process_time()
half, whole = work(100), work(200)
took = time.process_time() - begin
print(f"gradients of 100 and 200 steps: {half} and {whole} nodes and lines of the plan, in {took:.2f} s")
assert all(w < 2.1 * h for h, w in zip(half, whole))        # twice the steps, twice as much to compile
