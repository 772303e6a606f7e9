# SPDX-License-Identifier: BSD-3-Clause
"""The embedding principle: a minimum of a narrow network is a critical point of wider ones. Splitting a neuron leaves
the function and makes it a saddle; the wider network leaves it and fits better (arXiv 2105.14573).

usage: embedding.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    x = np.linspace(-2, 2, 12)[:, None]
    y = np.tanh(3 * x + 2) + np.tanh(2 * x - 2)
    narrow = dyn.mlp([1, 1, 1], seed=1)
    run = dyn.Run(narrow, x, y, optimizer=dyn.Adam(1e-2)).train(3000)
    losses(ax, run, "1 neuron")
    least = dyn.minimise(dyn.Objective(narrow, x, y), theta=run.theta, method=dyn.NewtonCG(), gradient_tolerance=1e-13)
    wide, theta = dyn.split(narrow, least.theta, layer=1, neuron=0)
    loss = dyn.Objective(wide, x, y)
    value, gradient = loss.gradient(theta)
    curvature = np.linalg.eigvalsh(loss.hessian(theta) @ np.eye(wide.size))
    assert abs(value - least.loss) < 1e-14 and np.linalg.norm(gradient) < 1e-11 and curvature[0] < -1e-5, curvature
    beside = theta + 1e-4 * np.random.default_rng(0).standard_normal(wide.size)
    leaves = dyn.Run(wide, x, y, theta=beside, optimizer=dyn.Adam(1e-2)).train(3000)
    losses(ax, leaves, "2, from the saddle")
    last = leaves.history["loss"][-1]
    assert last < 0.1 * value, last
    ax.legend()
    return f"one neuron's minimum, split: loss {value:.3f}, curvature {curvature[0]:.0e}; two go on to {last:.0e}"


if __name__ == "__main__":
    show(main)
