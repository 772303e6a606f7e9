# SPDX-License-Identifier: BSD-3-Clause
"""Figures in the form the papers use: loss and sharpness over one time axis, maps of cosines, orientations, spectra.

plot(run) draws all that was measured. The other functions draw one thing into given axes."""
from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from matplotlib import pyplot, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from .condensation import CondensationResult
from .episodes import spikes
from .measure import CondensationSeries, RankSeries, SharpnessSeries
from .rank import RankResult
from ._run_view import RunView, Series

STYLE = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": "medium", "axes.grid": True,
    "axes.labelcolor": "#333333", "axes.edgecolor": "#888888", "grid.color": "#e6e6e6", "grid.linewidth": 0.6,
    "lines.linewidth": 1.3, "legend.frameon": False, "legend.fontsize": "small", "font.size": 9,
    "xtick.color": "#555555", "ytick.color": "#555555", "axes.axisbelow": True}
BLUE, ORANGE, RED, GREY = "#2b6cb0", "#dd8a2e", "#c0392b", "#888888"


def _log_axis(axis: Any, values: np.ndarray) -> None:
    """A logarithmic axis where positive values span a decade or more."""
    positive = values[np.isfinite(values) & (values > 0)]
    if positive.size and positive.max() >= 10 * positive.min() and np.nanmin(values) > 0:
        axis.set_yscale("log")


# ---- one thing at a time ----

def loss(ax: Axes, run: RunView, mark_spikes: bool = True) -> None:
    """Loss of every recorded step; spikes as shaded bands."""
    history = run.history
    steps, values = history["step"], history["loss"]
    ax.plot(steps, values, color=BLUE)
    _log_axis(ax, values)
    ax.set_ylabel("loss")
    if mark_spikes and len(values) and np.all(np.isfinite(values)):
        found = spikes(values)
        for start, end in zip(found.starts, found.ends):
            ax.axvspan(steps[start], steps[min(end, len(steps) - 1)], color=RED, alpha=0.12, linewidth=0)


def sharpness(ax: Axes, series: SharpnessSeries) -> None:
    """Eigenvalues of the optimiser's Hessian, curvature along the gradient, and the threshold 2/rate.

    Values that have not converged are circled."""
    shades = np.linspace(1.0, 0.35, max(series.values.shape[1], 1))
    for i, shade in enumerate(shades):
        label = r"$\lambda_{1}$" if i == 0 else rf"$\lambda_{{{i + 1}}}$"
        ax.plot(series.steps, series.values[:, i], color=BLUE, alpha=shade, label=label)
        failed = ~series.converged[:, i]
        ax.plot(series.steps[failed], series.values[failed, i], "o", color=RED, fillstyle="none", markersize=4)
    ax.plot(series.steps, series.directional, color=ORANGE, linewidth=1.0, label=r"$\lambda_{\rm grad}$")
    ax.plot(series.steps, series.threshold, "--", color=RED, linewidth=1.0, label=r"$2/\eta$")
    _log_axis(ax, np.concatenate([series.values[:, 0], series.threshold]) if len(series.steps) else np.empty(0))
    ax.set_ylabel("sharpness")
    ax.legend(loc="upper right", ncols=len(shades) + 2, columnspacing=1.0, handlelength=1.4)


