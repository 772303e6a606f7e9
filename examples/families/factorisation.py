# SPDX-License-Identifier: BSD-3-Clause
"""Matrix factorisation: from a tiny start a matrix of rank r is given back by 2rd - r^2 of its d^2 entries (arXiv
2211.11623).

usage: factorisation.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    matrix, error = np.outer([1.0, 2, 2, 1.5], [4, 0.6, 1.8, 0.8]), {}
    for count in (7, 6):
        seen = np.array([0, 1, 2, 3, 4, 8, 12])[:count]
        net = dyn.factorisation([4, 4, 4], init=dyn.init.normal(1e-7), seed=1)
        run = dyn.Run(net, seen, matrix.ravel()[seen], optimizer=dyn.GD(0.02)).train(20000)
        a, b = net.views(run.theta).values()
        error[count] = np.abs(a @ b - matrix).max()
        losses(ax, run, f"{count} entries")
    assert error[7] < 1e-2 and error[6] > 0.1, error
    ax.legend()
    return f"7 of 16 entries: error {error[7]:.0e}; 6: {error[6]:.1f}"


if __name__ == "__main__":
    show(main)
