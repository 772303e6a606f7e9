# SPDX-License-Identifier: BSD-3-Clause
"""The points of a sweep: a grid, a list or random draws, and the text by which each is known in a store."""
from __future__ import annotations

import hashlib
import itertools
import json
import math
import types
from typing import Any, Callable, Mapping, Sequence, Union

import numpy as np

from ..errors import invalid

Point = dict[str, Any]
#: of a parameter: all its values, or a function of a NumPy generator that draws one
Values = Union[Sequence[Any], "np.ndarray[Any, Any]", Callable[[np.random.Generator], Any]]
Points = Union[Mapping[str, Values], Sequence[Mapping[str, Any]]]


def points_of(given: Points, draws: int = 1, seed: int = 0) -> list[Point]:
    """All points: of a mapping the product of its sequences, the last one fastest, each drawn `draws` times where
    there are functions; of a list its entries."""
    points = _product(given, draws, seed) if isinstance(given, Mapping) else [dict(point) for point in given]
    if not points:
        raise invalid("a sweep of no points: a parameter has no values")
    for i, point in enumerate(points):
        if list(point) != list(points[0]):
            raise invalid(f"point {i} has the parameters {', '.join(point)}, point 0 {', '.join(points[0])}")
    return points


def _product(given: Mapping[str, Values], draws: int, seed: int) -> list[Point]:
    for name, values in given.items():
        if isinstance(values, str) or not (callable(values) or hasattr(values, "__iter__")):
            raise invalid(f"{name}={values!r}: a sequence of values, or a function that draws one, is wanted")
    drawn = {name: draw for name, draw in given.items() if callable(draw)}
    grid = {name: [plain(v) for v in values] for name, values in given.items() if not callable(values)}
    cells = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    times = draws if drawn else 1
    return [_draw(cell, drawn, list(given), np.random.SeedSequence(seed, spawn_key=(i,)))
            for i, cell in enumerate(cell for cell in cells for _ in range(times))]


def _draw(cell: Point, drawn: Mapping[str, Any], order: list[str], seed: np.random.SeedSequence) -> Point:
    """A cell of the grid with what is drawn; the generator depends on the number of the point alone."""
    generator = np.random.default_rng(seed)
    both = {**cell, **{name: plain(draw(generator)) for name, draw in drawn.items()}}
    return {name: both[name] for name in order}


def plain(value: Any) -> Any:
    """A NumPy number as Python's."""
    return value.item() if isinstance(value, np.generic) else value


# ---- as text ----

def key(point: Point) -> str:
    """A point as JSON: what identifies its member in a store."""
    return json.dumps({name: label(value) for name, value in point.items()}, ensure_ascii=False, allow_nan=False)


def label(value: Any) -> Any:
    """A value as a number, or as a text that is the same for the same value in every process."""
    value = plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        return f"array{list(value.shape)}:{hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]}"
    if isinstance(value, (list, tuple)):
        return json.dumps([label(v) for v in value], ensure_ascii=False)
    if isinstance(value, (types.FunctionType, types.MethodType)):
        return f"{value.__qualname__}:{code_hash(value)}"
    return _described(value)


def _described(value: Any) -> str:
    text = getattr(value, "__qualname__", None) or repr(value)
    if " at 0x" in text:
        raise invalid(f"{text} as a parameter of a sweep: it needs a repr that says what it is, and not where it lies")
    return str(text)


def code_hash(function: Any) -> str:
    """What a Python function does, as far as its own code tells."""
    function = getattr(function, "__func__", getattr(function, "func", function))
    code = getattr(function, "__code__", None)
    text = repr(_code(code)) if code else getattr(type(function), "__qualname__", "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _code(code: types.CodeType) -> tuple[Any, ...]:
    constants = tuple(_code(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, constants
