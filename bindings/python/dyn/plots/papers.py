# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of single papers: Adam on a flat minimum in its states and over its moments, errors of frequencies."""
from __future__ import annotations

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from ..degenerate import Theory, Trajectory
from ..errors import shapes_differ
from ..frequency import FrequencyErrorSeries
from .style import GREY, RED, legend_above


def states(ax: Axes, found: Trajectory, theory: Theory | None = None, rate: float = 1e-3) -> None:
    """State diagram of Adam on x^k / k: |omega| and lambda at every step, dark to light, with the line omega lambda = 2 /
    rate above which the loss rises, and the fixed point of the theory, where there is one.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.states(ax, dyn.degenerate.run(4, 0.9, 0.91), dyn.degenerate.theory(4, 0.9, 0.91))
    """
    omega, size = np.abs(found.omega), found.lambda_
    there = (omega > 0) & (size > 0) & np.isfinite(omega) & np.isfinite(size)
    if there.any():
        ax.scatter(omega[there], size[there], s=1.5, c=np.flatnonzero(there), cmap="viridis", linewidths=0, rasterized=True)
        ends = _ends(omega[there])
        bottom, top = _ends(size[there])
        ax.set(xscale="log", yscale="log", xlim=ends, ylim=(bottom, max(top, 2.0 / rate / ends[1])))
        ax.plot(ends, 2.0 / rate / ends, "--", color=GREY, linewidth=1.0, label=r"$\omega\lambda = 2/\eta$")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_formatter(NullFormatter())
    if theory is not None and np.isfinite(theory.omega):
        ax.plot(theory.omega, theory.lambda_, "o", color=RED, markersize=5, label="fixed point")
    ax.set_xlabel(r"$|\omega|$")
    ax.set_ylabel(r"$\lambda$")
    legend_above(ax)


def _ends(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends of an axis that holds all but the most extreme of many values, and whole powers of ten."""
    low, high = np.quantile(np.log10(values), [0.002, 0.998])
    ends: NDArray[np.float64] = 10.0**np.array([np.floor(low + 0.02), np.ceil(high + 0.02)])
    return ends


def regimes(ax: Axes, beta1: ArrayLike, beta2: ArrayLike, values: ArrayLike, k: int = 4, label: str = "", *,
            low: float | None = None, high: float | None = None) -> None:
    """Values of dyn.degenerate.map over a grid (beta1 and beta2 [rows, columns] as np.meshgrid gives them), with the curves
    below which the fixed point exists (solid) and is stable (dashed). low, high: ends of the colours.

    >>> b1, b2 = np.meshgrid([0.2, 0.5, 0.8], [0.2, 0.5, 0.8])
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.regimes(ax, b1, b2, dyn.degenerate.map(b1, b2, steps=1000).last, label="ln L")
    """
    b1, b2, shown = (np.asarray(a, dtype=np.float64) for a in (beta1, beta2, values))
    if not b1.shape == b2.shape == shown.shape or b1.ndim != 2:
        raise shapes_differ(f"beta1, beta2, values have shapes {list(b1.shape)}, {list(b2.shape)}, {list(shown.shape)}: "
                            "one of two axes is wanted, as of np.meshgrid")
    image = ax.pcolormesh(b1, b2, np.ma.masked_invalid(shown), vmin=low, vmax=high, shading="nearest", rasterized=True)
    fine = np.linspace(b2.min(), b2.max(), 300)
    for power, style in ((k - 1, "-"), (k, "--")):
        ax.plot(fine**(power / (2 * (k - 2))), fine, style, color="white", linewidth=1.2)
    ax.grid(False)
    ax.set_xlim(b1.min(), b1.max())
    ax.set_ylim(b2.min(), b2.max())
    ax.set_xlabel(r"$\beta_1$")
    ax.set_ylabel(r"$\beta_2$")
    assert ax.figure is not None
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02)


def frequencies(ax: Axes, found: FrequencyErrorSeries, name: str = "", *, low: float = 0.1, high: float = 1.0) -> None:
    """Errors of frequencies against the step, dark where a frequency has been learned, between `low` and `high`. Rows of
    equal height, one for each k.

    >>> x = np.linspace(-np.pi, np.pi, 40)
    >>> run = dyn.Run(dyn.mlp([1, 20, 1], seed=1), x, np.sin(x), optimizer=dyn.Adam(0.01))
    >>> _ = run.measure(dyn.frequency.FrequencyErrors([1, 2, 3]), every=10)
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.frequencies(ax, run.train(100)["frequency_errors"])
    """
    rows = np.arange(len(found.k))
    image = ax.pcolormesh(found.steps, rows, np.clip(found.values.T, low, high), norm=LogNorm(low, high),
                          cmap=pyplot.colormaps["magma"], shading="nearest", rasterized=True)
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), 8)).round().astype(int))
    ax.set_yticks(places, [f"{found.k[i]:.3g}" for i in places])
    ax.grid(False)
    ax.set_ylabel(f"$k$, {name}".rstrip(", ").replace("_", " "))
    assert ax.figure is not None
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.01, 0.0, 0.015, 1.0), label="<colorbar>"),
                             ticks=[low, high])
    bar.ax.set_yticklabels([f"{low:g}", f"{high:g}"])
    bar.minorticks_off()
