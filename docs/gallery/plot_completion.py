# SPDX-License-Identifier: BSD-3-Clause
"""
The rank of a factorisation
===========================

A matrix is learned as a product of two factors that are wider than needed. At a target of rank r the model rank is
2 r d - r², the number of parameters that a matrix of that rank has, and the spectrum shows it as a cliff
(arXiv 2211.11623).
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

d = 8


def product(g, rows):
    return rows @ (g.parameter("U", (d, d)) @ g.parameter("V", (d, d)))


net = dyn.Model.from_function(product, input_shape=(d,))
random = np.random.default_rng(0)
figure = Figure(figsize=(7, 3.2), layout="constrained")
ax = figure.subplots()
for r in (1, 2, 3):
    theta = np.zeros(net.size)
    net.views(theta)["U"][:, :r] = random.normal(size=(d, r))
    net.views(theta)["V"][:r] = random.normal(size=(r, d))
    found = dyn.model_rank(net, theta)
    assert found.rank == 2 * r * d - r * r
    ax.semilogy(np.maximum(found.singular_values / found.singular_values[0], 1e-18), ".-", label=f"r = {r}: rank {found.rank}")
ax.set(xlabel="$k$", ylabel="$s_k / s_1$")
_ = ax.legend()
