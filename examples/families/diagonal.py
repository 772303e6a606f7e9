# SPDX-License-Identifier: BSD-3-Clause
"""Diagonal linear networks: of all solutions of 40 equations in 100 unknowns a tiny start finds the sparse one, a
large start one of small norm.

usage: diagonal.py [PICTURE]"""
import numpy as np

import dyn
from show import show


def main(ax):
    x, sparse = np.random.default_rng(0).standard_normal((40, 100)), np.zeros(100)
    sparse[:3] = 1, -2, 1.5
    ax.plot(sparse, "k.", label="truth")
    error = {}
    for start, steps in ((1e-4, 4000), (1.0, 4000)):
        net = dyn.diagonal(100, difference=True, init=dyn.init.constant(start))
        run = dyn.Run(net, x, x @ sparse, optimizer=dyn.GD(5e-3 if start < 1 else 2e-3)).train(steps)
        a, b = (v.ravel() for v in net.views(run.theta).values())
        error[start] = np.abs(a**2 - b**2 - sparse).max()
        ax.plot(a**2 - b**2, label=f"start {start:g}")
    assert error[1e-4] < 0.1 and error[1.0] > 0.3, error
    ax.set(xlabel="coefficient", ylabel="value")
    ax.legend()
    return f"3 of 100 coefficients: error {error[1e-4]:.0e} from a tiny start, {error[1.0]:.1f} from 1"


if __name__ == "__main__":
    show(main)
