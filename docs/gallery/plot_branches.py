# SPDX-License-Identifier: BSD-3-Clause
"""
Branches of global minima
=========================

Two tanh neurons, with biases, on a target of one: the minima form branches, and each is separated from other minima of
the samples from its own number of samples on (arXiv 2309.00508). The Hessian at a critical point of the narrow network
gets a zero eigenvalue for every neuron that is split in the wide one (arXiv 2105.14573).
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

found = dyn.branches.branches(neurons=2, target=1, inputs=2)
x = np.linspace(-2, 2, 9)
y = np.tanh(x + 1)
narrow = dyn.mlp([1, 1, 1], output_bias=False)
wide, theta = dyn.split(narrow, [1.0, 1.0, 1.0], layer=1, neuron=0, alpha=0.3)
inertia = dyn.inertia(dyn.hessian(wide, x, y, theta=theta), 1e-10)
assert inertia[:3] == (0, 3, 3)

figure = Figure(figsize=(7, 4.6), layout="constrained")
above, below = figure.subplots(2, 1)
dyn.plots.branches(above, found)
dyn.plots.inertia(below, inertia)
