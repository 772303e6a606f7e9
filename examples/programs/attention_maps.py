# SPDX-License-Identifier: BSD-3-Clause
"""Attention maps of layer 2, head 1 of a GPT at three steps of its training, and the loss's gradient by them."""
import numpy as np

import dyn

# ---- program ----
rng, length = np.random.default_rng(0), 12
text = np.cumsum(rng.integers(1, 3, (64, length + 1)), axis=1) % 16         # walks by 1 or 2 on a circle
net = dyn.gpt(16, length, layers=2, heads=2, width=16, seed=1)
run = dyn.Run(net, text[:, :-1], text[:, 1:], "cross_entropy", optimizer=dyn.Adam(3e-3))
def map_and_slope(state):
    values, slopes = state.run.objective.inside(state.theta, "layer2.attention", gradient=True)
    return np.concatenate([values[:, 0].ravel(), slopes[:, 0].ravel()])
run.measure(map_and_slope, name="maps", at=(0, 50, 200))
run.train(201)
maps, slopes = run["maps"].values.reshape(3, 2, 64, length, length).swapaxes(0, 1)

# ---- check: rows are shares of the past; the gradient is the change of the loss that NumPy computes from the map ----
assert np.allclose(maps.sum(-1), 1, atol=1e-12) and np.allclose(np.triu(maps, 1), 0) and maps.shape == (3, 64, 12, 12)
last = dyn.Run(net, text[:, :-1], text[:, 1:], "cross_entropy", optimizer=dyn.Adam(3e-3)).train(200)
p = net.views(last.theta)
inside = last.objective.inside(last.theta, "layer1.stream", "layer2.attention")


def normed(x, gain, shift):
    shifted = x - x.mean(-1, keepdims=True)
    return shifted / np.sqrt((shifted**2).mean(-1, keepdims=True) + 1e-5) * p[gain] + p[shift]


def loss_of(attention):
    x = inside["layer1.stream"]
    v = (normed(x, "layer2.gain1", "layer2.shift1") @ p["layer2.Wv"] + p["layer2.bv"]).reshape(64, length, 2, 8)
    x = x + (attention @ v.swapaxes(1, 2)).swapaxes(1, 2).reshape(x.shape) @ p["layer2.Wo"] + p["layer2.bo"]
    h = normed(x, "layer2.gain2", "layer2.shift2") @ p["layer2.W1"] + p["layer2.b1"]
    h = h / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
    logits = normed(x + h @ p["layer2.W2"] + p["layer2.b2"], "gain", "shift") @ p["embedding"].T
    share = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, text[:, 1:, None], -1)[..., 0]
    return share.mean()


attention = inside["layer2.attention"]
assert np.array_equal(attention[:, 0], maps[2])
assert abs(loss_of(attention) - last.objective.value(last.theta)) < 1e-12
direction = np.zeros_like(attention)
direction[:, 0] = rng.standard_normal((64, length, length))
slope = (loss_of(attention + 1e-6 * direction) - loss_of(attention - 1e-6 * direction)) / 2e-6
assert abs(slope - np.sum(slopes[2] * direction[:, 0])) < 1e-8 * (1 + abs(slope))
