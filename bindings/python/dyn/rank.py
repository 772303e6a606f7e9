# SPDX-License-Identifier: BSD-3-Clause
"""Model rank: how many directions of parameter space change the function (arXiv 2211.11623, 2307.08921)."""
from __future__ import annotations

import ctypes
import warnings
from dataclasses import dataclass
from typing import Any, Callable, Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import copied, pointer, real_array, real_matrix, vector
from ._lib import NOT_CONVERGED, Handle, enum, integer, lib, make, number, structs
from ._lib import Options as Struct
from .context import current
from .errors import NotConverged, invalid, shapes_differ
from .model import Model
from .operator import as_operator


@dataclass(frozen=True)
class RankResult:
    """A rank with its evidence.

    rank: by the rule asked for. by_tolerance, by_gap: by either rule; gap_at_tolerance, largest_gap: s_rank/s_(rank+1)
    there. singular_values: of the Jacobian with columns scaled to length 1, descending. tolerance: relative to the
    first. rows, columns: of the Jacobian; zero_columns: parameters without any effect. accurate: the values are those of
    the slow accurate method, as a cut was not clear from the fast one. remainder: of operator_rank, by how much any singular
    value may be larger, but for a chance; 0 where all were computed.

    >>> found = dyn.matrix_rank(np.diag([1.0, 1.0, 0.0]))
    >>> found.rank, found.zero_columns, found.singular_values
    (2, 1, array([1., 1.]))
    """

    rank: int
    by_tolerance: int
    by_gap: int
    gap_at_tolerance: float
    largest_gap: float
    singular_values: NDArray[np.float64]
    tolerance: float
    rows: int
    columns: int
    zero_columns: int
    accurate: bool
    remainder: float = 0.0
    chance: float = 0.0


class _Rank(Handle):
    _kind = "rank"


Rule = Literal["tolerance", "gap"]


class Options(TypedDict, total=False):
    """Where singular values are cut, and at which inputs; see model_rank."""

    rule: Rule
    tolerance: float | None
    probes: int | None
    probe_std: float
    seed: int


def rank_options(options: Options, memory_limit: int | None = None) -> Struct:
    """dyn_rank_options, with the values checked."""
    unknown = [name for name in options if name not in Options.__annotations__]
    if unknown:
        raise TypeError(f"unknown options {', '.join(unknown)}; there are {', '.join(Options.__annotations__)}")
    tolerance, probes, std = options.get("tolerance"), options.get("probes"), options.get("probe_std", 1.0)
    if tolerance is not None and not 0 < number(tolerance, "tolerance") < 1:
        raise invalid(f"tolerance is {tolerance}, must be in (0, 1)")
    if not number(std, "probe_std") > 0:
        raise invalid(f"probe_std is {std}, must be positive")
    return structs["dyn_rank_options"](
        rule=enum("rank_rule", options.get("rule", "tolerance")), tolerance=tolerance, probe_std=std,
        probes=None if probes is None else integer(probes, "probes", least=1), seed=options.get("seed"),
        memory_limit=memory_limit)


def _result(r: _Rank) -> RankResult:
    gaps = ctypes.c_double(), ctypes.c_double()
    count, chance = ctypes.c_int64(), ctypes.c_double()
    values = lib.dyn_rank_singular_values(r, ctypes.byref(count))
    return RankResult(
        lib.dyn_rank_value(r), lib.dyn_rank_by_tolerance(r, ctypes.byref(gaps[0])),
        lib.dyn_rank_by_gap(r, ctypes.byref(gaps[1])), gaps[0].value, gaps[1].value, copied(values, (count.value,)),
        lib.dyn_rank_tolerance(r), lib.dyn_rank_rows(r), lib.dyn_rank_columns(r), lib.dyn_rank_zero_columns(r),
        bool(lib.dyn_rank_accurate(r)), lib.dyn_rank_remainder(r, ctypes.byref(chance)), chance.value)


