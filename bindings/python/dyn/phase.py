# SPDX-License-Identifier: BSD-3-Clause
"""Phase diagrams: how training goes with the width (arXiv 2007.07497). <dyn/phase.h> says how."""
from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import array, block, pointer, real_array, real_matrix, real_vector, vector
from ._lib import call, enum_name, lib, number
from .context import current
from .errors import shapes_differ
from .model import Model


class Slope(NamedTuple):
    """Exponent of a power law, with the standard error of the fit (0 for two points).

    >>> round(dyn.loglog_slope([10, 100, 1000], [1.0, 10.0, 100.0]).slope, 12)
    1.0
    """

    slope: float
    error: float


def relative_distance(w: ArrayLike, w0: ArrayLike) -> float:
    """|w - w0| / |w0| of arrays of one shape: how far weights have moved.

    >>> dyn.relative_distance([[3.0, 0.0], [0.0, 8.0]], [[3.0, 0.0], [0.0, 4.0]])
    0.8
    """
    start = real_array(w0, "w0")
    end = block(w, start.shape, "w")
    out = ctypes.c_double()
    context = current()
    call(context, lib.dyn_condensation_distance, context, start.size, pointer(end), pointer(start), ctypes.byref(out))
    return out.value


def loglog_slope(m: ArrayLike, y: ArrayLike) -> Slope:
    """Slope of the least-squares line of ln y on ln m: of the relative distance on the width, below 0 in the linear
    regime, above 0 in the condensed one. m, y [n], positive.

    >>> round(dyn.loglog_slope([100, 400], [0.2, 0.1]).slope, 12)
    -0.5
    """
    widths = real_vector(m, "m")
    values = vector(y, len(widths), "y")
    slope, error = ctypes.c_double(), ctypes.c_double()
    context = current()
    call(context, lib.dyn_condensation_slope, context, len(widths), pointer(widths), pointer(values),
         ctypes.byref(slope), ctypes.byref(error))
    return Slope(slope.value, error.value)


def regime(slope: float, tolerance: float = 0.03) -> str:
    """"linear", "critical" (|slope| <= tolerance) or "condensed".

    >>> dyn.regime(-0.5), dyn.regime(0.01), dyn.regime(0.4)
    ('linear', 'critical', 'condensed')
    """
    return enum_name("regime", lib.dyn_phase_regime(number(slope, "slope"), number(tolerance, "tolerance")))


def crossings(x: ArrayLike, values: ArrayLike, level: float = 0.0) -> NDArray[np.float64]:
    """Where each row of a diagram crosses a level: the first place along x, by linear interpolation; NaN for none.

    x [columns], ascending; values [rows, columns].

    >>> dyn.crossings([0.8, 1.0, 1.2], [[-0.2, -0.1, 0.1], [-0.3, -0.2, -0.1]])
    array([1.1, nan])
    """
    matrix = real_matrix(values, "values", "[rows, columns]")
    places = vector(x, matrix.shape[1], "x")
    found = np.empty(len(matrix))
    context = current()
    call(context, lib.dyn_phase_crossings, context, *matrix.shape, pointer(places), pointer(matrix),
         number(level, "level"), pointer(found))
    return found


def centred_targets(net: Model, x: ArrayLike, y: ArrayLike, theta: ArrayLike | None = None) -> NDArray[np.float64]:
    """Targets y + f(theta, x) [n, outputs], theta None being where the network starts: training f on them from theta is
    training f - f(theta) on y.

    >>> net = dyn.mlp([1, 1], init=dyn.init.constant(2.0))
    >>> dyn.centred_targets(net, [1.0], [0.5])
    array([[4.5]])
    """
    samples = np.ascontiguousarray(array(x, "x"), dtype=np.float64).reshape(-1, *net.input_shape)
    targets = np.array(real_array(y, "y"), dtype=np.float64)
    if targets.size != len(samples) * net.output_size:
        raise shapes_differ(f"y has shape {list(targets.shape)}, expected [{len(samples)}, {net.output_size}]")
    targets = np.ascontiguousarray(targets.reshape(len(samples), net.output_size))
    start = net.initial() if theta is None else vector(theta, net.size, "theta")
    net._call(lib.dyn_phase_centred_targets, pointer(start), len(samples), pointer(samples), pointer(targets),
              pointer(targets))
    return targets
