# SPDX-License-Identifier: BSD-3-Clause
"""Perceptrons: what stands before the layers decides whether features move. In the NTK parametrisation the input
weights of a wider network move less and less; in the mean-field one they move as far at every width (arXiv
2007.07497).

usage: perceptron.py [PICTURE]"""
import numpy as np

import dyn
from show import show

WIDTHS = (64, 256, 1024)


def distance(width, parametrisation, rate):
    """|W1 - W1(0)| / |W1(0)| after training."""
    x, y = dyn.data.target("four_relu", 20)
    net = dyn.mlp([1, width, 1], "tanh", parametrisation=parametrisation, seed=1)
    run = dyn.Run(net, x, y, optimizer=dyn.GD(rate)).train(300)
    start, end = (net.views(theta)["W1"] for theta in (net.initial(), run.theta))
    return np.linalg.norm(end - start) / np.linalg.norm(start)


def main(ax):
    lazy = np.array([distance(m, "ntk", 0.5) for m in WIDTHS])
    active = np.array([distance(m, "mean_field", 0.5 * m) for m in WIDTHS])
    assert lazy[0] > 2.5 * lazy[2] and 0.5 < active[0] / active[2] < 2, (lazy, active)
    for found, name in ((lazy, "NTK"), (active, "mean field")):
        ax.loglog(WIDTHS, found, "o-", label=name)
    ax.set(xlabel="width", ylabel="relative distance of W1")
    ax.legend()
    less, as_far = lazy[0] / lazy[2], active[0] / active[2]
    return f"16 times the width: features move {less:.1f} times less in NTK, {as_far:.1f} in mean field"


if __name__ == "__main__":
    show(main)
