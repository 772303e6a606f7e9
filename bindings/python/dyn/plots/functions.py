# SPDX-License-Identifier: BSD-3-Clause
"""Spectra of ranks, and functions that networks of one variable are."""
from __future__ import annotations

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

from .._run_view import RunView
from ..context import current
from ..errors import invalid
from ..measure import RankSeries
from ..operator import Density, curve_of
from ..rank import RankResult
from .style import BLUE, GREY, ORANGE, short, spread

SPECTRA = 5     # drawn at most


def spectrum(ax: Axes, result: RankResult | RankSeries) -> None:
    """Singular values relative to the largest, a dot where the rank cuts them; of a series, a few of its rows from the
    first to the last.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.spectrum(ax, dyn.matrix_rank(np.diag([1.0, 1e-3, 1e-20])))
    """
    if isinstance(result, RankResult):
        rows, labels = [result], [""]
    else:
        chosen = spread(len(result), SPECTRA)
        rows, labels = [result[i] for i in chosen], [f"step {result.steps[i]}: " for i in chosen]
    shades = pyplot.colormaps["viridis"](np.linspace(0.0, 0.8, max(len(rows), 1)))
    for row, label, colour in zip(rows, labels, shades):
        _values(ax, row, label, colour)
    for tolerance in {row.tolerance for row in rows if row.rank == row.by_tolerance != row.by_gap}:
        ax.axhline(tolerance, color=GREY, linestyle="--", linewidth=0.8, label=f"tolerance {tolerance:.0e}")
    ax.set_xlabel("$k$")
    ax.set_ylabel(r"$s_k / s_1$")
    ax.legend(loc="best")


def density(ax: Axes, found: Density, width: float | None = None) -> None:
    """A spectral density on a logarithmic axis, with a band of one standard error over the probes.

    width: standard deviation of the Gaussian that stands for each node; None: a hundredth of the span of the nodes.

    >>> A = dyn.Operator.from_function(lambda V: np.arange(1, 11)[:, None] * V, size=10)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.density(ax, A.density(probes=4, steps=10))
    """
    low, high = float(np.min(found.nodes)), float(np.max(found.nodes))
    width = (high - low or abs(low) or 1.0) / 100 if width is None else width
    grid = np.linspace(low - 5 * width, high + 5 * width, 2000)
    value, error = curve_of(found, grid, width, current())
    ax.fill_between(grid, value - error, value + error, color=BLUE, alpha=0.25, linewidth=0)
    ax.plot(grid, value, color=BLUE, linewidth=1.1)
    ax.set(yscale="log", ylim=(1e-6 * value.max(), 2 * value.max()), xlabel="eigenvalue", ylabel="density")


def _gap(row: RankResult) -> str:
    """How clear the cut is, where the gap makes it. Below 10 the rule sees none and counts all."""
    if row.rank != row.by_gap or row.by_gap == row.by_tolerance:
        return ""
    return f", gap {short(row.largest_gap)}" if row.largest_gap >= 10 else ", no gap"


def _values(ax: Axes, row: RankResult, label: str, colour: object) -> None:
    values = row.singular_values
    if not len(values) or not values[0] > 0:
        return
    relative = np.maximum(values / values[0], np.finfo(float).eps / 100)
    few = len(values) <= 60
    ax.semilogy(np.arange(1, len(values) + 1), relative, ".-" if few else "-", color=colour, markersize=4,
                linewidth=0.7 if few else 1.3, label=f"{label}rank {row.rank}{_gap(row)}")
    if row.rank:
        ax.plot(row.rank, relative[row.rank - 1], "o", color=colour, markersize=6, markeredgecolor="white")


def of_one_variable(run: RunView) -> bool:
    """Whether the run fits a function of one variable to data."""
    objective = run.objective
    return (objective.model is not None and objective.inputs is not None and objective.targets is not None
            and objective.model.input_shape == (1,) and objective.model.output_size == 1)


def output(ax: Axes, run: RunView) -> None:
    """Output of a network of one input and one output where the run stands, with its data.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]).train(20)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.output(ax, run)
    """
    inputs, targets, model = run.objective.inputs, run.objective.targets, run.objective.model
    if inputs is None or targets is None or model is None:
        raise invalid("an objective of functions has no network to draw")
    x = np.ravel(inputs)
    margin = 0.1 * (x.max() - x.min())
    grid = np.linspace(x.min() - margin, x.max() + margin, 400)
    ax.plot(x, np.ravel(targets), ".", color=ORANGE, markersize=5, label="data")
    ax.plot(grid, np.ravel(model(run.theta, grid)), color=BLUE, label=f"network, step {run.step}")
    ax.set_xlabel("$x$")
    ax.set_ylabel("$f(x)$")
    ax.legend(loc="best")
