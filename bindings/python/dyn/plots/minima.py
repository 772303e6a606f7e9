# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of what is counted: branches of minima, inertia of a Hessian, observed entries, dimensions and types."""
from __future__ import annotations

from collections import Counter
from typing import Any, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .._generate import observation_graph
from ..branches import Branch
from ..errors import shapes_differ
from ..inertia import Inertia
from .style import BLUE, GREY, RED, legend_above


def branches(ax: Axes, found: Sequence[Branch]) -> None:
    """Branches of global minima against the number of samples: up to the end of the grey bar one lies inside a larger
    manifold of minima, from the mark on it is separated; the mark is filled where it is then Morse-Bott. A row for each,
    with the sizes of its groups of neurons and its dimension.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.branches(ax, dyn.branches.branches(2, 1, 2))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['2: dim 1', '1+1: dim 2']
    """
    rows = np.arange(len(found))
    ax.barh(rows, [b.spread_until for b in found], height=0.5, color=GREY, alpha=0.35, label="inside other minima")
    for morse_bott, face, label in ((True, BLUE, "separated, Morse-Bott"), (False, "none", "separated")):
        chosen = [i for i, b in enumerate(found) if b.morse_bott == morse_bott]
        if chosen:
            ax.plot([found[i].codimension for i in chosen], chosen, "o", color=BLUE, markerfacecolor=face, label=label)
    ax.set_yticks(rows, ["+".join(map(str, b.sizes)) + f": dim {b.dimension}" for b in found])
    ax.set_xlabel("samples")
    ax.set_xlim(left=0)
    ax.invert_yaxis()
    ax.locator_params(axis="x", integer=True)
    legend_above(ax)


def inertia(ax: Axes, found: Inertia) -> None:
    """Sizes of the eigenvalues of a Hessian, descending, negative ones red, with the threshold up to which they are zeros,
    which are grey.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.inertia(ax, dyn.inertia([-1.0, 0.0, 1e-17, 2.0]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['1 positive', '1 negative', '2 zero', 'threshold 8.9e-16·|λ|']
    """
    order = np.argsort(-np.abs(found.values), kind="stable")
    values = found.values[order]
    size = np.maximum(np.abs(values), np.finfo(float).tiny)
    largest = float(size[0])
    shown = np.maximum(size, 1e-20 * largest)
    for inside, colour, word in ((values > found.threshold, BLUE, "positive"), (values < -found.threshold, RED, "negative"),
                                 (np.abs(values) <= found.threshold, GREY, "zero")):
        if inside.any():
            ax.semilogy(np.flatnonzero(inside) + 1, shown[inside], "o", color=colour, markersize=4,
                        label=f"{inside.sum()} {word}")
    ax.axhline(max(found.threshold, 1e-20 * largest), color=GREY, linestyle="--", linewidth=0.8,
               label=f"threshold {found.threshold / largest:.1e}·|λ|")
    ax.set(xlabel="$i$", ylabel=r"$|\lambda_i|$")
    ax.locator_params(axis="x", integer=True)
    ax.legend(loc="best")


def observed(ax: Axes, rows: int, columns: int, places: ArrayLike) -> None:
    """Observed entries of a matrix, coloured by the component of the observation graph to which they belong.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> dyn.plots.observed(ax, 3, 3, [0, 4, 5, 7, 8])
    >>> ax.get_title()
    '2 components, complete'
    """
    graph = observation_graph(rows, columns, places)
    shown = np.full((rows, columns), np.nan)
    at = np.ravel(places).astype(np.int64)
    shown.ravel()[at] = graph.component[at // columns] % 10
    ax.imshow(np.ma.masked_invalid(shown), cmap="tab10", vmin=0, vmax=9, interpolation="nearest")
    ax.set_xticks(np.arange(columns + 1) - 0.5, [])
    ax.set_yticks(np.arange(rows + 1) - 0.5, [])
    ax.tick_params(length=0)
    ax.set_title(f"{graph.components} component{'s' * (graph.components != 1)}{', complete' * graph.complete}")


def table(ax: Axes, values: Sequence[Any] | ArrayLike, rows: Sequence[Any] | None = None,
          columns: Sequence[Any] | None = None) -> None:
    """A table of numbers, or of types such as those of dyn.nilpotent (tuples), darker where they, or their sums, are larger.
    rows, columns: what stands beside and below; the first row is the lowest.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> parts = [(1,), (2,), (1, 1)]
    >>> dyn.plots.table(ax, [[dyn.nilpotent.hom(p, q) for q in parts] for p in parts], parts, parts)
    >>> [text.get_text() for text in ax.texts]
    ['$1$', '$1$', '$1^{2}$', '$1$', '$2$', '$1^{2}$', '$1^{2}$', '$1^{2}$', '$1^{4}$']
    """
    cells: list[list[Any]] = [list(row) for row in values]      # type: ignore[union-attr, arg-type]
    if len({len(row) for row in cells}) != 1:
        raise shapes_differ(f"values has rows of {sorted({len(row) for row in cells})} cells: a table is wanted")
    sizes = np.array([[float(np.sum(cell)) for cell in row] for row in cells])
    ax.imshow(sizes, cmap="Blues", origin="lower", aspect="auto", interpolation="nearest")
    dark = sizes > 0.5 * (sizes.min() + sizes.max())
    for (i, j), white in np.ndenumerate(dark):
        ax.text(j, i, _told(cells[i][j]), ha="center", va="center", color="white" if white and np.ptp(sizes) else "black",
                fontsize="small")
    for axis, names, count in ((ax.yaxis, rows, len(cells)), (ax.xaxis, columns, len(cells[0]))):
        axis.set_ticks(range(count), [_told(name) for name in (range(count) if names is None else names)])
    ax.grid(False)


def _told(cell: Any) -> str:
    """A type by its parts, those that repeat as powers; a number in few digits."""
    if np.ndim(cell):
        counts = Counter(int(part) for part in cell)
        return "$%s$" % r"\ ".join(f"{part}^{{{count}}}" if count > 1 else f"{part}"
                                   for part, count in sorted(counts.items(), reverse=True))
    return cell if isinstance(cell, str) else f"{cell:g}"
