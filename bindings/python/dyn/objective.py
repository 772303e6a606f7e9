# SPDX-License-Identifier: BSD-3-Clause
"""Objectives: a loss as a function of theta, with its derivatives. Everything measured is measured on an objective."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Array, dtype_code, pointer, vector, view
from ._lib import Handle, callback, enum, lib, make, real, structs
from .context import Context, current
from .errors import invalid
from .model import Model
from .operator import Operator


class Check(NamedTuple):
    """Derivatives against differences. error: relative, allowed up to tolerance; order of the Taylor remainder: 2 for a
    right derivative, 1 for a wrong one; asymmetry of the Hessian (NaN for a gradient)."""

    passed: bool
    error: float
    tolerance: float
    order: float
    asymmetry: float


class _Check(Handle):
    _free = "dyn_check_free"


class Objective(Handle):
    """The loss of a model on data.

    x [n, *input shape], y [n, outputs]; a vector x [n] or y [n] serves one input or output. Arrays of the type dtype
    are used in place: do not change them while the objective lives.
    loss: "mse" (sum over outputs of (f - y)^2), "cross_entropy" (y one-hot or any distribution), or
        "binary_cross_entropy"; the mean over samples is taken.
    dtype: of the arithmetic, "float64" or "float32". half: 1/2 in front of mse. sum_samples: sum instead of mean.
    mean_outputs: mean over outputs instead of sum (PyTorch's MSELoss). l2: adds l2/2 |theta|^2.
    memory_limit: bytes that an evaluation may take; 0 = no limit."""

    _free = "dyn_objective_unref"

    def __init__(self, model: Model, x: ArrayLike, y: ArrayLike, loss: str = "mse", *, dtype: str = "float64",
                 half: bool = False, sum_samples: bool = False, mean_outputs: bool = False, l2: float = 0.0,
                 memory_limit: int = 0) -> None:
        context = model._context
        x = np.asarray(x)
        x = x.reshape(-1, 1) if x.ndim == 1 and model.input_shape == (1,) else x
        inputs, targets = Array.wrap(context, x), Array.wrap(context, y)
        options = structs["dyn_objective_options"](
            loss=enum("loss", loss), dtype=dtype_code(dtype), half=int(half), sum_samples=int(sum_samples),
            mean_outputs=int(mean_outputs), l2=l2, memory_limit=memory_limit)
        address = make(context, lib.dyn_objective_create, context, model, inputs, targets, ctypes.byref(options))
        super().__init__(context, address, model, inputs, targets)
        self.model: Model | None = model
        self.inputs: NDArray[Any] | None = x
        self.targets: NDArray[Any] | None = np.asarray(y)
        self.dtype = np.dtype(dtype)

    @classmethod
    def from_functions(cls, size: int, value: Callable[[NDArray[np.float64]], float],
                       gradient: Callable[[NDArray[np.float64]], tuple[float, ArrayLike]] | None = None,
                       hessian: Callable[[NDArray[np.float64], NDArray[np.float64]], ArrayLike] | None = None
                       ) -> Objective:
        """An objective of Python functions of theta [size], for training and every measurement that needs no model.

        value(theta) is the loss; gradient(theta) gives (loss, gradient [size]); hessian(theta, V) the Hessian times
        the columns of V [size, k]. What is not given cannot be used."""
        context = current()
        callbacks = [_value(context, value, size), gradient and _gradient(context, gradient, size),
                     hessian and _product(context, hessian, size)]
        address = make(context, lib.dyn_objective_from_callbacks, context, size, *callbacks, None)
        self = cls.__new__(cls)
        Handle.__init__(self, context, address, callbacks)
        self.model = self.inputs = self.targets = None
        self.dtype = np.dtype(np.float64)
        return self

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return lib.dyn_objective_size(self)

    @property
    def samples(self) -> int:
        """Number of samples n; 0 without a model."""
        return lib.dyn_objective_samples(self)

    @property
    def outputs(self) -> int:
        """Outputs per sample c; 0 without a model."""
        return lib.dyn_objective_outputs(self)

    def _theta(self, theta: ArrayLike) -> Any:
        return pointer(vector(theta, self.size, "theta"))

    def value(self, theta: ArrayLike) -> float:
        """Loss at theta [p]."""
        return real(self._context, lib.dyn_objective_value, self, self._theta(theta))

    def gradient(self, theta: ArrayLike) -> tuple[float, NDArray[np.float64]]:
        """(loss, gradient [p]) at theta [p]."""
        gradient, value = np.empty(self.size), ctypes.c_double()
        self._check(lib.dyn_objective_gradient(self, self._theta(theta), pointer(gradient), ctypes.byref(value)))
        return value.value, gradient

    def _filled(self, function: Callable[..., int], theta: ArrayLike, *shape: int) -> NDArray[np.float64]:
        out = np.empty(shape)
        self._check(function(self, self._theta(theta), pointer(out)))
        return out

    def predict(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Outputs [n, c] on the objective's samples."""
        return self._filled(lib.dyn_objective_predict, theta, self.samples, self.outputs)

    def accuracy(self, theta: ArrayLike) -> float:
        """Share of samples whose largest output is where the target is largest."""
        return real(self._context, lib.dyn_objective_accuracy, self, self._theta(theta))

    def jacobian(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Jacobian [n, c, p] of the outputs."""
        return self._filled(lib.dyn_objective_jacobian, theta, self.samples, self.outputs, self.size)

    def sample_gradients(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Gradient of the loss of every sample [n, p]."""
        return self._filled(lib.dyn_objective_sample_gradients, theta, self.samples, self.size)

    def _operator(self, function: Callable[..., int], theta: ArrayLike) -> Operator:
        return Operator(self._context, make(self._context, function, self, self._theta(theta)), self)

    def hessian(self, theta: ArrayLike) -> Operator:
        """Hessian at theta [p], an operator [p, p] with exact products."""
        return self._operator(lib.dyn_objective_hessian, theta)

    def _checked(self, function: Callable[..., int], theta: ArrayLike, seed: int) -> Check:
        c = _Check(self._context, make(self._context, function, self, self._theta(theta), seed))
        return Check(bool(lib.dyn_check_passed(c)), lib.dyn_check_error(c), lib.dyn_check_tolerance(c),
                     lib.dyn_check_order(c), lib.dyn_check_asymmetry(c))

    def check_gradient(self, theta: ArrayLike, seed: int = 0) -> Check:
        """Whether the gradient at theta fits the values: to be asked of own functions before measuring them."""
        return self._checked(lib.dyn_check_gradient, theta, seed)

    def check_hessian(self, theta: ArrayLike, seed: int = 0) -> Check:
        """Whether the Hessian product at theta fits the gradients, and is symmetric."""
        return self._checked(lib.dyn_check_hessian, theta, seed)

    def ggn(self, theta: ArrayLike) -> Operator:
        """Generalised Gauss-Newton matrix at theta [p], an operator [p, p]."""
        return self._operator(lib.dyn_objective_ggn, theta)


def _value(context: Context, value: Callable[..., float], size: int) -> Any:
    def call(_: Any, theta: int, out: int) -> None:
        view(out, ())[...] = value(view(theta, (size,)))
    return callback(context, "dyn_value_fn", call)


def _gradient(context: Context, gradient: Callable[..., Any], size: int) -> Any:
    def call(_: Any, theta: int, value: int | None, out: int) -> None:
        loss, slope = gradient(view(theta, (size,)))
        view(out, (size,))[...] = slope
        if value:
            view(value, ())[...] = loss
    return callback(context, "dyn_gradient_fn", call)


def _product(context: Context, hessian: Callable[..., ArrayLike], size: int) -> Any:
    def call(_: Any, theta: int, count: int, v: int, out: int) -> None:
        view(out, (count, size))[...] = np.asarray(hessian(view(theta, (size,)), view(v, (count, size)).T)).T
    return callback(context, "dyn_product_fn", call)


def _at(subject: Any, x: Any, y: Any, theta: Any, options: dict[str, Any]) -> tuple[Objective, NDArray[np.float64]]:
    """Objective and theta that (run), (objective, theta=...) or (model, x, y, ...) mean."""
    if isinstance(subject, Model):
        if x is None or y is None:
            raise invalid("a model needs data: x and y")
        return Objective(subject, x, y, **options), subject.initial() if theta is None else theta
    objective = subject if isinstance(subject, Objective) else subject.objective
    if theta is not None:
        return objective, theta
    if objective is subject:
        raise invalid("an objective needs theta")
    return objective, subject.theta


def hessian(subject: Any, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
            **options: Any) -> Operator:
    """Hessian of the loss as an operator [p, p]: of a run where it stands, of an objective at theta, or of a model on
    data (options as for Objective) at theta, by default where it starts."""
    objective, theta = _at(subject, x, y, theta, options)
    return objective.hessian(theta)


def ggn(subject: Any, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
        **options: Any) -> Operator:
    """Generalised Gauss-Newton matrix as an operator [p, p]; arguments as for hessian."""
    objective, theta = _at(subject, x, y, theta, options)
    return objective.ggn(theta)


def jacobian(subject: Any, x: ArrayLike | None = None, *, theta: ArrayLike | None = None) -> NDArray[np.float64]:
    """Jacobian [n, c, p] of the outputs: of a run or an objective on its samples, or of a model on samples x."""
    if isinstance(subject, Model):
        if x is None:
            raise invalid("a model needs samples: x")
        objective, theta = _at(subject, x, np.zeros((len(x), subject.output_size)), theta, {})
    else:
        objective, theta = _at(subject, None, None, theta, {})
    return objective.jacobian(theta)
