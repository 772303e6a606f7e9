# SPDX-License-Identifier: BSD-3-Clause
"""Central flow: the smooth path around which gradient descent or RMSProp oscillates at the edge of stability, and the
covariance of the oscillation (arXiv 2410.24206). <dyn/central.h> says how."""
from __future__ import annotations

import ctypes
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, vector
from ._lib import NOT_CONVERGED, enum, integer, lib, number, structs
from .errors import NotConverged, invalid
from .objective import Options, _at


class _Record(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("loss", "predicted_loss", "gradient_square", "sharpness", "variance")]
    _fields_ += [("critical", ctypes.c_int64)]


@dataclass(frozen=True)
class CentralFlow:
    """A central flow at times 0, 1, .. steps, one for each step of the optimiser: loss along the flow; predicted_loss and
    gradient_square, those of the run averaged over its oscillation; sharpness of the preconditioned Hessian, whose edge
    is 2; variance of the oscillation; critical, how many eigenvalues oscillate; thetas [steps + 1, p]; v [p] at the
    end, or None.

    >>> loss = dyn.functions.quadratic([1.0])
    >>> dyn.CentralFlow.__name__
    'CentralFlow'
    """

    times: NDArray[np.int64]
    loss: NDArray[np.float64]
    predicted_loss: NDArray[np.float64]
    gradient_square: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    variance: NDArray[np.float64]
    critical: NDArray[np.int64]
    thetas: NDArray[np.float64]
    v: NDArray[np.float64] | None


def central_flow(subject: Any, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
                 steps: int, rate: float, kind: Literal["gd", "rmsprop"] = "gd", v: ArrayLike | None = None,
                 beta2: float = 0.99, eps: float = 1e-8, critical: float = 1.95, substeps: int = 4, most: int = 8,
                 tolerance: float = 1e-8, **options: Unpack[Options]) -> CentralFlow:
    """Follow the central flow of gradient descent, or of RMSProp from its second moment v [p], for `steps` steps from theta.

    Below the edge it is the flow of the (preconditioned) gradient; there it moves as the run does on average. It takes
    for granted that the run oscillates: a run that reaches the edge from a long calm overshoots first. critical:
    eigenvalues above it take part; most: so many at most.

    >>> net = dyn.mlp([1, 4, 1], seed=1)
    >>> found = dyn.central_flow(net, [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], steps=5, rate=0.05)
    >>> found.thetas.shape, bool((np.diff(found.loss) < 0).all())
    ((6, 13), True)
    """
    objective, at = _at(subject, x, y, theta, None, options)
    point = np.array(vector(at, objective.size, "theta"))
    if (kind == "rmsprop") != (v is not None):
        raise invalid("v [p], the second moment at the start, goes with kind='rmsprop'")
    moment = None if v is None else np.array(vector(v, objective.size, "v"))
    count = integer(steps, "steps", least=0) + 1
    given = structs["dyn_central_options"](
        kind=enum("central", kind), rate=number(rate, "rate"), beta2=number(beta2, "beta2"), eps=number(eps, "eps"),
        critical=number(critical, "critical"), tolerance=number(tolerance, "tolerance"),
        substeps=integer(substeps, "substeps", "i32"), most=integer(most, "most", "i32"))
    trace, path = (_Record * count)(), np.empty((count, objective.size))
    status = objective._call(lib.dyn_objective_central_flow, ctypes.byref(given), count - 1, pointer(point),
                             None if moment is None else pointer(moment), trace, pointer(path))
    if status == NOT_CONVERGED:
        warnings.warn("an eigenvalue was not within its tolerance, or more of them were critical than `most`", NotConverged,
                      stacklevel=2)
    columns = {name: np.array([getattr(record, name) for record in trace]) for name in (field[0] for field in _Record._fields_)}
    return CentralFlow(times=np.arange(count), thetas=path, v=moment, **columns)
