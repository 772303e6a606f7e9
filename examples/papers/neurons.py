# SPDX-License-Identifier: BSD-3-Clause
"""What the programs on targets of a single neuron share (arXiv 2405.13787, 2309.00508): tanh(Σ x_i + 1) by a few
neurons with biases, starts with a ratio C_1 / C_2, C_k = a_k |γ| + w_k·γ, γ = Σ y_i (x_i, 1), and gradient descent on
½ Σ (f - y)²."""
import numpy as np

import dyn

GRID = np.linspace(-2, 2, 1000)


def network(inputs, neurons=2):
    return dyn.mlp([inputs, neurons, 1], output_bias=False)


NET = network(1)


def rows(x):
    """x as [n, inputs]."""
    return np.reshape(x, (len(x), -1))


def target(x):
    return np.tanh(rows(x).sum(1) + 1)


def point(a, w):
    """theta of output weights a [neurons] and weights with biases w [neurons, inputs + 1]."""
    return network(w.shape[1] - 1, len(a)).theta({"W1": w[:, :-1].T, "b1": w[:, -1], "W2": a[:, None]})


def drawn(seed, inputs=2):
    R = np.random.default_rng(seed)
    return R.normal(size=2), R.normal(size=(2, inputs))


def start(x, c, scale, seed):
    """theta of two neurons with C_1 / C_2 = c, and |γ|."""
    data = np.column_stack([x, np.ones(len(x))])
    a, w = drawn(seed, data.shape[1])
    a, w = dyn.branches.set_imbalance(a, w, data, target(x), c)
    return scale * point(a, w), np.linalg.norm(target(x) @ data)


def descent(x, theta, rate, steps, every=None):
    inputs = rows(x).shape[1]
    net = network(inputs, len(theta) // (inputs + 2))       # of the context in which it is trained
    return dyn.Run(net, x, target(x), half=True, sum_samples=True, optimizer=dyn.GD(rate), theta=theta, steps=steps,
                   stop_loss=1e-15, record_every=every or steps)


def shifted(run, scale, rate, gamma):
    """(steps less the shift of a start of a size, loss)."""
    return run.history["step"] - np.log(1 / scale) / np.log1p(rate * gamma), run.history["loss"]


def apart(curves, at):
    """Largest difference in log10 of curves (t, loss) at times, from the first."""
    logs = [np.interp(at, t, np.log10(loss)) for t, loss in curves]
    return max(abs(log - logs[0]).max() for log in logs)
