# SPDX-License-Identifier: BSD-3-Clause
"""Condensation: maps of the cosines between neurons and their orientations, side by side and as an animation."""
from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot, rc_context
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from numpy.typing import ArrayLike, NDArray

from .._run_view import RunView
from ..condensation import CondensationResult
from ..errors import invalid
from ..measure import CondensationSeries
from .style import STYLE, new_figure, spread

MAPS = 5        # side by side at most


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _ordered(cosine: NDArray[np.float64], order: ArrayLike) -> NDArray[np.float64]:
    places = np.asarray(order)
    ordered: NDArray[np.float64] = cosine[np.ix_(places, places)]
    return ordered


def cosines(ax: Axes, result: CondensationResult, order: ArrayLike | None = None) -> Any:
    """Map of the cosines between neurons, in the order that shows groups as blocks. Returns the image.

    >>> ax = matplotlib.figure.Figure().subplots()
    >>> image = dyn.plots.cosines(ax, dyn.CondensationResult(np.eye(3)))
    >>> image.get_array().shape
    (3, 3)
    """
    cosine = result.cosines(ordered=order is None)
    cosine = cosine if order is None else _ordered(cosine, order)
    image = ax.imshow(cosine, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(_counted(result.effective, "direction"))
    return image


def _scale(ax: Axes, image: Any) -> None:
    """The scale of colours beside the axes, as high as they are."""
    bar = ax.inset_axes((1.06, 0.0, 0.06, 1.0), label="<colorbar>")
    ax.figure.colorbar(image, cax=bar, label="cosine", ticks=[-1, 0, 1])


def orientations(ax: Axes, result: CondensationResult) -> None:
    """Orientation and amplitude of features (weight, bias) in polar axes; the largest amplitude is 1.

    >>> ax = matplotlib.figure.Figure().add_subplot(projection="polar")
    >>> dyn.plots.orientations(ax, dyn.CondensationResult(np.eye(2)))
    """
    amplitudes = result.amplitudes
    groups = np.where(result.assignment < 0, -1, np.minimum(result.assignment, 9))
    colours: Any = np.array([pyplot.colormaps["tab10"](g) if g >= 0 else (0.6, 0.6, 0.6, 1.0) for g in groups])
    angles, radii = result.orientation(), amplitudes / max(amplitudes.max(), np.finfo(float).tiny)
    ax.vlines(angles, 0, radii, colors=colours, linewidth=0.5, alpha=0.4)
    ax.scatter(angles, radii, s=9, c=colours, alpha=0.8, linewidths=0)
    ax.set_ylim(0, 1.05)
    ax.set_yticks([0.5, 1.0], ["", ""])
    ax.set_xticks(np.pi / 2 * np.arange(4), ["0", "π/2", "π", "−π/2"])
    ax.tick_params(pad=-2, labelsize="small")


def planar(found: CondensationSeries) -> bool:
    """Whether features are a weight and a bias, and so have an angle."""
    return bool(found.features.shape[2] == 2)


def grid(found: CondensationSeries) -> tuple[int, int]:
    """Rows and columns of small multiples."""
    return 1 + planar(found), max(min(len(found), MAPS), 3)


def multiples(figure: SubFigure, found: CondensationSeries, title: str) -> None:
    """Cosines at a few steps side by side, from the first to the last; below them the orientations of planar
    features."""
    rows, columns = grid(found)
    chosen = spread(len(found), columns)
    figure.suptitle(title, fontsize="medium")
    for column, i in enumerate(chosen):
        result = found[i]
        ax = figure.add_subplot(rows, columns, column + 1)
        image = cosines(ax, result)
        ax.set_title(_moment(found, i), fontsize="small")
        if planar(found):
            orientations(figure.add_subplot(rows, columns, columns + column + 1, projection="polar"), result)
        if i == chosen[-1]:
            _scale(ax, image)


def _moment(found: CondensationSeries, i: int) -> str:
    """When a row was measured: a step, or a time."""
    at = found.steps[i]
    return f"step {at}" if isinstance(at, np.integer) else f"t = {at:.3g}"


def animate(run: RunView | CondensationSeries, name: str = "condensation", path: Any = None, *,
            seconds: float = 6.0) -> FuncAnimation:
    """The condensation of a layer as it was measured, a frame for each row: cosines in the order of the last one, and
    orientations where features are planar.

    run: or the series itself, as CondensationSeries.of makes it along a flow. name: of the measurement. path: where to save it, if anywhere: .gif, or what ffmpeg can write. seconds: it lasts.
    Returns the animation, which a notebook shows by IPython.display.HTML(animation.to_jshtml()).

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.Condensation(), every=10)
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animation = dyn.plots.animate(run.train(20), path=pathlib.Path(folder, "run.gif"))
    """
    found = run if isinstance(run, CondensationSeries) else run[name]
    if not isinstance(found, CondensationSeries) or not len(found):
        raise invalid(f"{name!r} has no rows of dyn.Condensation to animate")
    with rc_context(STYLE):
        figure = new_figure(figsize=(3.4 * (1 + planar(found)), 3.6), layout="constrained")
        map_axes = figure.add_subplot(1, 1 + planar(found), 1)
        polar = figure.add_subplot(1, 2, 2, projection="polar") if planar(found) else None
        order = found[len(found) - 1].order
        image = cosines(map_axes, found[0], order)
        _scale(map_axes, image)

        def draw(i: int) -> list[Any]:
            result = found[i]
            image.set_data(_ordered(result.cosines(ordered=False), order))
            map_axes.set_title(_moment(found, i))
            map_axes.set_xlabel(_counted(result.effective, "direction"))
            if polar is not None:
                polar.clear()
                orientations(polar, result)
            return [image]
        draw(0)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")        # the places are found once
        animation = FuncAnimation(figure, draw, frames=len(found), interval=1000 * seconds / len(found))
        if path is not None:
            animation.save(path, dpi=110, writer="pillow" if str(path).lower().endswith(".gif") else None)
    return animation
