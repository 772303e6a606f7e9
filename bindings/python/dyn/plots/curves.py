# SPDX-License-Identifier: BSD-3-Clause
"""Everything that is a curve over the steps of a run."""
from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.markers import CARETDOWN
from numpy.typing import NDArray

from .._run_view import History, RunView, Series
from ..attention import AttentionSeries
from ..completion import Factors
from ..episodes import spikes
from ..measure import CondensationSeries, RankSeries, SharpnessSeries
from ..spectrum import KroneckerSeries, SpectrumSeries
from ..tangent import TangentKernelSeries
from .style import BLUE, COLOURS, ORANGE, RED, finite, legend_above, log_axis, mark_clipped, short, usual_top

DIVERGED = 1e6
OWN = ("step", "loss", "gradient_norm", "rate")       # columns that are no terms of the loss
DOTS = 120      # up to so many rows each has a dot


def named(run: RunView, kind: str) -> dict[str, Series]:
    """Columns of the history and series that are called `kind` or `..._kind`, by what stands before: "validation_loss"
    is "validation". The run's own is "training"."""
    history = run.history
    found = {name: _column(history, name) for name in history if name.endswith(kind)}
    found.update({name: run[name] for name in run.measured if name.endswith(kind) and isinstance(run[name], Series)})
    return {name[:-len(kind)].strip("_ ") or "training": series for name, series in found.items()
            if series.values.ndim == 1 and len(series.steps)}


def _column(history: History, name: str) -> Series:
    """A column of the history, without the steps at which it was not looked at."""
    steps, values = history["step"], history[name]
    known = ~np.isnan(values) if name != "loss" else np.full(len(steps), True)
    return Series(steps[known].astype(np.int64), values[known])


def _terms(run: RunView) -> dict[str, Series]:
    """The terms of a loss of several, by their names."""
    history = run.history
    return {name: _column(history, name) for name in history
            if name not in OWN and not name.startswith("validation_")}


def _labelled(ax: Axes, lines: dict[str, Series]) -> None:
    """Curves by name, the training's and the validation's always in the same colours; a legend where there is more to
    tell than the training's."""
    others = iter(COLOURS[2:] * len(lines))
    for label in sorted(lines, key=lambda name: (name != "training", name != "validation")):
        colour = {"training": BLUE, "validation": ORANGE}.get(label)
        ax.plot(lines[label].steps, lines[label].values, color=colour or next(others), label=label,
                linewidth=1.5 if colour else 0.9, zorder=3 if colour else 2)
    if set(lines) - {"training"}:
        legend_above(ax)


def loss(ax: Axes, run: RunView, mark_spikes: bool = True) -> None:
    """Loss of every recorded step with its terms, and losses of the history or recorded under names such as
    "validation_loss"; the smallest validation loss is circled. Spikes, as dyn.spikes finds them, have a mark each.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]).train(20)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.loss(ax, run)
    """
    lines = named(run, "loss")
    _labelled(ax, {**lines, **_terms(run)})
    if "validation" in lines:
        _circle_best(ax, lines["validation"])
    if mark_spikes:
        _mark_spikes(ax, lines.get("training"))
    log_axis(ax, np.concatenate([line.values for line in lines.values()] or [np.empty(0)]))
    if "training" in lines:
        _cut_divergence(ax, lines["training"])
    ax.set_ylabel("loss")


def _circle_best(ax: Axes, line: Series) -> None:
    if np.isfinite(line.values).any():
        best = np.nanargmin(line.values)
        ax.plot(line.steps[best], line.values[best], "o", color=ORANGE, fillstyle="none", markersize=7)


def _cut_divergence(ax: Axes, line: Series) -> None:
    """Where the loss goes six decades above its start, the axis ends, and a mark tells how far it went."""
    known = finite(line.values)
    if not known.size or known.min() <= 0:
        return
    limit = DIVERGED * known[0]
    if known.max() > limit:
        top = 2 * float(known[known <= limit].max())
        ax.set_ylim(0.5 * known.min(), top)
        mark_clipped(ax, line.steps, np.nan_to_num(line.values, nan=np.inf), top, BLUE)


