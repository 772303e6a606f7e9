# SPDX-License-Identifier: BSD-3-Clause
"""Exact minima, gradient flow and Langevin dynamics of an objective. <dyn/minimise.h> and <dyn/flow.h> say how."""
from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import Any, Callable, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, vector, view
from ._lib import Options, callback, enum, enum_name, function_pointer, lib, structs
from .errors import invalid
from .model import Model
from .objective import Objective, _at
from .objective import Options as Terms
from .optim import LBFGS


@dataclass(frozen=True)
class NewtonCG:
    """Newton's method by conjugate gradients on Hessian products, in a trust region.

    >>> dyn.NewtonCG()
    NewtonCG()
    """

    kind = "newton"

    def _own(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Monotone:
    """theta -= rate g, taken if the loss does not rise; rate *= growth then, else rate *= shrink.

    >>> dyn.Monotone(0.5)
    Monotone(rate=0.5, growth=1.02, shrink=0.5)
    """

    rate: float = 1e-3
    growth: float = 1.02
    shrink: float = 0.5
    kind = "monotone"

    def _own(self) -> dict[str, Any]:
        return {"rate": self.rate, "growth": self.growth, "shrink": self.shrink}


class _Minimum(ctypes.Structure):
    _fields_ = [("value", ctypes.c_double), ("gradient_norm", ctypes.c_double), ("rate", ctypes.c_double),
                ("steps", ctypes.c_int64), ("evaluations", ctypes.c_int64), ("products", ctypes.c_int64),
                ("reason", ctypes.c_int32), ("reserved", ctypes.c_int32)]


class _Flowed(ctypes.Structure):
    _fields_ = [("time", ctypes.c_double), ("value", ctypes.c_double), ("gradient_norm", ctypes.c_double),
                ("steps", ctypes.c_int64), ("rejected", ctypes.c_int64), ("evaluations", ctypes.c_int64),
                ("kinks", ctypes.c_int64), ("states", ctypes.c_int64), ("slides", ctypes.c_int64),
                ("kink", ctypes.c_int64), ("reason", ctypes.c_int32), ("stiff", ctypes.c_int32)]


@dataclass(frozen=True)
class Minimum:
    """Where a minimisation ended: theta [p], its loss and gradient norm; why: "gradient" or "value" (the goal),
    "evaluations" (spent), "stalled" (no step lowers the loss).

    >>> dyn.minimise(dyn.mlp([1, 2, 1]), [[0.0]], [[0.0]]).converged
    True
    """

    theta: NDArray[np.float64]
    loss: float
    gradient_norm: float
    reason: str
    steps: int
    evaluations: int
    products: int
    rate: float

    @property
    def converged(self) -> bool:
        """Whether a goal was reached."""
        return self.reason in ("gradient", "value")


@dataclass(frozen=True)
class Flow:
    """A gradient flow: states [k, p] at times [k]; theta [p], its loss, gradient norm and time at the end; why: "time",
    "value", "gradient" (the goal), "evaluations" (spent), "step" (time no longer moves), "sliding" (along kink number
    `kink` in a way that could not be followed). stiff: stability has bounded the steps for long; kinks: crossed; slides:
    kinks on which it began to slide, the last of them `kink` (-1: none).

    >>> dyn.flow(dyn.mlp([1, 2, 1]), [[0.0]], [[0.0]], end=1.0).time
    1.0
    """

    times: NDArray[np.float64]
    states: NDArray[np.float64]
    theta: NDArray[np.float64]
    time: float
    loss: float
    gradient_norm: float
    reason: str
    steps: int
    rejected: int
    evaluations: int
    kinks: int
    slides: int
    kink: int
    stiff: bool


def _progress(context: Any, options: Options, progress: Callable[[str], Any] | None) -> Any:
    """Let the library call progress(text) after every step; what that gives, if true, stops."""
    call = None if progress is None else callback(context, "dyn_progress_fn",
                                                  lambda _, done, text: int(bool(progress(text.decode()))))
    options.progress = function_pointer(call)
    return call


def minimise(subject: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
             theta: ArrayLike | None = None, loss: Any = None, method: LBFGS | NewtonCG | Monotone = LBFGS(),
             gradient_tolerance: float = 1e-10, stop_loss: float = -math.inf, max_evaluations: int = 100000,
             progress: Callable[[str], Any] | None = None, **options: Unpack[Terms]) -> Minimum:
    """Go down from theta [p] (default: as the model's init says) to a minimum of the loss of a model on x, y
    (loss="mse" and the other options of Objective), of an Objective, or of a Run.

    It ends where the norm of the gradient is at most gradient_tolerance or the loss at most stop_loss. The best finite
    point is given back also where it ends otherwise: look at .converged.

    >>> best = dyn.minimise(dyn.mlp([1, 1]), [0.0, 1.0, 2.0], [1.0, 3.0, 5.0], gradient_tolerance=1e-12)
    >>> best.converged, [round(t, 6) for t in best.theta.tolist()]
    (True, [2.0, 1.0])
    """
    objective, start = _at(subject, x, y, theta, loss, options)
    found, end = np.array(vector(start, objective.size, "theta")), _Minimum()
    given = structs["dyn_minimise_options"]()
    given.method = enum("minimise", method.kind)
    fields = {"memory": 20, "rate": 1e-3, "growth": 1.02, "shrink": 0.5, **method._own()}
    given.set(gradient_tolerance=gradient_tolerance, stop_value=stop_loss, max_evaluations=max_evaluations, **fields)
    kept = _progress(objective._context, given, progress)
    objective._call(lib.dyn_objective_minimise, ctypes.byref(given), pointer(found), ctypes.byref(end))
    del kept
    return Minimum(found, end.value, end.gradient_norm, enum_name("minimise_reason", end.reason), end.steps,
                   end.evaluations, end.products, end.rate)


def flow(subject: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
         theta: ArrayLike | None = None, loss: Any = None, times: ArrayLike = (), end: float = math.inf,
         stop_loss: float = -math.inf,
         gradient_tolerance: float = 0.0, normalised: bool = False, rtol: float = 1e-6, atol: float = 1e-9,
         kinks: Callable[[NDArray[np.float64]], ArrayLike] | None = None, max_evaluations: int = 1000000,
         progress: Callable[[str], Any] | None = None, **options: Unpack[Terms]) -> Flow:
    """theta' = -gradient (normalised: divided by its norm) from theta [p] at time 0, with errors of a step of at most
    atol + rtol |theta|. Subject, x, y and options as in minimise.

    times: rising, where states are wanted; without an end and a stop_loss, the last of them is the end.
    kinks: a function of theta [p] that gives numbers (pre-activations of ReLU) at whose changes of sign steps end. Where
        the gradients of both sides lead onto a kink, the flow slides along it (Filippov) until one leads away.

    >>> f = dyn.flow(dyn.mlp([1, 1], bias=False), [1.0], [0.0], theta=[1.0], times=[0.5, 1.0])     # theta' = -2 theta
    >>> [round(v, 5) for v in f.states[:, 0].tolist()]
    [0.36788, 0.13534]
    """
    objective, start = _at(subject, x, y, theta, loss, options)
    wanted = np.ascontiguousarray(np.atleast_1d(times), dtype=np.float64)
    if math.isinf(end) and math.isinf(stop_loss) and gradient_tolerance == 0:
        if not len(wanted):
            raise invalid("a flow needs an end: end, times, stop_loss or gradient_tolerance")
        end = float(wanted[-1])
    states, done = np.empty((len(wanted), objective.size)), _Flowed()
    theta_end = np.array(vector(start, objective.size, "theta"))
    given = structs["dyn_flow_options"](
        normalised=int(normalised), relative=rtol, absolute=atol, end=end, stop_value=stop_loss,
        gradient_tolerance=gradient_tolerance, max_evaluations=max_evaluations)
    kept = _progress(objective._context, given, progress), _watch(objective, given, kinks, theta_end)
    objective._call(lib.dyn_objective_flow, ctypes.byref(given), len(wanted), pointer(wanted), pointer(states),
                    pointer(theta_end), ctypes.byref(done))
    del kept
    k = done.states
    return Flow(wanted[:k], states[:k], theta_end, done.time, done.value, done.gradient_norm,
                enum_name("flow_reason", done.reason), done.steps, done.rejected, done.evaluations, done.kinks,
                done.slides, done.kink, bool(done.stiff))


def _watch(objective: Objective, given: Options, kinks: Callable[..., ArrayLike] | None,
           theta: NDArray[np.float64]) -> Any:
    """Let the library ask for the signs of the kinks."""
    if kinks is None:
        return None
    count, size = np.size(kinks(theta)), objective.size

    def call(_: Any, at: int, out: int) -> None:
        view(out, (count,))[...] = np.ravel(kinks(view(at, (size,))))
    function = callback(objective._context, "dyn_kinks_fn", call)
    given.kink_count = count
    given.kinks = function_pointer(function)
    return function


def langevin(subject: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
             theta: ArrayLike | None = None, loss: Any = None, steps: int, epsilon: float = 0.01, n_beta: float = 1.0,
             gamma: float = 0.0,
             weight_decay: float = 0.0, seed: int = 0, chain: int = 0,
             **options: Unpack[Terms]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A chain around theta [p]: w -= epsilon / 2 (n_beta g + gamma (w - theta) + weight_decay w) - sqrt(epsilon) xi.

    Returns the losses [steps] before each step, the first that of theta, and the last w. The local learning coefficient
    of n samples is n_beta (mean of the losses - the first) with n_beta = n / ln n.

    >>> losses, w = dyn.langevin(dyn.mlp([1, 2, 1]), [[0.0]], [[0.0]], steps=10, n_beta=4.0)
    >>> losses.shape, w.shape
    ((10,), (7,))
    """
    objective, start = _at(subject, x, y, theta, loss, options)
    w, losses = np.array(vector(start, objective.size, "theta")), np.empty(steps)
    given = structs["dyn_langevin_options"](epsilon=epsilon, n_beta=n_beta, gamma=gamma, weight_decay=weight_decay,
                                            seed=seed, chain=chain)
    objective._call(lib.dyn_objective_langevin, ctypes.byref(given), steps, pointer(w), pointer(losses))
    return losses, w
