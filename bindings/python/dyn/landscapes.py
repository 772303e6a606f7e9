# SPDX-License-Identifier: BSD-3-Clause
"""Loss landscapes: directions, slices, planes of trajectories, paths between minima; spaces of eigenvectors; the local
learning coefficient. <dyn/landscape.h> and <dyn/flow.h> say how."""
from __future__ import annotations

import ctypes
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, pointer, real_matrix, real_vector, vector
from ._lib import NOT_CONVERGED, call, enum, integer, lib, make, number, structs
from .context import current
from .eigen import complaint, pairs_of, solved
from .errors import NotConverged, invalid
from .minimise import minimise
from .objective import Objective, Options, _at

Subject = Any


# ---- slices ----

def direction(subject: Subject, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
              like: ArrayLike | None = None, scale: Literal["filter", "layer", "weight"] = "filter", seed: int = 0,
              **options: Unpack[Options]) -> NDArray[np.float64]:
    """A random direction [p], or `like` [p], scaled to theta so that slices of different networks can be compared (filter
    normalisation, arXiv 1712.09913): columns of weights to the length of theta's; "layer": tensors; "weight": each
    number times |theta|. Biases and gains are 0. subject: a run, an objective with theta, or a model with x and y.

    >>> net = dyn.mlp([1, 3, 1], seed=1)
    >>> d = dyn.direction(net, [[0.0]], [[0.0]])
    >>> round(float(np.linalg.norm(d[:3]) / np.linalg.norm(net.initial()[:3])), 6)
    1.0
    """
    objective, at = _at(subject, x, y, theta, None, options)
    point = vector(at, objective.size, "theta")
    if like is None:
        d = np.empty(objective.size)
        call(objective._context, lib.dyn_random_normal, objective._context, integer(seed, "seed", "u64"), 0, 0, d.size,
             pointer(d))
    else:
        d = np.array(vector(like, objective.size, "like"))
    objective._call(lib.dyn_direction_normalise, pointer(point), enum("direction_scale", scale), pointer(d))
    return d


