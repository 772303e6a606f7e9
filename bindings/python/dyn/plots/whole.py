# SPDX-License-Identifier: BSD-3-Clause
"""One figure of all that was measured: curves on one time axis, maps, spectra."""
from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Sequence, cast

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from .._run_view import RunView, Series
from ..attention import AttentionSeries
from ..completion import Factors
from ..frequency import FrequencyErrorSeries
from ..measure import CondensationSeries, RankSeries, SharpnessSeries
from ..operator import Density
from ..spectrum import KroneckerSeries, SpectrumSeries
from ..sweeps import Sweep
from ..tangent import TangentKernelSeries
from . import curves, functions, maps, papers
from .style import STYLE, new_figure
from .sweeps import plot_sweep, plot_table

if TYPE_CHECKING:
    import pandas as pd

Draw = Callable[[Axes], None]
OWN: dict[type, Callable[..., None]] = {SpectrumSeries: curves.curvature, AttentionSeries: curves.attention,
                                        KroneckerSeries: curves.kronecker, FrequencyErrorSeries: papers.frequencies}


WIDTH = 7.2     # inches, of every part
FEW = 3         # so many rows of a measurement are told by its maps or spectra; more have a curve


class Part(NamedTuple):
    """A part of the figure: what it shows, its height in inches, and how it is drawn."""

    title: str
    height: float
    draw: Callable[[SubFigure], None]


def _curves(run: RunView, results: dict[str, Any]) -> list[Draw]:
    """What shares the time axis, from the top."""
    lines: list[Draw] = [partial(curves.loss, run=run)]
    if curves.named(run, "accuracy"):
        lines.append(partial(curves.accuracy, run=run))
    for name, found in results.items():
        if isinstance(found, SharpnessSeries):
            lines.append(partial(curves.sharpness, series=found))
        elif isinstance(found, TangentKernelSeries):
            lines.append(partial(curves.tangent, found=found, name=name))
        elif isinstance(found, tuple(OWN)):
            lines.append(partial(OWN[type(found)], found=found, name=name))
        elif isinstance(found, Factors):
            lines.append(partial(curves.factors, found=found, name=name))
        elif isinstance(found, Series) and not (name.endswith(("loss", "accuracy")) and found.values.ndim == 1):
            lines.append(partial(curves.series, name=name, values=found))
        elif isinstance(found, CondensationSeries) and len(found) > FEW:
            lines.append(partial(curves.directions, found=found, name=name))
        elif isinstance(found, RankSeries) and len(found) > FEW:
            lines.append(partial(curves.ranks, found=found, name=name))
    return lines


def _timeline(run: RunView, results: dict[str, Any], log_steps: bool) -> Part:
    lines = _curves(run, results)

    def draw(figure: SubFigure) -> None:
        axes = figure.subplots(len(lines), 1, sharex=True, squeeze=False)[:, 0]
        for ax, line in zip(axes, lines):
            line(ax)
        axes[-1].set_xlabel("step")
        if log_steps:
            axes[-1].set_xscale("log")
        figure.align_ylabels()
    return Part("Training", 1.6 * len(lines) + 0.5, draw)


def _condensations(results: dict[str, Any]) -> list[Part]:
    return [_condensation(name, found) for name, found in results.items() if isinstance(found, CondensationSeries)]


def _condensation(name: str, found: CondensationSeries) -> Part:
    rows, columns = maps.grid(found)
    return Part(f"Condensation: {name}", rows * (6.2 / columns + 0.55) + 0.3,
                partial(maps.multiples, found=found, title=f"{name}, {_layer(found)}"))


def _layer(found: CondensationSeries) -> str:
    return f"layer {found.layer}: {found.features.shape[1]} neurons"


def _functions(run: RunView, results: dict[str, Any]) -> list[Part]:
    """Spectra and, for functions of one variable, the function: side by side."""
    drawn: list[Draw] = [partial(_spectrum, found=found, title=name)
                         for name, found in results.items() if isinstance(found, RankSeries)]
    if functions.of_one_variable(run):
        drawn.append(partial(functions.output, run=run))

    def draw(figure: SubFigure) -> None:
        for ax, function in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn):
            function(ax)
    return [Part("Function and rank", 2.7, draw)] if drawn else []


def _spectrum(ax: Axes, found: RankSeries, title: str) -> None:
    functions.spectrum(ax, found)
    ax.set_title(title)


def _stack(figure: Figure | SubFigure, parts: list[Part]) -> None:
    """Parts below one another."""
    frames = figure.subfigures(len(parts), 1, height_ratios=[part.height for part in parts], squeeze=False)
    for frame, part in zip(frames[:, 0], parts):
        part.draw(frame)


def parts_of(run: RunView, log_steps: bool = False) -> list[Part]:
    """All that there is to draw of a run, the curves first."""
    results = {name: run[name] for name in run.measured}
    results = {name: found for name, found in results.items() if len(found.steps)}
    return [_timeline(run, results, log_steps), *_condensations(results), *_functions(run, results)]


def draw_part(part: Part) -> Figure:
    """A figure of one part alone."""
    with rc_context(STYLE):
        figure = new_figure(figsize=(WIDTH, part.height), layout="constrained")
        _stack(figure, [part])
        figure.draw_without_rendering()     # ticks are made in this style
    return figure


def plot_density(found: Density, path: Any = None) -> Figure:
    """A figure of a spectral density alone."""
    figure = draw_part(Part("spectral density", 2.6, lambda frame: functions.density(frame.subplots(), found)))
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def plot(run: RunView | Sweep | pd.DataFrame | Density, path: Any = None, *, wide: bool = False, log_steps: bool = False,
         value: str | None = None, across: Sequence[str] | None = None) -> Figure:
    """One figure of all that was measured: loss, sharpness and other curves on one time axis, condensation as maps, and
    spectra. path: where to save it, if anywhere. wide: the curves beside the rest. log_steps: a logarithmic time axis,
    which shows plateaus of a small start; step 0 is left of it. Returns the figure.

    Of a sweep: a panel for each result, or for one, value=, at each value of a third parameter. across: the parameters that
    are axes; by default all that vary but seeds, over which means are taken. Two of them are a map, with the contour of
    zero where values change their sign; one, or a second of five values and fewer, curves with bands of one standard
    deviation. Of a table that Sweep.pivot() made: the map. Of a spectral density: the curve, as dyn.plots.density.

    Columns and series whose names end in "loss" or "accuracy" share the axes of their kind: a measurement that is named
    "validation_loss" is drawn beside the loss.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> figure = dyn.plot(run.train(20))
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['loss', '$f(x)$']
    """
    if isinstance(run, Sweep):
        return plot_sweep(run, path, value=value, across=across)
    if isinstance(run, Density):
        return plot_density(run, path)
    if hasattr(run, "to_numpy"):
        return plot_table(run, path)
    timeline, *others = parts_of(cast(RunView, run), log_steps)
    columns = [[timeline], others] if wide and others else [[timeline, *others]]
    heights = [sum(part.height for part in column) for column in columns]
    with rc_context(STYLE):
        figure = new_figure(figsize=(WIDTH * len(columns), max(heights)), layout="constrained")
        for frame, column in zip(figure.subfigures(1, len(columns), squeeze=False)[0], columns):
            _stack(frame, column)
        if path is not None:
            figure.savefig(path, dpi=150)
    return figure
