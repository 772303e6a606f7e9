# SPDX-License-Identifier: BSD-3-Clause
"""Phase diagrams with the line at which a slope is zero; where a loss rests, over the steps and over its height."""
from __future__ import annotations

from typing import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .._run_view import RunView
from ..episodes import loss_histogram
from ..episodes import plateaus as plateaus_of
from ..errors import invalid, shapes_differ
from .style import BLUE, ORANGE, short


def phase(ax: Axes, x: ArrayLike, y: ArrayLike, slope: ArrayLike, boundary: ArrayLike | None = None,
          label: str = "slope") -> None:
    """A slope [rows, columns] over x [columns] and y [rows], as of the relative distance over gamma and gamma' (arXiv
    2007.07497): blue where it is linear, red where it is condensed, its zero as a line. boundary: a theory's x [rows],
    dashed.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.phase(ax, [0.9, 1.0, 1.2], [-0.2, 0.2], [[-0.1, 0.0, 0.2], [-0.5, -0.4, 0.0]], [1.0, 1.2])
    """
    across, up, shown = (np.asarray(a, dtype=np.float64) for a in (x, y, slope))
    if shown.shape != (up.size, across.size):
        raise shapes_differ(f"slope has shape {list(shown.shape)}, expected [{up.size}, {across.size}]")
    known = np.ma.masked_invalid(shown)
    most = float(np.abs(known).max()) if known.count() else 1.0
    image = ax.pcolormesh(across, up, known, cmap="RdBu_r", vmin=-most, vmax=most, shading="nearest", rasterized=True)
    if min(shown.shape) > 1 and known.count() and known.min() < 0 < known.max():
        ax.contour(across, up, known, [0.0], colors="black", linewidths=1.4)
    if boundary is not None:
        ax.plot(np.asarray(boundary, dtype=np.float64), up, "k--", linewidth=1.0)
    ax.grid(False)
    ax.set_xlabel(r"$\gamma$")
    ax.set_ylabel(r"$\gamma'$")
    assert ax.figure is not None
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02)


def plateaus(ax: Axes, run: RunView, *, change: float = 0.05, length: float = 1.5) -> None:
    """The loss over the steps, both logarithmic, with the plateaus that dyn.plateaus finds shaded and their loss.

    >>> net = dyn.mlp([1, 20, 1], "relu", dyn.init.normal(1e-3), seed=1)
    >>> run = dyn.Run(net, [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], optimizer=dyn.GD(0.1)).train(300)
    >>> dyn.plots.plateaus(matplotlib.figure.Figure().subplots(), run)
    """
    steps, losses = run.history["step"], run.history["loss"]
    ax.loglog(steps[1:], losses[1:], color=BLUE)
    found = plateaus_of(run, change=change, length=length)
    for start, end in zip(found.starts, found.ends):
        ax.axvspan(max(start, 1), end, color=ORANGE, alpha=0.2, linewidth=0)
        middle = np.sqrt(max(start, 1.0) * end)
        height = float(losses[np.argmin(np.abs(steps - middle))])
        ax.annotate(short(height), (middle, height), xytext=(0, 4), textcoords="offset points", ha="center",
                    fontsize="small")
    ax.set_xlabel("step")
    ax.set_ylabel("loss")


def levels(ax: Axes, runs: RunView | Sequence[RunView], *, bins: int = 200, low: float = -5.0, high: float = 0.0,
           label: str | None = None) -> None:
    """Share of the steps that a loss, or those of several runs together, spend at each height: peaks are plateaus.

    bins, low, high: of log10 of the loss, as dyn.loss_histogram takes them.

    >>> net = dyn.mlp([1, 20, 1], "relu", dyn.init.normal(1e-3), seed=1)
    >>> runs = dyn.Replicas(net, [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], count=3, steps=100).train(progress=False)
    >>> dyn.plots.levels(matplotlib.figure.Figure().subplots(), runs)
    """
    several = [runs] if isinstance(runs, RunView) else runs
    found = [loss_histogram(run, bins=bins, low=low, high=high) for run in several]
    if not found:
        raise invalid("levels of no run")
    counts = np.sum([counts for counts, _ in found], axis=0)
    ax.stairs(counts / max(counts.sum(), 1.0), found[0][1], fill=True, label=label)
    ax.set_xlabel(r"$\log_{10}$ loss")
    ax.set_ylabel("share of steps")