def _mark_spikes(ax: Axes, line: Series | None) -> None:
    if line is None or not np.all(np.isfinite(line.values)):
        return
    peaks = spikes(line.values).peaks
    if len(peaks):
        ax.plot(line.steps[peaks], line.values[peaks], linestyle="none", marker=CARETDOWN, color=RED)
        ax.text(0.995, 0.95, f"{len(peaks)} spike{'s' * (len(peaks) != 1)}", color=RED, ha="right", va="top",
                transform=ax.transAxes, fontsize="small")


def accuracy(ax: Axes, run: RunView) -> None:
    """Accuracies recorded under names such as "accuracy" or "validation_accuracy", from 0 to 1.

    >>> x, y = dyn.data.digits()
    >>> run = dyn.Run(dyn.mlp([64, 10]), x[:50], y[:50], "cross_entropy")
    >>> _ = run.measure(lambda state: run.objective.accuracy(state.theta), name="accuracy", every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.accuracy(ax, run.train(20))
    """
    _labelled(ax, named(run, "accuracy"))
    ax.set_ylim(top=1.02)
    ax.set_ylabel("accuracy")


def sharpness(ax: Axes, series: SharpnessSeries) -> None:
    """Eigenvalues of the optimiser's Hessian, curvature along the gradient, and the threshold 2/rate, on a linear axis.

    Values far above all others, as Adam's before its moments are filled, are marked at the edge. Those that have not
    converged are circled.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.Sharpness(), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.sharpness(ax, run.train(20)["sharpness"])
    """
    for i, shade in enumerate(np.linspace(1.0, 0.35, series.values.shape[1])):
        dotted = ".-" if i == 0 and len(series.steps) <= DOTS else "-"
        ax.plot(series.steps, series.values[:, i], dotted, color=BLUE, alpha=shade, linewidth=1.1, markersize=3,
                label=rf"$\lambda_{{{i + 1}}}$", zorder=3.0 - 0.01 * i)
        failed = ~series.converged[:, i]
        ax.plot(series.steps[failed], series.values[failed, i], "o", color=RED, fillstyle="none", markersize=4,
                zorder=4)
    ax.plot(series.steps, series.directional, color=ORANGE, linewidth=0.9, label=r"$\lambda_{\rm grad}$", zorder=2.5)
    ax.plot(series.steps, series.threshold, color=RED, linewidth=3.5, alpha=0.35, label=r"$2/\eta$",
            solid_capstyle="butt", zorder=2)
    _sharpness_limits(ax, series)
    ax.set_ylabel("sharpness")
    legend_above(ax)


def _sharpness_limits(ax: Axes, series: SharpnessSeries) -> None:
    """From the smallest curvature to the largest usual one; the threshold belongs to it unless it is far off."""
    curvatures = np.column_stack([series.values, series.directional])
    top, limit = usual_top(curvatures[:, :1]), usual_top(series.threshold)
    if not np.isfinite(top) or top <= 0:
        return
    if limit <= 4 * top:
        top = max(top, limit)
    else:
        ax.text(0.5, 0.97, rf"$2/\eta$ = {short(limit)}, above", color=RED, ha="center", va="top",
                transform=ax.transAxes, fontsize="small")
    top *= 1.12
    bottom = min(0.0, max(finite(curvatures).min(), -top))
    ax.set_ylim(bottom - 0.02 * top, top)
    mark_clipped(ax, series.steps, series.values[:, 0], top, BLUE)


def directions(ax: Axes, found: CondensationSeries, name: str = "") -> None:
    """Number of directions in which the neurons of a layer point.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.Condensation(), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.directions(ax, run.train(20)["condensation"])
    """
    _counts(ax, found.steps, found.effective, "directions", name, found.features.shape[1])


def tangent(ax: Axes, found: TangentKernelSeries, name: str = "") -> None:
    """How far the tangent kernel has moved from its first row, and its alignment with the targets.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.TangentKernel(), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.tangent(ax, run.train(20)["tangent_kernel"])
    """
    lines = {"drift": (found.drift, BLUE), "distance": (found.distance, ORANGE), "alignment": (found.alignment, RED)}
    for label, (values, colour) in lines.items():
        ax.plot(found.steps, values, ".-" if len(found.steps) <= DOTS else "-", color=colour, linewidth=1.1, markersize=3,
                label=label)
    ax.set_ylabel((name or "tangent kernel").replace("_", " "))
    legend_above(ax)


