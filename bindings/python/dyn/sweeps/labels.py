# SPDX-License-Identifier: BSD-3-Clause
"""Values of parameters as numbers or text: what tells two of them apart in a store, and the same in every process."""
from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import types
from typing import Any, Callable, Iterable

import numpy as np

from ..errors import invalid

Point = dict[str, Any]
SCALARS = (type(None), bool, int, float, str)
FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)
PLAIN = (*SCALARS, *FUNCTIONS, np.ndarray, list, tuple, dict, set, frozenset)


def plain(value: Any) -> Any:
    """A NumPy number as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def key(point: Point) -> str:
    """A point as JSON: what identifies its member in a store."""
    return _key({name: label(value) for name, value in point.items()})


def _key(labels: Point) -> str:
    return json.dumps(labels, ensure_ascii=False, allow_nan=False)


def keys(points: Iterable[Point]) -> list[str]:
    """The key of each point. A value that many points share is looked at once; two that are not the same and would be
    known by the same text are refused."""
    known: dict[int, Any] = {}
    first: dict[tuple[str, Any], Any] = {}

    def known_by(name: str, value: Any) -> Any:
        if isinstance(value, SCALARS):
            return _scalar(value)
        if id(value) not in known:
            known[id(value)] = label(value)
            _refuse_alike(name, value, first.setdefault((name, known[id(value)]), value))
        return known[id(value)]
    return [_key({name: known_by(name, value) for name, value in point.items()}) for point in points]


def _refuse_alike(name: str, value: Any, other: Any) -> None:
    if value is not other and not isinstance(value, PLAIN) and not _equal(value, other):
        raise invalid(f"two values of {name} are both described as {str(label(value))[:200]}: give parameters that tell "
                      "them apart, of which the experiment makes them")


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:
        return False


def label(value: Any) -> Any:
    """A value as a number, or as a text that is the same for the same value in every process."""
    value = plain(value)
    if isinstance(value, SCALARS):
        return _scalar(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (list, tuple)):
        return json.dumps([label(v) for v in value], ensure_ascii=False)
    if isinstance(value, dict):
        return json.dumps({str(label(k)): label(v) for k, v in value.items()}, ensure_ascii=False)
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(str(label(v)) for v in value))}}}"
    if isinstance(value, FUNCTIONS):
        return _function(value)
    return _object(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as wrong:
            raise invalid(f"{value!r} as a parameter of a sweep: {wrong.reason}") from None
    return value


def _array(value: np.ndarray[Any, Any]) -> str:
    if value.dtype.hasobject:
        return f"array{list(value.shape)}:{digest(label(value.ravel().tolist()))}"
    content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
    return f"{value.dtype.name}{list(value.shape)}:{content}"


def _function(value: Any) -> str:
    if isinstance(value, functools.partial):
        return f"partial({label(value.func)}, {label(value.args)}, {label(value.keywords)})"
    owner = getattr(value, "__self__", None)
    of = "" if owner is None or isinstance(owner, type) else f" of {label(owner)}"
    return f"{value.__qualname__}:{code_hash(value)}{of}"


def _object(value: Any) -> str:
    """An object by the fields that are not as by default, by how it was made, by its numbers, or by its repr."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value)
    made = getattr(value, "_recipe", None)
    if made is not None:        # a network or a loss of ours
        return f"{_named(value)}:{digest(label(made))}"
    if callable(getattr(value, "state_dict", None)) and not isinstance(value, type):
        return f"{value!r}:{digest(label(dict(value.state_dict())))}"
    if hasattr(value, "__array__") and not isinstance(value, type):
        try:
            return f"{type(value).__qualname__} {label(np.asarray(value))}"
        except (TypeError, ValueError, RuntimeError):
            pass
    return _described(value)


def _named(value: Any) -> str:
    """What a network or a loss is called; perceptrons by their widths."""
    perceptron = getattr(value, "_perceptron", None)
    return repr(value) if perceptron is None else (
        f"mlp {'-'.join(map(str, perceptron['widths']))} {perceptron['activation']}")


def _dataclass(value: Any) -> str:
    given = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)
             if f.repr and not _equal(getattr(value, f.name), _default(f))]
    return f"{type(value).__qualname__}({', '.join(f'{name}={label(v)}' for name, v in given)})"


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _described(value: Any) -> str:
    text = getattr(value, "__qualname__", None) or repr(value)
    if " at 0x" in text:
        raise invalid(f"{text} as a parameter of a sweep: it needs a repr that says what it is, and not where it lies")
    return str(text)


def digest(text: Any) -> str:
    """A short text for a long one."""
    return hashlib.sha256(str(text).encode()).hexdigest()[:16]


# ---- functions ----

def code_hash(function: Callable[..., Any]) -> str:
    """What a Python function does, as far as its own code, its defaults and what it encloses tell."""
    function = getattr(function, "__func__", getattr(function, "func", function))
    code = getattr(function, "__code__", None)
    if code is None:
        return digest(getattr(type(function), "__qualname__", ""))
    enclosed = _enclosed(function)
    return digest(repr(_constant(code)) + (repr(enclosed) if enclosed else ""))


def _enclosed(function: Any) -> list[str]:
    """Defaults and the values of a closure."""
    cells = [cell for cell in function.__closure__ or () if not _empty(cell)]
    values = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(),
              *(cell.cell_contents for cell in cells)]
    return [_told(value) for value in values if value is not function]


def _empty(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is cell
    except ValueError:
        return True


def _told(value: Any) -> str:
    """Its label, or its type where it has none."""
    try:
        return str(label(value))
    except Exception:
        return type(value).__qualname__


def _constant(value: Any) -> Any:
    """Code and constants, in an order that is the same in every process."""
    if isinstance(value, types.CodeType):
        return value.co_code, value.co_names, value.co_varnames, tuple(_constant(c) for c in value.co_consts)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else value
