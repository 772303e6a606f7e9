# SPDX-License-Identifier: BSD-3-Clause
"""Test functions: objectives of a few unknowns with exact derivatives, for optimisers. Newton-CG ends Rosenbrock's
valley at the last digit, of which momentum and Adam walk a part.

usage: functions.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    valley, start = dyn.functions.rosenbrock(2), [-1.2, 1.0]
    best = dyn.minimise(valley, theta=start, method=dyn.NewtonCG(), gradient_tolerance=1e-13)
    assert best.converged and np.abs(best.theta - 1).max() < 1e-12, best
    rules = {"gradient descent": dyn.GD(1e-3), "heavy ball": dyn.HeavyBall(2e-4), "Adam": dyn.Adam(1e-2)}
    for name, rule in rules.items():
        run = dyn.Run(valley, theta=start, optimizer=rule).train(2000)
        assert 1e-16 < run.history["loss"][-1] < 24.2, run
        losses(ax, run, name)
    ax.legend()
    return f"Newton-CG: {np.abs(best.theta - 1).max():.0e} from the minimum in {best.products} Hessian products"


if __name__ == "__main__":
    show(main)
