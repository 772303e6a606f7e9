# SPDX-License-Identifier: BSD-3-Clause
"""Test functions of optimisers as objectives, with exact derivatives: power, quadratic, rosenbrock."""
from __future__ import annotations

from numpy.typing import ArrayLike

from ._arrays import pointer, real_array
from ._lib import lib, make
from .context import current
from .objective import Objective


def power(exponent: int, size: int = 1) -> Objective:
    """sum_i x_i^k / k of `size` unknowns, k = exponent >= 2."""
    context = current()
    made = Objective._of(context, make(context, lib.dyn_objective_power, context, size, exponent))
    made._recipe = (power, (exponent, size))
    return made


def quadratic(eigenvalues: ArrayLike) -> Objective:
    """sum_i h_i x_i^2 / 2."""
    context = current()
    h = real_array(eigenvalues, "eigenvalues").ravel()
    made = Objective._of(context, make(context, lib.dyn_objective_quadratic, context, len(h), pointer(h)))
    made._recipe = (quadratic, (h,))
    return made


def rosenbrock(size: int = 2) -> Objective:
    """sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, smallest at ones."""
    context = current()
    made = Objective._of(context, make(context, lib.dyn_objective_rosenbrock, context, size))
    made._recipe = (rosenbrock, (size,))
    return made