def cosines(ax: Axes, result: CondensationResult, order: Sequence[int] | None = None) -> Any:
    """Map of the cosines between neurons, in the order that shows groups as blocks. Returns the image."""
    cosine = result.cosines(ordered=order is None)
    cosine = cosine if order is None else cosine[np.ix_(order, order)]
    image = ax.imshow(cosine, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(f"{len(cosine)} neurons, {result.effective} direction{'s' * (result.effective != 1)}")
    return image


def orientations(ax: Axes, result: CondensationResult) -> None:
    """Orientation and amplitude of features (weight, bias) in polar axes; the largest amplitude is 1."""
    amplitudes = result.amplitudes
    groups = np.where(result.assignment < 0, -1, np.minimum(result.assignment, 9))
    colours = np.array([pyplot.colormaps["tab10"](g) if g >= 0 else (0.6, 0.6, 0.6, 1.0) for g in groups])
    angles, radii = result.orientation(), amplitudes / max(amplitudes.max(), np.finfo(float).tiny)
    ax.vlines(angles, 0, radii, colors=colours, linewidth=0.5, alpha=0.4)
    ax.scatter(angles, radii, s=9, c=colours, alpha=0.8, linewidths=0)
    ax.set_ylim(0, 1.05)
    ax.set_yticks([0.5, 1.0], ["", ""])
    ax.set_xticks(np.pi / 2 * np.arange(4), ["0", "π/2", "π", "−π/2"])
    ax.tick_params(pad=-2, labelsize="small")


def spectrum(ax: Axes, result: RankResult | RankSeries) -> None:
    """Singular values relative to the largest, with the cut of the rank; of a series, all its rows."""
    rows = [result] if isinstance(result, RankResult) else list(result)
    labels = [""] * len(rows) if isinstance(result, RankResult) else [f"step {s}, " for s in result.steps]
    shades = pyplot.colormaps["viridis"](np.linspace(0.1, 0.8, max(len(rows), 1)))
    floor = np.finfo(float).eps / 100
    for row, label, colour in zip(rows, labels, shades):
        values = row.singular_values
        relative = np.maximum(values / values[0], floor) if len(values) and values[0] > 0 else values
        ax.semilogy(np.arange(1, len(values) + 1), relative, ".-", color=colour, markersize=4, linewidth=0.7,
                    label=f"{label}rank {row.rank}")
        ax.axvline(row.rank + 0.5, color=colour, linestyle=":", linewidth=1.0)
        ax.axhline(row.tolerance, color=GREY, linestyle="--", linewidth=0.7)
    ax.set_xlabel("$k$")
    ax.set_ylabel(r"$s_k / s_1$")
    ax.legend(loc="best")


def output(ax: Axes, run: RunView) -> None:
    """Output of a network of one input and one output where the run stands, with its data."""
    x = np.ravel(run.objective.inputs)
    margin = 0.1 * (x.max() - x.min())
    grid = np.linspace(x.min() - margin, x.max() + margin, 400)
    ax.plot(grid, np.ravel(run.objective.model(run.theta, grid)), color=BLUE, label="network")
    ax.plot(x, np.ravel(run.objective.targets), ".", color=ORANGE, markersize=5, label="data")
    ax.set_xlabel("$x$")
    ax.set_ylabel("$f(x)$")
    ax.legend(loc="best")


def series(ax: Axes, name: str, values: Series) -> None:
    """Any recorded series, a line for each column."""
    ax.plot(values.steps, values.values, color=BLUE if values.values.ndim == 1 else None)
    _log_axis(ax, values.values)
    ax.set_ylabel(name)


# ---- all of it ----

def _thirds(count: int) -> list[int]:
    """First, middle and last of so many rows."""
    return sorted({0, (count - 1) // 2, count - 1}) if count else []


def _timeline(figure: SubFigure, run: RunView, lines: list[tuple[str, Any]]) -> None:
    """Loss and everything else that is a curve, on one time axis."""
    axes = np.atleast_1d(figure.subplots(1 + len(lines), 1, sharex=True))
    loss(axes[0], run)
    for ax, (name, found) in zip(axes[1:], lines):
        if isinstance(found, SharpnessSeries):
            sharpness(ax, found)
        else:
            series(ax, name, found)
    axes[-1].set_xlabel("step")
    figure.align_ylabels()


def _maps(figure: SubFigure, found: CondensationSeries) -> None:
    """Cosines at the start, in the middle and at the end; below them the orientations where features are planar."""
    chosen = _thirds(len(found))
    planar = found.features.shape[2] == 2
    image = None
    for column, i in enumerate(chosen):
        result = found[i]
        ax = figure.add_subplot(1 + planar, 3, column + 1)
        image = cosines(ax, result)
        ax.set_title(f"step {found.steps[i]}")
        if planar:
            orientations(figure.add_subplot(2, 3, 4 + column, projection="polar"), result)
    if image is not None:
        figure.colorbar(image, ax=figure.axes[::1 + planar], label="cosine", shrink=0.8, ticks=[-1, 0, 1])


def _bottom(figure: SubFigure, run: RunView, ranks: list[RankSeries], planar: bool) -> None:
    """Spectra and, for functions of one variable, the function."""
    axes = list(np.atleast_1d(figure.subplots(1, len(ranks) + planar)))
    for ax, found in zip(axes, ranks):
        spectrum(ax, found)
    if planar:
        output(axes[-1], run)


def plot(run: RunView, path: Any = None) -> Figure:
    """One figure of all that was measured. path: where to save it, if anywhere. Returns the figure."""
    results = {name: run[name] for name in run.measured}
    lines = [(n, r) for n, r in results.items() if isinstance(r, (SharpnessSeries, Series)) and len(r.steps)]
    maps = [r for r in results.values() if isinstance(r, CondensationSeries) and len(r)]
    ranks = [r for r in results.values() if isinstance(r, RankSeries) and len(r)]
    model = run.objective.model
    planar = model is not None and model.input_shape == (1,) and model.output_size == 1
    heights = [1.7 * (1 + len(lines)) + 0.4] + [4.4 if m.features.shape[2] == 2 else 2.6 for m in maps]
    heights += [2.6] if ranks or planar else []
    with rc_context(STYLE):
        figure = pyplot.figure(figsize=(7.2, sum(heights)), layout="constrained")
        parts = list(np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights)))
        _timeline(parts[0], run, lines)
        for part, found in zip(parts[1:], maps):
            _maps(part, found)
        if ranks or planar:
            _bottom(parts[-1], run, ranks, planar)
        if path is not None:
            figure.savefig(path, dpi=150)
    return figure
