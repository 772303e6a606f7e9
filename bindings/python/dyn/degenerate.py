# SPDX-License-Identifier: BSD-3-Clause
"""Adam on a flat minimum, L = x^k / k, in its states (ln|x|, omega, lambda) (arXiv 2603.09581): dyn.degenerate."""
from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, real_vector
from ._lib import call, enum_name, integer, lib, number
from .context import current
from .errors import shapes_differ

__all__ = ["Map", "Theory", "Trajectory", "map", "run", "theory"]


class _Theory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("ratio", "omega", "lambda_", "slope", "stable_below",
                                                     "exists_below")] + [("regime", ctypes.c_int32),
                                                                         ("flips", ctypes.c_int32)]


class Theory(NamedTuple):
    """Of one (k, beta1, beta2): ratio x'/x at the fixed point (omega, lambda), slope of ln L per step; beta1 below which
    the fixed point is stable, and exists; regime "stable", "spike" or "sign". flips: an eigenvalue is below -1 all the
    same.

    >>> t = dyn.degenerate.theory(4, beta1=0.9, beta2=0.93)
    >>> round(t.ratio, 5), round(t.slope, 5), t.regime
    (0.98202, -0.07257, 'stable')
    """

    ratio: float
    omega: float
    lambda_: float
    slope: float
    stable_below: float
    exists_below: float
    regime: str
    flips: bool


def theory(k: int = 4, beta1: float = 0.9, beta2: float = 0.93, rate: float = 1e-3) -> Theory:
    """What theory says of Adam without bias correction and eps on x^k / k, k even from 4 on.

    >>> [dyn.degenerate.theory(4, 0.9, b).regime for b in (0.91, 0.895, 0.8)]
    ['stable', 'spike', 'sign']
    """
    context, out = current(), _Theory()
    call(context, lib.dyn_degenerate_theory_of, context, integer(k, "k", "i32"), number(beta1, "beta1"),
         number(beta2, "beta2"), number(rate, "rate"), ctypes.byref(out))
    return Theory(out.ratio, out.omega, out.lambda_, out.slope, out.stable_below, out.exists_below,
                  enum_name("adam_regime", out.regime), bool(out.flips))


class Trajectory(NamedTuple):
    """ln|x_t|, and the state omega_t = m_t / x^(k-1), lambda_t = x^(k-2) / sqrt(v_t) of the step to t + 1 [steps + 1].

    >>> dyn.degenerate.run(steps=3).log_x.shape
    (4,)
    """

    log_x: NDArray[np.float64]
    omega: NDArray[np.float64]
    lambda_: NDArray[np.float64]


def run(k: int = 4, beta1: float = 0.9, beta2: float = 0.93, *, rate: float = 1e-3, x: float = 1.0,
        steps: int = 10000) -> Trajectory:
    """A trajectory from x. Nothing underflows, however long it is.

    >>> t = dyn.degenerate.run(4, 0.9, 0.93, steps=4000)
    >>> int(np.argmax(t.log_x <= np.log(1e-20)))        # the first step with |x| <= 1e-20
    3384
    """
    out = [np.empty(integer(steps, "steps", least=0) + 1) for _ in range(3)]
    context = current()
    call(context, lib.dyn_degenerate_run, context, integer(k, "k", "i32"), number(beta1, "beta1"),
         number(beta2, "beta2"), number(rate, "rate"), number(x, "x"), steps, *(pointer(a) for a in out))
    return Trajectory(*out)


class Map(NamedTuple):
    """Of each (beta1, beta2): ln of the least and of the last loss, and the median of ln(v / g^2), near 0 where v follows
    g^2; in the shape of beta1.

    >>> found = dyn.degenerate.map([0.9, 0.9], [0.91, 0.8], steps=5000)
    >>> bool(found.last[0] < -390), bool(found.last[1] > -40)
    (True, True)
    """

    least: NDArray[np.float64]
    last: NDArray[np.float64]
    coupling: NDArray[np.float64]


def map(beta1: ArrayLike, beta2: ArrayLike, k: int = 4, *, rate: float = 1e-3, x: float = 1.0,
        steps: int = 100000) -> Map:
    """Trajectories of all pairs of beta1 and beta2 (two arrays of one shape), on all threads.

    >>> dyn.degenerate.map([0.5], [0.9], steps=100).last.shape
    (1,)
    """
    shape = np.shape(beta1)
    b1, b2 = real_vector(np.ravel(beta1), "beta1"), real_vector(np.ravel(beta2), "beta2")
    if shape != np.shape(beta2):
        raise shapes_differ(f"beta1 has shape {list(shape)}, beta2 {list(np.shape(beta2))}")
    out = [np.empty(len(b1)) for _ in range(3)]
    context = current()
    call(context, lib.dyn_degenerate_map, context, integer(k, "k", "i32"), number(rate, "rate"), number(x, "x"),
         integer(steps, "steps"), len(b1), pointer(b1), pointer(b2), *(pointer(a) for a in out))
    return Map(*(a.reshape(shape) for a in out))