@dataclass(frozen=True)
class Slice:
    """Losses around theta: at theta + a d1 (+ b d2): a [m], b [k] or None, losses [m] or [m, k].

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> dyn.landscape(dyn.Objective(net, [[1.0]], [[0.0]]), [1.0], theta=[0.0], a=[-1.0, 0.0, 2.0]).losses
    array([1., 0., 4.])
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64] | None
    losses: NDArray[np.float64]


def landscape(subject: Subject, first: ArrayLike, second: ArrayLike | None = None, *, x: ArrayLike | None = None,
              y: ArrayLike | None = None, theta: ArrayLike | None = None, a: ArrayLike | None = None,
              b: ArrayLike | None = None, **options: Unpack[Options]) -> Slice:
    """Loss along one direction [p] or in the plane of two, at theta + a first (+ b second); a, b: 51 points in [-1, 1].

    Directions: dyn.direction(...), columns of dyn.eigh(...).vectors, rows of dyn.trajectory_plane(...).directions.

    >>> net = dyn.mlp([1, 3, 1], seed=1)
    >>> loss = dyn.Objective(net, [[1.0]], [[0.0]])
    >>> d1, d2 = (dyn.direction(loss, theta=net.initial(), seed=s) for s in (1, 2))
    >>> dyn.landscape(loss, d1, d2, theta=net.initial(), a=np.linspace(-1, 1, 5)).losses.shape
    (5, 51)
    """
    objective, at = _at(subject, x, y, theta, None, options)
    point = vector(at, objective.size, "theta")
    d1 = vector(first, objective.size, "first")
    steps = np.linspace(-1, 1, 51) if a is None else real_vector(a, "a")
    if second is None:
        return Slice(steps, None, objective.values(point + steps[:, None] * d1))
    d2 = vector(second, objective.size, "second")
    across = np.linspace(-1, 1, 51) if b is None else real_vector(b, "b")
    rows = [objective.values(point + s * d1 + across[:, None] * d2) for s in steps]
    return Slice(steps, across, np.array(rows))


@dataclass(frozen=True)
class Plane:
    """The plane in which a trajectory moves most: directions [2, p] of length 1, centre [p], coordinates [r, 2] of its
    rows, shares [2] of the sum of squares.

    >>> plane = dyn.trajectory_plane([[3.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    >>> plane.shares.round(6), plane.coordinates[:, 0]
    (array([1., 0.]), array([3., 1., 0.]))
    """

    directions: NDArray[np.float64]
    centre: NDArray[np.float64]
    coordinates: NDArray[np.float64]
    shares: NDArray[np.float64]


def trajectory_plane(thetas: ArrayLike, *, centred: bool = False) -> Plane:
    """First two principal directions of a trajectory [r, p] around its last row, or centred: around its mean. A random walk
    has large shares, too.

    >>> dyn.trajectory_plane([[3.0, 0.0], [1.0, 0.0], [0.0, 0.0]]).directions
    array([[1., 0.],
           [0., 0.]])
    """
    rows = real_matrix(thetas, "thetas", "[r, p]")
    count, p = rows.shape
    found = np.empty((2, p)), np.empty((count, 2)), np.empty(2)
    context = current()
    call(context, lib.dyn_trajectory_plane, context, count, p, pointer(rows), int(centred), *map(pointer, found))
    return Plane(found[0], rows.mean(0) if centred else rows[-1].copy(), found[1], found[2])


# ---- paths ----

@dataclass(frozen=True)
class Path:
    """A path from theta_0 to theta_1 with its bends [m, p]; path(t) is theta at t in [0, 1]; losses [k] at times [k]; loss:
    the mean over t that was minimised; barrier: how far the loss rises above the straight line between its ends.

    >>> loss = dyn.Objective.from_functions(1, lambda t: float((t[0]**2 - 1)**2), lambda t: (float((t[0]**2 - 1)**2),
    ...     4 * t * (t**2 - 1)))
    >>> dyn.connect(loss, [-1.0], [1.0], bends=0).barrier
    1.0
    """

    ends: NDArray[np.float64]
    bends: NDArray[np.float64]
    kind: str
    times: NDArray[np.float64]
    losses: NDArray[np.float64]
    loss: float

    @property
    def barrier(self) -> float:
        """max over t of L(path(t)) - ((1 - t) L(theta_0) + t L(theta_1)), at the times."""
        return barrier(self.losses, self.times)

    def __call__(self, t: float) -> NDArray[np.float64]:
        """theta [p] at t."""
        return _place(self.ends, self.bends, self.kind, t)


def _place(ends: NDArray[np.float64], bends: NDArray[np.float64], kind: str, t: float) -> NDArray[np.float64]:
    points = np.vstack([ends[:1], bends, ends[1:]])
    if kind == "bezier":
        while len(points) > 1:      # de Casteljau
            points = (1 - t) * points[:-1] + t * points[1:]
        return np.array(points[0])
    i = min(int(t * (len(points) - 1)), len(points) - 2)
    share = t * (len(points) - 1) - i
    return np.asarray((1 - share) * points[i] + share * points[i + 1])


def barrier(losses: ArrayLike, times: ArrayLike | None = None) -> float:
    """How far losses [k] along a path rise above the straight line between the first and the last, at times [k] (None:
    equally far apart). Negative where they stay below.

    >>> dyn.barrier([1.0, 3.0, 2.0])
    1.5
    """
    values = real_vector(losses, "losses")
    if len(values) < 3:
        raise invalid(f"{len(values)} losses: the ends and something between them are needed")
    t = np.linspace(0, 1, len(values)) if times is None else vector(times, len(values), "times")
    return float(np.max((values - ((1 - t) * values[0] + t * values[-1]))[1:-1]))


def connect(objective: Objective, theta_0: ArrayLike, theta_1: ArrayLike, *, bends: int = 1,
            kind: Literal["bezier", "chain"] = "bezier", points: int = 16, times: int = 51, **options: Any) -> Path:
    """A path between two vectors of parameters along which the mean loss is least (arXiv 1802.10026): its bends, from the
    straight line on, minimised by dyn.minimise(**options). bends=0: the straight line. points: of the Gauss-Legendre
    sum over t. times: at how many the losses are told.

    >>> loss = dyn.Objective(dyn.mlp([1, 3, 1], seed=1), [[0.5]], [[0.2]])
    >>> a, b = (dyn.minimise(loss, theta=dyn.mlp([1, 3, 1], seed=s).initial()).theta for s in (1, 2))
    >>> path = dyn.connect(loss, a, b)
    >>> path.losses.shape, path.bends.shape, bool(path.losses.max() < 1e-3)
    ((51,), (1, 10), True)
    """
    ends = np.stack([vector(theta_0, objective.size, "theta_0"), vector(theta_1, objective.size, "theta_1")])
    t = np.linspace(0, 1, integer(times, "times", least=3))
    share = np.linspace(0, 1, integer(bends, "bends", least=0) + 2)[1:-1, None]
    middle = (1 - share) * ends[0] + share * ends[1]
    loss = float("nan")
    if bends:
        found = minimise(path_objective(objective, *ends, bends=bends, kind=kind, points=points), theta=middle.ravel(),
                         **options)
        middle, loss = found.theta.reshape(middle.shape), found.loss
    losses = objective.values(np.array([_place(ends, middle, kind, s) for s in t]))
    return Path(ends, middle, kind, t, losses, loss)


def path_objective(objective: Objective, theta_0: ArrayLike, theta_1: ArrayLike, *, bends: int = 1,
                   kind: Literal["bezier", "chain"] = "bezier", points: int = 16) -> Objective:
    """The mean loss along a path from theta_0 to theta_1 [p] as an objective of its bends [bends p]: to be trained by any
    optimiser. dyn.connect does so.

    >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), [[1.0]], [[0.0]])
    >>> round(dyn.path_objective(loss, [0.0], [0.0]).value([3.0]), 9)      # the mean of (6 t (1 - t))^2
    1.2
    """
    first, last = (vector(v, objective.size, name) for v, name in ((theta_0, "theta_0"), (theta_1, "theta_1")))
    context = objective._context
    address = make(context, lib.dyn_objective_path, objective, pointer(first), pointer(last), enum("path", kind),
                   integer(bends, "bends", "i32"), integer(points, "points", "i32"))
    return Objective._of(context, address, objective)


# ---- spaces of eigenvectors ----

def overlap(v: ArrayLike, w: ArrayLike) -> tuple[float, NDArray[np.float64]]:
    """Overlap |V^T W|_F^2 / k of the spaces of orthonormal columns [p, k], in [k/p, 1], and the cosines [k] of their
    principal angles.

    >>> dyn.overlap(np.eye(3)[:, :1], np.eye(3)[:, :1])
    (1.0, array([1.]))
    """
    first = np.ascontiguousarray(real_matrix(v, "v", "[p, k]").T)
    second = block(np.asarray(w).T, first.shape, "w, transposed,")
    value, cosines = ctypes.c_double(), np.empty(len(first))
    context = current()
    call(context, lib.dyn_space_overlap, context, *first.shape, pointer(first), pointer(second), ctypes.byref(value),
         pointer(cosines))
    return value.value, cosines


def space_shares(v: ArrayLike, x: ArrayLike) -> NDArray[np.float64]:
    """Share of x [p] in the space of the first 1, 2, .., k orthonormal columns of v [p, k]: of the gradient in the top
    space of the Hessian, say (arXiv 1812.04754; by chance k/p).

    >>> dyn.space_shares(np.eye(3)[:, :2], [3.0, 4.0, 0.0])
    array([0.36, 1.  ])
    """
    rows = np.ascontiguousarray(real_matrix(v, "v", "[p, k]").T)
    shares = np.empty(len(rows))
    context = current()
    call(context, lib.dyn_space_shares, context, *rows.shape, pointer(rows), pointer(vector(x, rows.shape[1], "x")),
         pointer(shares))
    return shares


@dataclass(frozen=True)
class EigenvalueGradient:
    """The gradient [p] of an eigenvalue of the Hessian by theta: value; gap to the nearest other eigenvalue of those
    computed; error: estimate of the gradient's, from the residual and the gap.

    >>> loss = dyn.Objective(dyn.mlp([1, 1, 1], bias=False), [[1.0]], [[0.0]])
    >>> found = dyn.eigenvalue_gradient(loss, theta=[1.0, 2.0])
    >>> found.gradient.shape, bool(found.error < 1e-6)
    ((2,), True)
    """

    gradient: NDArray[np.float64]
    value: float
    gap: float
    error: float


class _Slope(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("norm", "gap", "error")]


def eigenvalue_gradient(subject: Subject, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
                        theta: ArrayLike | None = None, i: int = 0, tolerance: float = 1e-8, least_gap: float = 1e-6,
                        **options: Unpack[Options]) -> EigenvalueGradient:
    """Gradient of the i-th largest eigenvalue of the Hessian at theta (0: the sharpness). Its product with -gradient of the
    loss is the rate of progressive sharpening under gradient flow. A gap below least_gap |value| is refused: a multiple
    eigenvalue has no gradient.

    >>> loss = dyn.Objective(dyn.mlp([1, 1, 1], bias=False), [[1.0]], [[0.0]])
    >>> dyn.eigenvalue_gradient(loss, theta=[1.0, 2.0]).value > 0
    True
    """
    objective, at = _at(subject, x, y, theta, None, options)
    point = vector(at, objective.size, "theta")
    wanted = min(integer(i, "i", least=0) + 2, objective.size)
    result, status = solved(objective.hessian(point), wanted, tolerance=tolerance)
    if status == NOT_CONVERGED:
        warnings.warn(complaint(pairs_of(result)), NotConverged, stacklevel=2)
    slope, found = np.empty(objective.size), _Slope()
    objective._call(lib.dyn_eigenvalue_gradient, pointer(point), result, i, number(least_gap, "least_gap"), pointer(slope),
                    ctypes.byref(found))
    return EigenvalueGradient(slope, float(pairs_of(result).values[i]), found.gap, found.error)


# ---- the local learning coefficient ----

class _Coefficient(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("value", "standard_error", "n_beta", "start", "acceptance", "r_hat",
                                                     "effective_draws")]


@dataclass(frozen=True)
class LearningCoefficient:
    """A local learning coefficient: value, standard_error (over chains); acceptance of the steps (.9 and more is good),
    r_hat (near 1 where chains agree), effective_draws; n_beta and start as used; losses [chains, draws].

    >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), np.ones((100, 1)), np.ones((100, 1)))
    >>> found = dyn.learning_coefficient(loss, theta=[1.0], epsilon=1e-3, seed=1)
    >>> bool(abs(found.value - 0.5) < 4 * found.standard_error), found.losses.shape
    (True, (10, 500))
    """

    value: float
    standard_error: float
    n_beta: float
    start: float
    acceptance: float
    r_hat: float
    effective_draws: float
    losses: NDArray[np.float64]


def learning_coefficient(subject: Subject, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
                         theta: ArrayLike | None = None, chains: int = 10, draws: int = 500, between: int = 1,
                         burn_in: int = 200, epsilon: float = 1e-4, n_beta: float | None = None, gamma: float = 1.0,
                         seed: int = 0, **options: Unpack[Options]) -> LearningCoefficient:
    """Local learning coefficient at theta [p] by Langevin chains (arXiv 2308.12108): n_beta (E[L] - L(theta)) under
    exp(-n_beta L - gamma/2 |w - theta|^2), each step with all samples. n_beta: None: n / ln n.

    >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), np.ones((100, 1)), np.ones((100, 1)))
    >>> dyn.learning_coefficient(loss, theta=[1.0], epsilon=1e-3, seed=1).r_hat < 1.2
    True
    """
    objective, at = _at(subject, x, y, theta, None, options)
    given = structs["dyn_learning_coefficient_options"](
        chains=integer(chains, "chains", "i32"), draws=integer(draws, "draws"), between=integer(between, "between"),
        burn_in=integer(burn_in, "burn_in"), epsilon=number(epsilon, "epsilon"), gamma=number(gamma, "gamma"),
        seed=integer(seed, "seed", "u64"))
    if n_beta is not None:
        if not number(n_beta, "n_beta") > 0:
            raise invalid(f"n_beta is {n_beta}, must be positive")
        given.n_beta = n_beta
    losses, found = np.empty((max(chains, 0), max(draws, 0))), _Coefficient()
    point = vector(at, objective.size, "theta")
    objective._call(lib.dyn_objective_learning_coefficient, pointer(point), ctypes.byref(given), pointer(losses),
                    ctypes.byref(found))
    return LearningCoefficient(found.value, found.standard_error, found.n_beta, found.start, found.acceptance, found.r_hat,
                               found.effective_draws, losses)
