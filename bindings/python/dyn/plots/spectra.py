# SPDX-License-Identifier: BSD-3-Clause
"""Figures of eigenpairs, of layers' spectra, and of a central flow beside the run that it stands for."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..central import CentralFlow
from ..eigen import Eigenpairs
from .style import BLUE, GREY, RED, legend_above, usual_top


def eigenvalues(ax: Axes, pairs: Eigenpairs) -> None:
    """Eigenvalues in their order with their residuals as bars; those of a cluster are joined, those that have not converged
    are hollow.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.eigenvalues(ax, dyn.eigh(np.diag([3.0, 3.0, 1.0]), 3))
    """
    places = np.arange(1, len(pairs.values) + 1)
    ax.errorbar(places, pairs.values, pairs.residuals, fmt="none", ecolor=GREY, elinewidth=1.0, capsize=2)
    for cluster in np.unique(pairs.clusters):
        inside = pairs.clusters == cluster
        if inside.sum() > 1:
            ax.plot(places[inside], pairs.values[inside], color=BLUE, linewidth=3, alpha=0.3)
            ax.annotate(f"{inside.sum()} together", (places[inside][-1], pairs.values[inside][-1]), xytext=(6, -10),
                        textcoords="offset points", fontsize="small")
    for done, face in ((True, BLUE), (False, "none")):
        chosen = pairs.converged == done
        ax.plot(places[chosen], pairs.values[chosen], "o", color=BLUE, markerfacecolor=face, markersize=4)
    ax.set(xlabel="$i$", ylabel=r"$\lambda_i$")
    ax.locator_params(axis="x", integer=True)


def layers(ax: Axes, found: Mapping[str, Eigenpairs]) -> None:
    """The eigenvalues of each block of layer_spectra, the largest as a bar, the others as marks in it.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.layers(ax, {"W1": dyn.eigh(np.diag([3.0, 1.0])), "W2": dyn.eigh(np.diag([2.0, 1.0]))})
    """
    for i, pairs in enumerate(found.values()):
        ax.bar(i, pairs.values[0], width=0.6, color=BLUE, alpha=0.35)
        ax.plot(np.full(len(pairs.values), i), pairs.values, "_", color=BLUE, markersize=14)
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    ax.set_xticks(range(len(found)), list(found), rotation=30 if len(found) > 6 else 0)
    ax.set_ylabel("eigenvalues")


def central(ax: Axes, flow: CentralFlow, losses: ArrayLike | None = None) -> None:
    """The loss along a central flow, what it predicts for the run's averaged over the oscillation, and the run's own losses
    [steps + 1].

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> loss = dyn.functions.quadratic([1.0])
    >>> dyn.plots.central(ax, dyn.central_flow(loss, theta=[1.0], steps=3, rate=0.1))
    """
    values = np.asarray([] if losses is None else losses, dtype=np.float64).ravel()
    if len(values):
        ax.plot(np.arange(len(values)), values, color=GREY, linewidth=0.8, label="run")
    ax.plot(flow.times, flow.predicted_loss, color=RED, linewidth=1.2, label="predicted mean")
    ax.plot(flow.times, flow.loss, color=BLUE, linewidth=1.2, linestyle="--", label="along the flow")
    shown = np.concatenate([values, flow.loss, flow.predicted_loss])
    ax.set(xlabel="step", ylabel="loss", ylim=(None, 1.05 * usual_top(shown)))
    legend_above(ax)