def model_rank(net: Model, theta: ArrayLike, x: ArrayLike | None = None, *, memory_limit: int | None = None,
               **options: Unpack[Options]) -> RankResult:
    """Rank of the Jacobian of all outputs at theta [p], in float64.

    x [n, *input shape]: the empirical rank at these samples (needed where they are indices: tokens, entries); None: the
    model rank, at normal random inputs of standard deviation probe_std (1; take 4 for one-dimensional inputs), as many
    as probes says (None: enough), from seed.
    memory_limit: bytes (None: any); the Jacobian is then made and reduced some samples at a time.
    rule: "tolerance" (for parameters exact by construction) or "gap" (for trained ones); both are computed.

    >>> net = dyn.mlp([1, 2, 1], bias=False)
    >>> dyn.model_rank(net, [1.0, 1.0, 1.0, 1.0]).rank     # two equal neurons: one direction for w, one for a
    2
    """
    if memory_limit is not None:
        integer(memory_limit, "memory_limit", least=1)
    given = ctypes.byref(rank_options(options, memory_limit))
    theta = vector(theta, net.size, "theta")
    if x is None:
        return _made(net, lib.dyn_rank_model, net, pointer(theta), given)
    samples = real_array(x, "x")
    expected = int(np.prod(net.input_shape)) * len(samples)
    if samples.size != expected:
        raise shapes_differ(f"x has shape {list(samples.shape)}, expected {[len(samples), *net.input_shape]}")
    return _made(net, lib.dyn_rank_at, net, pointer(theta), len(samples), pointer(samples), given)


def _made(owner: Any, function: Callable[..., int], *arguments: Any) -> RankResult:
    return _result(_Rank(owner._context, make(owner._context, function, *arguments)))


def matrix_rank(jacobian: ArrayLike, *, rule: Rule = "tolerance", tolerance: float | None = None) -> RankResult:
    """Rank of a matrix [rows, columns] in the same way: columns scaled to length 1, with singular values and gaps.

    >>> dyn.matrix_rank([[1.0, 2.0], [2.0, 4.0]]).rank
    1
    """
    a = real_matrix(jacobian, "jacobian")
    context = current()
    given = ctypes.byref(rank_options({"rule": rule, "tolerance": tolerance}))
    return _result(_Rank(context, make(context, lib.dyn_rank_matrix, context, *a.shape, pointer(a), given)))


def operator_rank(A: Any, *, rule: Rule = "tolerance", tolerance: float | None = None, probes: int | None = None,
                  memory_limit: int | None = None, seed: int = 0) -> RankResult:
    """Rank of an operator or map by products alone, for one too large to write out (Objective.jacobian_map): directions of
    its range are added until nothing above tolerance (None: 1e-10) times the largest singular value is left, as `probes`
    (None: 10) further random vectors certify: remainder, but for a chance. Columns are not scaled.

    memory_limit: bytes (None: any); where no more directions fit, dyn.NotConverged is warned of, and the rank is a lower bound.

    >>> found = dyn.operator_rank(dyn.low_rank(np.eye(5)[:, :2], [1.0, 2.0]))
    >>> found.rank, found.singular_values.round(9)
    (2, array([2., 1.]))
    """
    if memory_limit is not None:
        integer(memory_limit, "memory_limit", least=1)
    given = rank_options({"rule": rule, "tolerance": tolerance, "probes": probes, "seed": seed}, memory_limit)
    operator = as_operator(A)
    out = ctypes.c_void_p()
    status = operator._call(lib.dyn_rank_operator, ctypes.byref(given), ctypes.byref(out))
    found = _result(_Rank(operator._context, out.value or 0))
    if status == NOT_CONVERGED:
        warnings.warn(f"no more than {len(found.singular_values)} directions fit in {memory_limit} bytes: singular values of up "
                      f"to {found.remainder:.3g} are left", NotConverged, stacklevel=2)
    return found
