# SPDX-License-Identifier: BSD-3-Clause
"""A jaxpr written as nodes: what depends on neither parameters nor inputs is computed by JAX and becomes a constant,
functions called from it are written in their place, loops over places are unrolled."""
from __future__ import annotations

from typing import Any, Sequence

import jax
import numpy as np
from jax.extend import core

from . import _jax_indices as I
from ._jax_arithmetic import PRIMITIVES, as_node
from .errors import Error, error, invalid
from .graph import Node

#: primitives that call a jaxpr, and the name of the parameter that holds it
CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr", "remat": "jaxpr",
         "checkpoint": "jaxpr", "remat2": "jaxpr", "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr",
         "custom_vjp_call_jaxpr": "fun_jaxpr", "custom_lin": "jaxpr"}
OTHERS = {"gather", "scan", "cond"}


def _is_live(x: Any) -> bool:
    return isinstance(x, (Node, I.Indices))


# ---- what is missing ----

def _inner(equation: Any) -> list[Any]:
    """The jaxprs that an equation calls."""
    found = [v for v in equation.params.values() if hasattr(v, "eqns") or hasattr(v, "jaxpr")]
    found += [b for v in equation.params.values() if isinstance(v, tuple) for b in v if hasattr(b, "jaxpr")]
    return [getattr(v, "jaxpr", v) for v in found]


def missing(jaxpr: Any, live: Sequence[bool]) -> list[str]:
    """Primitives that the table lacks on what depends on parameters and inputs, with the lines that use them."""
    found: dict[str, str] = {}
    known = {v for v, is_live in zip(jaxpr.invars, live) if is_live}
    for equation in jaxpr.eqns:
        given = [not isinstance(v, core.Literal) and v in known for v in equation.invars]
        if not any(given):
            continue
        known.update(equation.outvars)
        name = equation.primitive.name
        if name == "cond" and given[0]:
            found.setdefault(name, f"cond{_line(equation)} (a branch chosen by what depends on the input: jnp.where takes both)")
        if name in CALLS or name in ("scan", "cond"):
            for inner in _inner(equation):
                for other in missing(inner, [True] * len(inner.invars)):
                    found.setdefault(other.split(" ")[0], other)
        elif name not in PRIMITIVES and name not in OTHERS:
            found.setdefault(name, f"{name}{_line(equation)}")
    return list(found.values())


def _line(equation: Any) -> str:
    """Where the user wrote it."""
    try:
        from jax._src import source_info_util
        line = source_info_util.summarize(equation.source_info)
        return f" at {line}" if line else ""
    except Exception:       # of any kind: a line is a help, not a need
        return ""


# ---- writing ----

def write(jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    """The results of a jaxpr at nodes, indices and constants."""
    values: dict[Any, Any] = {**dict(zip(jaxpr.constvars, constants)), **dict(zip(jaxpr.invars, arguments))}

    def value_of(v: Any) -> Any:
        return np.asarray(v.val) if isinstance(v, core.Literal) else values[v]
    for equation in jaxpr.eqns:
        results = _equation(equation, [value_of(v) for v in equation.invars])
        values.update(zip(equation.outvars, results))
    return [value_of(v) for v in jaxpr.outvars]


def _equation(equation: Any, given: list[Any]) -> list[Any]:
    name, parameters = equation.primitive.name, equation.params
    if name in CALLS:
        inner = parameters[CALLS[name]]
        return write(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), given)
    if name == "scan":
        return _scan(parameters, given)
    if name == "cond":
        return _branch(parameters["branches"], given)
    if not any(map(_is_live, given)):
        return _computed(equation, given)
    try:
        made = _made(name, given, parameters)
    except Error as refused:
        raise error(refused.status, f"{name}{_line(equation)}: {refused}") from None
    return list(made) if equation.primitive.multiple_results else [made]


def _made(name: str, given: list[Any], parameters: dict[str, Any]) -> Any:
    if name == "gather":
        return I.gather(*given, **parameters)
    if any(isinstance(x, I.Indices) for x in given):
        if name not in I.RULES:
            raise invalid(f"{name} of indices that the data give")
        return I.RULES[name](*given, **{k: v for k, v in parameters.items() if k in WANTED.get(name, ())})
    return PRIMITIVES[name](*given, **parameters)


#: parameters that the rules for indices read
WANTED = {"broadcast_in_dim": ("shape", "broadcast_dimensions"), "reshape": ("new_sizes",), "squeeze": ("dimensions",),
          "convert_element_type": ("new_dtype",)}


def _computed(equation: Any, given: list[Any]) -> list[Any]:
    """By JAX; what is broadcast stays one number with a step of 0."""
    if equation.primitive.name == "broadcast_in_dim":
        shape, places = equation.params["shape"], equation.params["broadcast_dimensions"]
        thin = np.expand_dims(np.asarray(given[0]), [i for i in range(len(shape)) if i not in places])
        return [np.broadcast_to(thin, shape)]
    made = equation.primitive.bind(*given, **equation.params)
    return [_plain(v) for v in (made if equation.primitive.multiple_results else [made])]


def _plain(x: Any) -> Any:
    """A NumPy array, unless it is a key."""
    return x if jax.numpy.issubdtype(x.dtype, jax.dtypes.extended) else np.asarray(x)


def _branch(branches: Sequence[Any], given: list[Any]) -> list[Any]:
    chosen = branches[min(max(int(given[0]), 0), len(branches) - 1)]
    return write(chosen.jaxpr, chosen.consts, given[1:])


def _scan(parameters: dict[str, Any], given: list[Any]) -> list[Any]:
    """Every step in its turn."""
    constants, carried = parameters["num_consts"], parameters["num_carry"]
    body, length = parameters["jaxpr"], parameters["length"]
    fixed, carry, along = given[:constants], given[constants:constants + carried], given[constants + carried:]
    steps = range(length)[::-1] if parameters["reverse"] else range(length)
    collected: list[list[Any]] = [[None] * length for _ in body.jaxpr.outvars[carried:]]
    for t in steps:
        results = write(body.jaxpr, body.consts, [*fixed, *carry, *(_place(x, t) for x in along)])
        carry = results[:carried]
        for column, value in zip(collected, results[carried:]):
            column[t] = value
    return [*carry, *map(_stacked, collected)]


def _place(x: Any, t: int) -> Any:
    if isinstance(x, I.Indices):
        raise invalid("a loop over indices: look them up before it")
    return x[t]


def _stacked(values: list[Any]) -> Any:
    live = [v for v in values if isinstance(v, Node)]
    if not live:
        return np.stack(values)
    nodes = [as_node(v, live[0].graph) for v in values]
    return PRIMITIVES["concatenate"](*(v.reshape(1, *v.shape) for v in nodes), dimension=0)