def _lines(ax: Axes, steps: Any, lines: dict[str, Any], label: str) -> None:
    for name, values in lines.items():
        ax.plot(steps, values, ".-" if len(steps) <= DOTS else "-", linewidth=1.1, markersize=3, label=name)
    ax.set_ylabel(label.replace("_", " "))
    legend_above(ax)


def curvature(ax: Axes, found: SpectrumSeries, name: str = "") -> None:
    """Largest eigenvalues, and the trace with its standard error.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.Spectrum(k=2, lanczos=10), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.curvature(ax, run.train(20)["spectrum"])
    """
    low, high = found.trace - found.trace_error, found.trace + found.trace_error
    ax.fill_between(found.steps, low, high, color=BLUE, alpha=0.25, linewidth=0)
    _lines(ax, found.steps, {"trace": found.trace, **{f"value {i + 1}": v for i, v in enumerate(found.values.T[:3])}},
           name or "spectrum")
    log_axis(ax, np.append(found.values, found.trace))


def attention(ax: Axes, found: AttentionSeries, name: str = "") -> None:
    """Shift and broadcast scores of the heads, means over each layer.

    >>> net = dyn.transformer(20, 6, layers=2, width=8, key_width=4, hidden=8, seed=1)
    >>> run = dyn.Run(net, np.arange(12).reshape(2, 6), [3, 4], loss="cross_entropy")
    >>> _ = run.measure(dyn.Attention(), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.attention(ax, run.train(20)["attention"])
    """
    _lines(ax, found.steps, {f"{what}, layer {i + 1}": values[:, i].mean(1) for what, values in (
        ("shift", found.shift), ("broadcast", found.broadcast)) for i in range(values.shape[1])}, name or "attention")


def kronecker(ax: Axes, found: KroneckerSeries, name: str = "") -> None:
    """Traces of the layers' blocks.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.Kronecker(), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.kronecker(ax, run.train(20)["kronecker"])
    """
    _lines(ax, found.steps, dict(zip(found.layers, found.trace.T)), f"trace, {name or 'kronecker'}")
    log_axis(ax, found.trace)


def ranks(ax: Axes, found: RankSeries, name: str = "") -> None:
    """Rank at each step at which it was measured.

    >>> run = dyn.Run(dyn.mlp([1, 3, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.ModelRank(rule="gap", probe_std=4), every=5)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.ranks(ax, run.train(20)["rank"])
    """
    most = max((len(found[i].singular_values) for i in range(len(found))), default=0)
    _counts(ax, found.steps, found.rank, "rank", name, most)


def factors(ax: Axes, found: Factors, name: str = "") -> None:
    """Singular values of a product of two factors.

    >>> net = dyn.factorisation([2, 2, 2], init=dyn.init.normal(1e-3), seed=1)
    >>> run = dyn.Run(net, np.arange(4), [1.0, 2.0, 2.0, 4.0], optimizer=dyn.GD(0.05))
    >>> _ = run.measure(dyn.completion.FactorSpectra(), every=20)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.factors(ax, run.train(200)["factors"])
    """
    ax.plot(found.steps, found.product, ".-" if len(found.steps) <= DOTS else "-", linewidth=1.1, markersize=3)
    log_axis(ax, found.product)
    ax.set_ylabel(f"singular values\n{name or 'of the product'}".replace("_", " "))


def _counts(ax: Axes, steps: NDArray[np.int64], counts: NDArray[np.int64], what: str, name: str, most: int) -> None:
    ax.plot(steps, counts, ".-", color=BLUE, markersize=4, linewidth=1.0)
    ax.set_ylim(0, 1.1 * max(counts.max(initial=1), 1))
    ax.set_ylabel(what)
    ax.annotate(f"{name}, of {most}" if name else f"of {most}", (0.995, 0.06), xycoords="axes fraction", ha="right",
                fontsize="small", color="#555555")


def series(ax: Axes, name: str, values: Series) -> None:
    """Any recorded series, a line for each column.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.series(ax, "norm", dyn.Series(np.arange(3), np.array([1.0, 2.0, 4.0])))
    """
    ax.plot(values.steps, values.values, color=BLUE if values.values.ndim == 1 else None)
    log_axis(ax, values.values)
    ax.set_ylabel(name)
