# SPDX-License-Identifier: BSD-3-Clause
"""The points of a sweep: a grid, a list or random draws."""
from __future__ import annotations

import inspect
import itertools
from typing import Any, Callable, Iterable, Mapping, Sequence, Union

import numpy as np

from ..errors import invalid
from .labels import Point, plain

COLUMNS = ("status", "step", "loss", "seconds", "message")      # that every table has
#: of a parameter: all its values, or a function of a NumPy generator that draws one
Values = Union[Sequence[Any], "np.ndarray[Any, Any]", Callable[[np.random.Generator], Any]]
Points = Union[Mapping[str, Values], Sequence[Mapping[str, Any]]]


def points_of(given: Points, draws: int = 1, seed: int = 0) -> list[Point]:
    """All points: of a mapping the product of its sequences, the last one fastest, each drawn `draws` times where
    there are functions; of a list its entries."""
    if not isinstance(given, Mapping) and not hasattr(given, "__iter__"):
        raise invalid(f"points={given!r}: values by name, or a list of points, is wanted")
    points = _product(given, draws, seed) if isinstance(given, Mapping) else [dict(point) for point in given]
    if not points:
        raise invalid("a sweep of no points")
    for i, point in enumerate(points):
        if point.keys() != points[0].keys():
            raise invalid(f"point {i} has the parameters {_list(point)}, point 0 {_list(points[0])}")
    _check_names(points[0])
    return points if isinstance(given, Mapping) else [{name: point[name] for name in points[0]} for point in points]


def _list(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names)) or "none"


def _check_names(names: Iterable[Any]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise invalid(f"a parameter has the name {name!r}, which is no text")
        if name in COLUMNS:
            raise invalid(f"{name} is a column that every table of a sweep has, and no name for a parameter: give it "
                          f"another, as {name}_name, in the points and the experiment")


def check_call(experiment: Callable[..., Any], point: Point) -> None:
    """Refuse an experiment that cannot be called with the parameters of a point."""
    try:
        signature = inspect.signature(experiment)
    except (TypeError, ValueError):     # it does not tell what it takes
        return
    try:
        signature.bind(**point)
    except TypeError as wrong:
        raise invalid(f"the experiment does not take the parameters {_list(point)}: {wrong}") from None


def _product(given: Mapping[str, Values], draws: int, seed: int) -> list[Point]:
    for name, values in given.items():
        if isinstance(values, str) or not (callable(values) or hasattr(values, "__iter__")):
            raise invalid(f"{name}={values!r}: a sequence of values, or a function that draws one, is wanted")
        if not callable(values) and hasattr(values, "__len__") and not len(values):
            raise invalid(f"a sweep of no points: {name} has no values")
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 1:
        raise invalid(f"draws={draws!r}: how often at each point, at least once")
    drawn = {name: draw for name, draw in given.items() if callable(draw)}
    grid = {name: [plain(v) for v in values] for name, values in given.items() if not callable(values)}
    cells = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    if not drawn:
        return cells
    return [_draw(cell, drawn, list(given), np.random.SeedSequence(seed, spawn_key=(i,)))
            for i, cell in enumerate(cell for cell in cells for _ in range(draws))]


def _draw(cell: Point, drawn: Mapping[str, Any], order: list[str], seed: np.random.SeedSequence) -> Point:
    """A cell of the grid with what is drawn; the generator depends on the number of the point alone."""
    generator = np.random.default_rng(seed)
    both = {**cell, **{name: plain(draw(generator)) for name, draw in drawn.items()}}
    return {name: both[name] for name in order}

