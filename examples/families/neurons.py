# SPDX-License-Identifier: BSD-3-Clause
"""Targets that few neurons make: a network of 50 recovers one tanh neuron from five points if it starts small, as its
neurons then stay in one direction; from a large start it fits them in another way (arXiv 2307.08921).

usage: neurons.py [PICTURE]"""
import numpy as np

import dyn
from show import show


def main(ax):
    x, y = dyn.data.target("neuron", 5)
    grid, error = np.linspace(-2, 2, 101), {}
    for std in (1e-3, 2.0):
        net = dyn.mlp([1, 50, 1], "tanh", output_bias=False, init=dyn.init.normal(std), seed=1)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(1e-3 if std < 1 else 1e-2), stop_loss=1e-8).train(30000)
        f = run.predict(grid)[:, 0]
        error[std] = np.abs(f - np.tanh(grid + 1)).max()
        ax.plot(grid, f, label=f"start of std {std:g}")
    assert error[1e-3] < 0.02 and error[2.0] > 0.1, error
    ax.plot(x, y, "k.")
    ax.set(xlabel="x", ylabel="f")
    ax.legend()
    return f"farthest from tanh(x + 1): {error[1e-3]:.0e} from a small start, {error[2.0]:.1f} from a large one"


if __name__ == "__main__":
    show(main)
