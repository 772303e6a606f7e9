# SPDX-License-Identifier: BSD-3-Clause
"""Loss landscapes: slices as curves or contours with a trajectory, paths between minima, Langevin chains."""
from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..landscapes import LearningCoefficient, Path, Slice
from .style import BLUE, GREY, ORANGE, RED, legend_above, log_axis

LEVELS = 20


def landscape(ax: Axes, found: Slice, trajectory: NDArray[np.float64] | None = None) -> None:
    """A slice: the loss along a direction, or its contours in a plane, with the coordinates [r, 2] of a trajectory.

    >>> loss = dyn.Objective(dyn.mlp([1, 3, 1], seed=1), [[1.0]], [[0.0]])
    >>> at = dyn.mlp([1, 3, 1], seed=1).initial()
    >>> d = [dyn.direction(loss, theta=at, seed=s) for s in (1, 2)]
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.landscape(ax, dyn.landscape(loss, *d, theta=at))
    """
    if found.b is None:
        ax.plot(found.a, found.losses, color=BLUE)
        log_axis(ax, found.losses)
        ax.set_xlabel("$a$")
        ax.set_ylabel("loss")
        return
    spans = found.losses.min() > 0 and found.losses.max() > 10 * found.losses.min()
    low, high = np.nanmin(found.losses), np.nanmax(found.losses)
    levels = np.geomspace(low, high, LEVELS) if spans else np.linspace(low, high, LEVELS)
    filled = ax.contourf(found.a, found.b, found.losses.T, levels, cmap="viridis", norm="log" if spans else "linear")
    ax.contour(found.a, found.b, found.losses.T, levels, colors="white", linewidths=0.3)
    ax.figure.colorbar(filled, ax=ax, label="loss", format="%.3g")
    if trajectory is not None:
        ax.plot(*np.asarray(trajectory).T, ".-", color=RED, markersize=3, linewidth=0.9)
    ax.set_xlabel("$a$")
    ax.set_ylabel("$b$")
    ax.grid(False)


def path(ax: Axes, *found: Path, labels: tuple[str, ...] = ()) -> None:
    """Losses along paths between the same ends, each with its barrier.

    >>> loss = dyn.Objective(dyn.mlp([1, 3, 1], seed=1), [[0.5]], [[0.2]])
    >>> ends = [dyn.mlp([1, 3, 1], seed=s).initial() for s in (1, 2)]
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.path(ax, dyn.connect(loss, *ends, bends=0), dyn.connect(loss, *ends))
    """
    names = labels or tuple("straight" if not len(p.bends) else f"{p.kind}, {len(p.bends)} bend" + "s" * (len(p.bends) > 1)
                            for p in found)
    for p, name, colour in zip(found, names, (GREY, BLUE, ORANGE, RED) * len(found)):
        ax.plot(p.times, p.losses, color=colour, label=f"{name}: barrier {max(p.barrier, 0.0):.3g}")
    ax.set_xlabel("$t$")
    ax.set_ylabel("loss")
    log_axis(ax, np.concatenate([p.losses for p in found]))
    legend_above(ax)


def chains(ax: Axes, found: LearningCoefficient) -> None:
    """The estimate of each chain as draws come in, n beta (running mean - start), with what all give and its error.

    >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), np.ones((100, 1)), np.ones((100, 1)))
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.chains(ax, dyn.learning_coefficient(loss, theta=[1.0], epsilon=1e-3))
    """
    draws = np.arange(1, found.losses.shape[1] + 1)
    running = found.n_beta * (np.cumsum(found.losses, axis=1) / draws - found.start)
    ax.plot(draws, running.T, color=GREY, linewidth=0.7)
    label = rf"$\hat\lambda = {found.value:.3g} \pm {found.standard_error:.2g}$, $\hat R = {found.r_hat:.3g}$"
    ax.axhline(found.value, color=BLUE, label=label)
    ax.axhspan(found.value - found.standard_error, found.value + found.standard_error, color=BLUE, alpha=0.15)
    ax.set_xlabel("draws")
    ax.set_ylabel("local learning coefficient")
    legend_above(ax)
