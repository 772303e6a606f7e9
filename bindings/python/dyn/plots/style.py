# SPDX-License-Identifier: BSD-3-Clause
"""What all figures share: colours, a new figure, and axes that one outlier cannot ruin."""
from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

STYLE: dict[Any, Any] = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": "medium", "axes.grid": True,
    "axes.labelcolor": "#333333", "axes.edgecolor": "#888888", "grid.color": "#e6e6e6", "grid.linewidth": 0.6,
    "lines.linewidth": 1.3, "legend.frameon": False, "legend.fontsize": "small", "font.size": 9,
    "xtick.color": "#555555", "ytick.color": "#555555", "axes.axisbelow": True}
BLUE, ORANGE, RED, GREEN, GREY = "#1f5fa8", "#e07a1f", "#c1121f", "#2a8a5f", "#888888"
COLOURS = (BLUE, ORANGE, GREEN, "#7b4fa3", "#8a6d3b", GREY)
WINDOWS = ("gtk", "qt", "tk", "wx", "macosx")      # backends that open them
OUTLIER = 3.0       # so many times the 95th percentile: off the axis


def new_figure(**options: Any) -> Figure:
    """A figure that pyplot.show() finds where there are windows. Elsewhere it is the caller's alone: a notebook shows
    it once, and nothing stays behind."""
    return pyplot.figure(**options) if pyplot.get_backend().lower().startswith(WINDOWS) else Figure(**options)


def log_axis(ax: Axes, values: ArrayLike) -> None:
    """A logarithmic axis where the values are positive and span a decade or more."""
    known = finite(values)
    if not known.size or known.min() <= 0 or known.max() < 10 * known.min():
        return
    ax.set_yscale("log")
    if known.max() < 300 * known.min():        # few powers of ten: name numbers between them
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())


def finite(values: ArrayLike) -> NDArray[np.float64]:
    """The finite ones, as a vector."""
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    return flat[np.isfinite(flat)]


def short(value: float) -> str:
    """Three digits, without an exponent up to a million."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:.6g}" if 1e-4 <= abs(rounded) < 1e6 else f"{value:.2g}"


def usual_top(values: ArrayLike) -> float:
    """The largest value, without the few that stand far above the rest; NaN without any."""
    known = finite(values)
    if not known.size:
        return np.nan
    core = np.quantile(known, 0.95, method="lower")
    return float(known[known <= OUTLIER * core].max()) if core > 0 else float(known.max())


def mark_clipped(ax: Axes, steps: ArrayLike, values: ArrayLike, top: float, colour: str) -> None:
    """A triangle at the upper edge of axes that end at `top`, for each run of values above it, with the largest."""
    steps, values = np.asarray(steps), np.asarray(values, dtype=np.float64)
    over = np.flatnonzero(values > top)
    groups = np.split(over, np.flatnonzero(np.diff(over) > 1) + 1) if over.size else []
    peaks = [group[np.argmax(values[group])] for group in groups]
    for i in peaks:
        ax.plot(steps[i], top, "^", color=colour, markersize=5, clip_on=False, zorder=5)
        if len(peaks) <= 3:
            ax.annotate(short(values[i]), (steps[i], top), xytext=(5, -2), textcoords="offset points",
                        fontsize="x-small", color=colour, va="center")


def legend_above(ax: Axes) -> None:
    """The legend in one line over the axes, where it hides nothing."""
    count = len(ax.get_legend_handles_labels()[0])
    if count:
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=count, columnspacing=1.2, handlelength=1.5,
                  borderpad=0.2)


def spread(count: int, most: int) -> list[int]:
    """At most so many of `count` rows, evenly, the first and the last among them."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))}) if count else []
