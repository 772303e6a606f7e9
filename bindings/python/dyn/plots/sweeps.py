# SPDX-License-Identifier: BSD-3-Clause
"""Figures of sweeps: heat maps with the contour of zero, curves with bands over seeds, small multiples."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ..errors import invalid
from ..sweeps.frames import meant, pivot
from ..sweeps.labels import label as words_for
from .style import COLOURS, STYLE, finite, legend_above, log_axis, new_figure, short

if TYPE_CHECKING:
    import pandas as pd

    from ..sweeps import Sweep

REPEATS = ("seed", "trial", "repeat", "draw")       # parameters whose names say so are averaged over
OWN = ("status", "message", "seconds", "step")
TICKS = 12          # labels along an axis of a map
LONG = 24           # letters of a label
MOST = 6            # panels of a figure of which nothing was said
FEW = 5             # values of a second parameter up to which there are curves and no map


# ---- one panel ----

def heat(ax: Axes, table: pd.DataFrame, label: str = "", norm: Normalize | None = None) -> None:
    """A table of two parameters, as Sweep.pivot makes it, as a map: cells of equal size, the contour of zero where
    values change their sign, grey where there is none. norm: how values become colours; None: by themselves, on a
    logarithmic scale where they are positive and span decades.

    >>> import pandas
    >>> table = pandas.DataFrame([[1.0, -1.0], [2.0, -0.5]], index=[1, 2], columns=[3, 4])
    >>> dyn.plots.heat(matplotlib.figure.Figure().subplots(), table, "slope")
    """
    values = table.to_numpy(float)
    norm = norm or _norm(values)
    signs = norm.vmin is not None and norm.vmax is not None and norm.vmin < 0 < norm.vmax
    ax.set_facecolor("#dddddd")
    ax.grid(False)
    drawn = ax.imshow(np.ma.masked_invalid(values), origin="lower", aspect="auto", interpolation="nearest",
                      cmap="RdBu_r" if signs else "viridis", norm=norm)
    if signs and min(values.shape) > 1:
        ax.contour(np.ma.masked_invalid(values), [0.0], colors="black", linewidths=1.4)
    for axis, index in ((ax.xaxis, table.columns), (ax.yaxis, table.index)):
        places = np.unique(np.linspace(0, len(index) - 1, min(len(index), TICKS)).round().astype(int))
        axis.set_ticks(places, [_word(index[i]) for i in places])
    ax.tick_params(axis="x", rotation=45 if any(len(_word(v)) > 4 for v in table.columns) else 0)
    ax.set_xlabel(_names(table.columns))
    ax.set_ylabel(_names(table.index))
    assert ax.figure is not None
    ax.figure.colorbar(drawn, ax=ax, label=label, pad=0.02)


def _norm(values: ArrayLike) -> Normalize:
    """Colours symmetric about zero where signs change."""
    known = finite(values)
    if not known.size:
        return Normalize()
    low, high = float(known.min()), float(known.max())
    if low < 0 < high:
        return Normalize(-max(-low, high), max(-low, high))
    return LogNorm(low, high) if 0 < 30 * low < high else Normalize(low, high)


def bands(ax: Axes, frame: pd.DataFrame, x: str, value: str, by: str | None = None) -> None:
    """Means of a column against a parameter, with bands of one standard deviation over all the rest; a curve for each
    value of `by`. On a logarithmic axis mean and deviation are those of the logarithm. Members that became non-finite
    are left out.

    >>> frame = dyn.Sweep(lambda rate, seed: rate + seed, dict(rate=[1, 2], seed=[0, 1])).train().frame()
    >>> dyn.plots.bands(matplotlib.figure.Figure().subplots(), frame, "rate", "value")
    """
    spots = _order(frame[x])
    numeric = all(_is_number(v) for v in spots)
    _scale(ax, frame, spots, numeric, value)
    to, back = (np.log, np.exp) if ax.get_yscale() == "log" else (_same, _same)
    groups = [("", frame)] if by is None else [(f"{by} = {_word(v)}", frame[frame[by] == v]) for v in _order(frame[by])]
    for colour, (label, part) in zip(COLOURS * len(groups), groups):
        there = [k for k, spot in enumerate(spots) if spot in set(part[x])]
        found = to(meant(part, value).astype(float)).groupby(part[x]).agg(["mean", "std"])
        found = found.reindex([spots[k] for k in there])
        at = np.array([spots[k] if numeric else k for k in there], float)
        mean, std = found["mean"].to_numpy(float), np.nan_to_num(found["std"].to_numpy(float))
        ax.plot(at, back(mean), "o-", color=colour, markersize=3, label=label or None)
        ax.fill_between(at, back(mean - std), back(mean + std), color=colour, alpha=0.2, linewidth=0)
    ax.set_xlabel(x)
    ax.set_ylabel(value)
    if by is not None:
        ax.legend()


def histories(ax: Axes, sweep: Sweep, column: str = "loss", by: str | None = None) -> None:
    """A column of the histories: the median over members with a band from the first to the third quartile, for each
    value of the parameter `by`.

    >>> def experiment(seed):
    ...     return dyn.Run(dyn.mlp([1, 3, 1], seed=seed), [0.0, 1.0], [0.0, 1.0], steps=5)
    >>> sweep = dyn.Sweep(experiment, dict(seed=range(3))).train()
    >>> dyn.plots.histories(matplotlib.figure.Figure().subplots(), sweep)
    """
    groups: dict[Any, list[Any]] = {}
    for member in sweep:
        if member.status == "done" and f"history.{column}" in member.arrays:
            groups.setdefault("" if by is None else _word(member.point[by]), []).append(member.history)
    if not groups:
        raise invalid(f"no finished member has a history of {column!r}")
    for colour, (key, found) in zip(COLOURS * len(groups), groups.items()):
        steps = max((h["step"] for h in found), key=len)
        rows = np.full((len(found), len(steps)), np.nan)
        for row, history in zip(rows, found):
            row[:len(history[column])] = history[column]
        low, middle, high = np.nanquantile(rows, [0.25, 0.5, 0.75], axis=0)
        ax.plot(steps, middle, color=colour, label=None if by is None else f"{by} = {key}")
        ax.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    log_axis(ax, np.concatenate([line.get_ydata() for line in ax.lines]))
    ax.set_xlabel("step")
    ax.set_ylabel(column)
    legend_above(ax)


def _scale(ax: Axes, frame: pd.DataFrame, spots: list[Any], numeric: bool, value: str) -> None:
    """Logarithmic axes where numbers span decades; names of what are no numbers."""
    if not numeric:
        words = [_word(v) for v in spots]
        slanted = {"rotation": 30, "ha": "right"} if sum(map(len, words)) > 40 else {}
        ax.set_xticks(range(len(spots)), words, **slanted)
        ax.set_xlim(-0.5, len(spots) - 0.5)
    elif len(spots) <= TICKS and all(isinstance(v, (int, np.integer)) for v in spots) and spots[-1] <= 30 * spots[0]:
        ax.set_xticks(spots)
    elif min(spots) > 0 and max(spots) > 30 * min(spots):
        ax.set_xscale("log")
    log_axis(ax, frame[value])


def _same(values: Any) -> Any:
    return values


def _order(column: pd.Series[Any]) -> list[Any]:
    """The values there are: numbers by size, others as they come."""
    found = list(dict.fromkeys(column))
    return sorted(found) if all(_is_number(v) for v in found) else found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _word(value: Any) -> str:
    """A value as a few letters: of a long text its beginning, and its end, where descriptions differ."""
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return short(float(value))
    if isinstance(value, tuple):
        return ", ".join(map(_word, value))
    text = str(words_for(value))
    return text if len(text) <= LONG else f"{text[:LONG - 8]}…{text[-6:]}"


def _names(index: Any) -> str:
    return ", ".join(str(name) for name in index.names if name is not None)


# ---- the figure ----

def plot_table(table: pd.DataFrame, path: Any = None) -> Figure:
    """A figure of one table of two parameters."""
    with rc_context(STYLE):
        figure = new_figure(figsize=(4.6, 3.6), layout="constrained")
        heat(figure.subplots(), table, str(table.attrs.get("value", "")))
        return _saved(figure, path)


def plot_sweep(sweep: Sweep, path: Any = None, *, value: str | None = None,
               across: Sequence[str] | None = None) -> Figure:
    """A panel for each result, or for one at each value of a third parameter: see dyn.plot."""
    frame = sweep.frame()
    axes, values = _across(sweep, frame, across), _values(sweep, frame, value)
    panels = [(frame, name, "") for name in values]
    if len(axes) > 2:
        panels = [(frame[frame[axes[2]] == v], values[0], f"{axes[2]} = {_word(v)}") for v in _order(frame[axes[2]])]
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    with rc_context(STYLE):
        figure = new_figure(figsize=(4.0 * columns, 3.2 * rows), layout="constrained")
        spots = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, (part, name, title) in zip(spots, panels):
            means = meant(frame, name).groupby([frame[axis] for axis in axes], dropna=False).mean()
            _panel(ax, part, axes[:2], name, _norm(means))
            ax.set_title(title)
        for ax in spots[len(panels):]:
            ax.set_axis_off()
        return _saved(figure, path)


def _panel(ax: Axes, frame: pd.DataFrame, axes: list[str], value: str, norm: Normalize) -> None:
    if len(axes) == 2 and min(frame[name].nunique() for name in axes) > FEW:
        heat(ax, pivot(frame, axes[0], axes[1], value), value, norm)
    elif len(axes) == 2:
        fewer = min(reversed(axes), key=lambda name: frame[name].nunique())
        bands(ax, frame, next(name for name in axes if name != fewer), value, fewer)
    else:
        bands(ax, frame, axes[0], value)


def _across(sweep: Sweep, frame: pd.DataFrame, given: Sequence[str] | None) -> list[str]:
    """The parameters that are axes: those given, or all that vary and are no repetitions."""
    names = [name for name in sweep.points[0] if frame[name].map(str).nunique() > 1]
    free = [name for name in names if not name.lower().rstrip("s_0123456789").endswith(REPEATS)]
    chosen = free if given is None else list(given)
    unknown = [name for name in chosen if name not in sweep.points[0]]
    if unknown:
        raise invalid(f"{', '.join(unknown)} is no parameter; there are {', '.join(sweep.points[0])}")
    if len(chosen) > 3:
        raise invalid(f"{', '.join(chosen)} vary: name at most three, across=, of which the first two are axes")
    return chosen or names[:1] or list(sweep.points[0])[:1]


def _values(sweep: Sweep, frame: pd.DataFrame, given: str | None) -> list[str]:
    """Columns to draw: the one given, or the results and the loss."""
    if given is not None and given not in frame:
        raise invalid(f"no column {given!r}; there are {', '.join(frame)}")
    found = [given] if given is not None else [
        name for name in frame if name not in sweep.points[0] and name not in OWN and frame[name].dtype.kind in "iufb"
        and frame[name].notna().any()]
    if not found:
        raise invalid("there is nothing to draw: no member has a number")
    return sorted(found, key=lambda name: name == "loss")[:MOST]


def _saved(figure: Figure, path: Any) -> Figure:
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure
