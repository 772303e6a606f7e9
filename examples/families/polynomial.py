# SPDX-License-Identifier: BSD-3-Clause
"""Polynomials, linear in their parameters: gradient descent goes to the least squares of NumPy.

usage: polynomial.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    x = np.linspace(-1, 1, 30)
    net = dyn.polynomial(1, 3, init=dyn.init.zero())
    run = dyn.Run(net, x[:, None], np.sin(3 * x)[:, None], optimizer=dyn.HeavyBall(0.2)).train(4000)
    tensors = net.views(run.theta)
    found = [tensors[name].item() for name in ("W3", "W2", "W1", "b")]
    error = np.abs(found - np.polyfit(x, np.sin(3 * x), 3)).max()
    assert error < 1e-6, error
    losses(ax, run)
    return f"least squares to {error:.0e}"


if __name__ == "__main__":
    show(main)
