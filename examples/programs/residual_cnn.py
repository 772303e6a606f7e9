# SPDX-License-Identifier: BSD-3-Clause
"""A residual convolutional network with batch norm and dropout on digits of 8 x 8 pixels."""
import os
import sys
import tempfile

import numpy as np

import dyn

# ---- program ----
x, y = dyn.data.digits()
x = x.reshape(-1, 8, 8, 1)
def convolution(g, name, x, width):
    w = g.parameter(f"{name}.W", (3, 3, x.shape[-1], width))
    gain = g.parameter(f"{name}.gain", (width,), dyn.init.constant(1))
    shift = g.parameter(f"{name}.shift", (width,), dyn.init.zero())
    return dyn.batch_norm(dyn.conv2d(x, w, padding=1), gain, shift, name=name)
def build(g, x):
    x = dyn.relu(convolution(g, "begin", x, 16))
    for block in "12":
        inner = dyn.dropout(dyn.relu(convolution(g, f"{block}a", x, 16)), 0.1)
        x = dyn.relu(x + convolution(g, f"{block}b", inner, 16))
    return x.mean((1, 2)) @ g.parameter("W", (16, 10)) + g.parameter("b", (10,))
net = dyn.Model.from_function(build, (8, 8, 1), init=dyn.init.he(), seed=1)
run = dyn.Run(net, x[:1500], y[:1500], "cross_entropy", dyn.Adam(3e-3), batch=100, validation=(x[1500:], y[1500:]))
run.train(epochs=4 if "--quick" in sys.argv else 20)

# ---- check: measured is NumPy's network with the stored statistics and no mask; they are in the checkpoint ----
p, s = net.views(run.theta), run.states


def forward(x, statistics):
    def conv(name, x):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), (3, 3), (1, 2))
        x = np.einsum("nhwikl,klio->nhwo", windows, p[f"{name}.W"], optimize=True)
        mean, var = statistics(name, x)
        return (x - mean) / np.sqrt(var + 1e-5) * p[f"{name}.gain"] + p[f"{name}.shift"]
    x = np.maximum(conv("begin", x), 0)
    for block in "12":
        x = np.maximum(x + conv(f"{block}b", np.maximum(conv(f"{block}a", x), 0)), 0)
    return x.mean((1, 2)) @ p["W"] + p["b"]


f = forward(x[1500:], lambda name, x: (s[f"{name}.mean"], s[f"{name}.var"]))
loss = np.mean(np.log(np.exp(f).sum(1)) - f[y[1500:] > 0])
assert abs(run.validation.value(run.theta) - loss) < 1e-10
assert run.validation.accuracy(run.theta) == np.mean(f.argmax(1) == y[1500:].argmax(1)) > 0.6
moved = dyn.Run(net, x[:100], y[:100], "cross_entropy", dyn.GD(0.0)).train(1)       # theta stands, statistics move
p, seen = net.views(net.initial()), {}
forward(x[:100], lambda name, x: seen.setdefault(name, (x.mean((0, 1, 2)), x.var((0, 1, 2)))))
for place, name in enumerate(("mean", "var")):
    share = 100 * 64 / (100 * 64 - 1) if name == "var" else 1       # PyTorch keeps the variance without bias
    assert np.allclose(moved.states[f"begin.{name}"], 0.1 * share * seen["begin"][place] + 0.9 * place, rtol=1e-10)
with tempfile.TemporaryDirectory() as folder:
    run.save(os.path.join(folder, "run.npz"))
    again = dyn.Run.load(os.path.join(folder, "run.npz"), net, x[:1500], y[:1500])
assert all(np.array_equal(again.states[name], value) for name, value in s.items())
assert np.array_equal(again.train(3).theta, run.train(3).theta)
