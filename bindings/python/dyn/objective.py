# SPDX-License-Identifier: BSD-3-Clause
"""Objectives: a loss as a function of theta, with its derivatives. Everything measured is measured on an objective."""
from __future__ import annotations

import ctypes
import inspect
from typing import TYPE_CHECKING, Any, Callable, Literal, Mapping, NamedTuple, Sequence, TypedDict, Union, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Array, array, block, dtype_code, pointer, read_only, vector, view
from ._lib import (
    Handle, callback, enum, integer, last_places, lib, located, make, number, real, structs, text)
from .build import Build, add_terms, writing
from .context import Context, current
from .errors import class_of, invalid, shapes_differ
from .graph import MAX_RANK, Dtype, Node
from .model import Model, Tensor
from .operator import Operator


if TYPE_CHECKING:
    from ._run_view import RunView
    from .equations import Map

Loss = Literal["mse", "l1", "huber", "cross_entropy", "kl", "binary_cross_entropy", "hinge"]
#: what can be measured: a run where it stands, an objective at theta, a model on data
Subject = Union[Model, "Objective", "RunView"]


class Options(TypedDict, total=False):
    """What an Objective of a model takes besides data and loss."""

    dtype: Dtype
    half: bool
    sum_samples: bool
    mean_outputs: bool
    l2: float | Mapping[str, float]
    l1: float | Mapping[str, float]
    memory_limit: int | None
    delta: float
    label_smoothing: float
    weight: ArrayLike | None


class Check(NamedTuple):
    """Derivatives against differences. error: relative, allowed up to tolerance; order of the Taylor remainder: 2 for a
    right derivative, 1 for a wrong one; asymmetry of the Hessian (NaN for a gradient).

    >>> bowl = dyn.Objective.from_functions(2, lambda t: t @ t / 2, lambda t: (t @ t / 2, t))
    >>> bowl.check_gradient([1.0, 2.0]).passed
    True
    """

    passed: bool
    error: float
    tolerance: float
    order: float
    asymmetry: float


class Noise(NamedTuple):
    """Loss and squared gradient norm of training steps at one theta, in expectation, with standard errors. Rate / 4
    times gradient_square is what steps of gradient descent add to the loss (R2 of arXiv 2207.05952).

    >>> net = dyn.mlp([1, 1, 1], "tanh", dropout=0.5)
    >>> dyn.Objective(net, [1.0], [0.0]).noise([1.0, 0.0, 0.0, 3.0], draws=10).loss     # f = 3, dropped or not
    9.0
    """

    loss: float
    loss_error: float
    gradient_square: float
    gradient_square_error: float


class _Noise(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in Noise._fields]


class _Check(Handle):
    _kind = "check"


class Shared(NamedTuple):
    """Data that is the same for all samples; made by dyn.shared."""

    array: NDArray[Any]


def shared(array: ArrayLike) -> Shared:
    """Data of an objective's function that has no sample axis: constants, grids, a penalty's weight.

    >>> def scaled(net, x, factor):
    ...     return (factor * net(x))[:, 0]**2
    >>> net = dyn.mlp([1, 1], bias=False)
    >>> dyn.Objective(scaled, net, x=[[1.0], [2.0]], factor=dyn.shared([3.0])).value([1.0])
    22.5
    """
    return Shared(np.asarray(array))


class Frozen(NamedTuple):
    """A network that an objective's function may call and training leaves alone; made by dyn.frozen."""

    model: Model
    theta: NDArray[np.float64]


def frozen(model: Model, theta: ArrayLike | None = None) -> Frozen:
    """A network with fixed parameters, by default those it starts with, as data of an objective's function: a teacher.

    Objective.set_data(name, theta) exchanges them; nothing is compiled again.

    >>> def distance(student, teacher, x):
    ...     return (student(x) - teacher(x))[:, 0]**2
    >>> net = dyn.mlp([1, 1], bias=False)
    >>> loss = dyn.Objective(distance, net, teacher=dyn.frozen(net, [3.0]), x=[[1.0], [2.0]])
    >>> loss.size, loss.value([1.0])
    (1, 10.0)
    """
    return Frozen(model, model.initial() if theta is None else np.asarray(theta, dtype=np.float64))


class Objective(Handle):
    """A loss as a function of theta: of a model on data, or any function of models and data.

        dyn.Objective(net, x, y, loss="cross_entropy")

    x [n, *input shape], y [n, *outputs]; a vector x [n] or y [n] serves one input or output. Arrays of the type dtype
    are used in place: do not change them while the objective lives.
    loss: "mse" (sum over outputs of (f - y)^2), "l1", "huber" (delta=), "cross_entropy" (y one-hot, any distribution, or
        integer classes; over the last axis, averaged over positions), "kl", "binary_cross_entropy", "hinge" (y -1 or 1);
        the mean over samples is taken. Or a function of nodes (outputs, y) or (outputs, y, weight): a value per sample.
    half: 1/2 in front of mse. mean_outputs: mean over outputs instead of sum (PyTorch's MSELoss). label_smoothing: of
        the cross-entropy. weight: of samples [n], or of their positions [n, positions]; a mask is zeros and ones.

        dyn.Objective(function, *models, x=..., y=..., ...)

    function(*models, x, y, ...) gets the models, which can be called on nodes, and the data by name, as nodes
        [n, ...]; integers stay indices, dyn.shared(array) has no sample axis, dyn.frozen(model) is a network that can be
        called and is not trained. It returns the loss: a node [n], one value per sample, of which the mean is taken; a
        node [], a penalty on theta or a loss that joins samples; or several by name, which are added up as terms.
        Where samples are joined, chunks, gradients per sample and a short last batch are refused.
    Objectives can be added, and multiplied by numbers.

    dtype: of the arithmetic, "float64" or "float32". sum_samples: sum instead of mean. l2: adds
        l2/2 |theta|^2; of some tensors alone, by patterns of their names, {"W*": 1e-4}. l1: the same with sum |theta_i|.
    memory_limit: bytes that an evaluation may take; None: no limit.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> loss = dyn.Objective(net, [[1.0], [2.0]], [[2.0], [4.0]])
    >>> loss.value([1.0])
    2.5
    >>> loss.gradient([1.0])
    (2.5, array([-5.]))
    >>> dyn.Objective(net, [[1.0], [2.0]], [[2.0], [4.0]], l2={"W*": 0.2}, l1=0.5).value([1.0])     # 2.5 + 0.1 + 0.5
    3.1
    """

    _kind = "objective"
    _loss: str | None = None            # its name, where it has one
    _exchanged: dict[str, Array] = {}   # data that set_data gave
    _given: Options = {}                # and what was said besides, as far as a checkpoint can hold it

    def __init__(self, subject: Model | Callable[..., Any], *arguments: Any, loss: Loss | Callable[..., Node] = "mse",
                 dtype: Dtype = "float64", half: bool = False, sum_samples: bool = False, mean_outputs: bool = False,
                 l2: float | Mapping[str, float] = 0.0, l1: float | Mapping[str, float] = 0.0,
                 memory_limit: int | None = None, delta: float = 0.0, label_smoothing: float = 0.0,
                 weight: ArrayLike | None = None, **data: Any) -> None:
        options = structs["dyn_objective_options"](
            dtype=dtype_code(dtype), half=int(half), sum_samples=int(sum_samples), mean_outputs=int(mean_outputs),
            memory_limit=memory_limit, delta=delta, label_smoothing=label_smoothing)
        _add_penalties(options, l2, l1)
        self.inputs: NDArray[Any] | None = None
        self.targets: NDArray[Any] | None = None
        self.dtype = np.dtype(dtype)
        if isinstance(subject, Model) and len(arguments) == 3:
            *arguments, loss = arguments    # type: ignore[assignment]
        if not isinstance(subject, Model):
            if weight is not None:
                data["weight"] = weight
            self._init_function(subject, arguments, data, options)
        elif callable(loss):
            self._init_own_loss(subject, loss, *self._samples(arguments, data), weight, options)
        else:
            options.loss = enum("loss", loss)
            x, y = self._samples(arguments, data)
            self._init_loss(subject, x, y, weight, options)
            self._loss, self._given = loss, {
                "dtype": "float32" if self.dtype == np.float32 else "float64", "half": half, "sum_samples": sum_samples,
                "mean_outputs": mean_outputs, "l2": l2, "l1": l1, "memory_limit": memory_limit, "delta": delta,
                "label_smoothing": label_smoothing}
            self._recipe = (_again, ((subject, x, y), {**self._given, "loss": loss, "weight": weight}))

    @staticmethod
    def _samples(arguments: Sequence[Any], data: dict[str, Any]) -> tuple[Any, Any]:
        """x and y, given by place or by name."""
        given = {**dict(zip(("x", "y"), arguments)), **data}
        if len(arguments) > 2 or set(given) != {"x", "y"}:
            raise invalid(f"a model needs data x and y, not {', '.join(map(str, given)) or 'nothing'}; loss= names the loss")
        return given["x"], given["y"]

    def _made(self, context: Context, address: int, models: Sequence[Model], *keep: Any) -> None:
        Handle.__init__(self, context, address, *keep, *models)
        self.models = tuple(models)
        self.model: Model | None = models[0] if len(models) == 1 else None

    def _init_loss(self, model: Model, x: Any, y: Any, weight: Any, options: Any) -> None:
        context = model._context
        x = array(x, "x")
        x = x.reshape(-1, 1) if x.ndim == 1 and model.input_shape == (1,) else x
        arrays = [Array.wrap(context, x, "x"), Array.wrap(context, y, "y")]
        if weight is not None:
            arrays.append(Array.wrap(context, array(weight, "weight").astype(np.float64), "weight"))
            options.weight = arrays[-1]._as_parameter_.value
        address = make(context, lib.dyn_objective_create, context, model, *arrays[:2], ctypes.byref(options))
        self._made(context, address, [model], *arrays)
        self.inputs, self.targets = x, np.asarray(y)

    def _init_own_loss(self, model: Model, loss: Callable[..., Node], x: Any, y: Any, weight: Any, options: Any) -> None:
        x = array(x, "x")
        x = x.reshape(-1, 1) if x.ndim == 1 and model.input_shape == (1,) else x
        data = {"x": x, "y": y} if weight is None else {"x": x, "y": y, "weight": weight}

        def function(net: Model, x: Node, y: Node, **more: Node) -> Node:
            return loss(net(x), y, *more.values())
        self._init_function(function, [model], data, options, [""])
        self.inputs, self.targets = x, np.asarray(y)

    def _init_function(self, function: Callable[..., Any], models: Sequence[Model], data: dict[str, Any], options: Any,
                       names: list[str] | None = None) -> None:
        if not callable(function):
            raise TypeError(f"dyn.Model or a function expected, not {class_of(function)}")
        for other in [m for m in models if not isinstance(m, Model)]:
            raise TypeError(f"dyn.Model expected, not {class_of(other)}: data of a function are given by name")
        if not models:
            raise invalid("an objective is made of a model with x and y, or of a function, its models, and data by name")
        context = models[0]._context
        fixed = {name: d.model for name, d in data.items() if isinstance(d, Frozen)}
        arrays = {name: Array.wrap(context, _numbers(d, name), name) for name, d in data.items()}

        def write(b: Build) -> Node | None:
            nodes: dict[str, Any] = {name: b.data(name) for name in arrays}
            for name, model in fixed.items():
                nodes[name] = _frozen_call(b, model, nodes[name])
            return add_terms(b, function, function(*models, **nodes))
        callback = writing(context, write)
        heads = names or (_names(function, len(models)) if len(models) > 1 else [""])
        lists: list[Any] = [
            (ctypes.c_void_p * len(models))(*(m._as_parameter_.value for m in models)),
            (ctypes.c_char_p * len(models))(*(n.encode() for n in heads)),
            (ctypes.c_void_p * len(arrays))(*(a._as_parameter_.value for a in arrays.values())),
            (ctypes.c_char_p * len(arrays))(*(n.encode() for n in arrays)),
            (ctypes.c_int32 * len(arrays))(*(isinstance(data[n], (Shared, Frozen)) for n in arrays))]
        parts = structs["dyn_objective_parts"](models=len(models), data=len(arrays), **{
            field: ctypes.addressof(part) for field, part in zip(("model", "model_name", "array", "name", "shared"), lists)})
        address = make(context, lib.dyn_objective_from_function, context, callback, None, ctypes.byref(parts),
                       ctypes.byref(options))
        self._made(context, address, models, callback, *arrays.values())

    @classmethod
    def map(cls, net: Model, *inputs: ArrayLike, dtype: Dtype = "float64", memory_limit: int | None = None) -> Objective:
        """A network at data, without targets. Its loss is the sum of outputs times "cotangent", ones [n, *outputs] until
        set_data("cotangent", u): so gradient is J^T u, and inside(gradient=True) the gradient by any named tensor.

        >>> m = dyn.Objective.map(dyn.mlp([1, 1], bias=False), [[1.0], [2.0]])
        >>> m.predict([3.0]).ravel(), m.jacobian_map([3.0]) @ [1.0], m.gradient([3.0])[1]
        (array([3., 6.]), array([1., 2.]), array([3.]))
        """
        context = net._context
        options = structs["dyn_objective_options"](dtype=dtype_code(dtype), memory_limit=memory_limit)
        given = [array(x, "an input") for x in inputs]
        if len(given) == 1 and given[0].ndim == 1 and net.input_shape == (1,):
            given = [given[0].reshape(-1, 1)]
        arrays = [Array.wrap(context, x, "an input") for x in given]
        handles = (ctypes.c_void_p * len(arrays))(*(a._as_parameter_.value for a in arrays))
        self = cls.__new__(cls)
        self._made(context, make(context, lib.dyn_objective_map, context, net, len(arrays), handles, ctypes.byref(options)),
                   [net], *arrays)
        self.inputs, self.targets = given[0], None
        self.dtype = np.dtype(dtype)
        return self

    @classmethod
    def sum(cls, objectives: Sequence[Objective], weights: Sequence[float] | None = None) -> Objective:
        """weights[0] * objectives[0] + ..., each with its own data; theta holds every model once."""
        context = objectives[0]._context
        handles = (ctypes.c_void_p * len(objectives))(*(o._as_parameter_.value for o in objectives))
        factors = None if weights is None else (ctypes.c_double * len(objectives))(*(number(w, "a weight") for w in weights))
        self = cls.__new__(cls)
        address = make(context, lib.dyn_objective_sum, context, len(objectives), handles, factors)
        models = list(dict.fromkeys(m for o in objectives for m in o.models))
        self._made(context, address, models, *objectives)
        self.inputs = self.targets = None
        self.dtype = objectives[0].dtype
        return self

    def __add__(self, other: Objective) -> Objective:
        return Objective.sum([self, other]) if isinstance(other, Objective) else NotImplemented

    def __mul__(self, factor: float) -> Objective:
        return Objective.sum([self], [number(factor, "the factor")])

    __rmul__ = __mul__

    @classmethod
    def from_functions(cls, size: int, value: Callable[[NDArray[np.float64]], float],
                       gradient: Callable[..., tuple[float, ArrayLike]] | None = None,
                       hessian: Callable[[NDArray[np.float64], NDArray[np.float64]], ArrayLike] | None = None, *,
                       samples: int = 0) -> Objective:
        """An objective of Python functions of theta [size], for training and every measurement that needs no model.

        value(theta) is the loss; gradient(theta) gives (loss, gradient [size]); hessian(theta, V) the Hessian times
        the columns of V [size, k]. Without hessian its products are central differences of gradients, whose estimated
        error eigenpairs tell. What is not given otherwise cannot be used.

        samples: of which a run may take mini-batches; gradient(theta, sample) then gets their numbers, and gives the mean
        over these.

        >>> x = np.array([1.0, 2.0, 6.0])
        >>> def mean_square(t, sample):
        ...     return float(np.mean((t[0] - x[sample])**2)), [2 * np.mean(t[0] - x[sample])]
        >>> loss = dyn.Objective.from_functions(1, lambda t: mean_square(t, [0, 1, 2])[0], mean_square, samples=3)
        >>> run = dyn.Run(loss, theta=[0.0], optimizer=dyn.GD(0.5), batch=1).train(1)
        >>> run.theta[0] in x
        True
        """
        context = current()
        callbacks = {"value": _value(context, value, size),
                     "gradient": gradient and _gradient(context, gradient, size, samples),
                     "hessian": hessian and _product(context, hessian, size)}
        functions = structs["dyn_objective_functions"](size=size, samples=integer(samples, "samples", least=0), **{
            name: ctypes.cast(f, ctypes.c_void_p).value for name, f in callbacks.items() if f})
        address = make(context, lib.dyn_objective_from_callbacks, context, ctypes.byref(functions))
        made = cls._of(context, address, callbacks)
        made._recipe = (_from_functions, ((size, value, gradient, hessian), {"samples": samples}))
        return made

    @classmethod
    def _of(cls, context: Context, address: int, *keep: Any) -> Objective:
        """An objective without a model."""
        self = cls.__new__(cls)
        self._made(context, address, [], *keep)
        self.inputs = self.targets = None
        self.dtype = np.dtype(np.float64)
        return self

    def __repr__(self) -> str:
        what = f"{self.samples} samples, {self.outputs} outputs" if self.models else "of functions"
        return f"<dyn.Objective {what}, {self.size} parameters, {self.dtype.name}>"

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return int(lib.dyn_objective_size(self))

    @property
    def samples(self) -> int:
        """Number of samples n; 0 without a model."""
        return int(lib.dyn_objective_samples(self))

    @property
    def outputs(self) -> int:
        """Outputs per sample c; 0 without a model."""
        return int(lib.dyn_objective_outputs(self))

    @property
    def terms(self) -> list[str]:
        """Names of the terms; ["loss"] where there is one."""
        return [lib.dyn_objective_term_name(self, i).decode() for i in range(lib.dyn_objective_terms(self))]

    def term_values(self, theta: ArrayLike) -> dict[str, float]:
        """The terms at theta by name, without their weights."""
        values = np.empty(len(self.terms))
        self._call(lib.dyn_objective_term_values, self._theta(theta), pointer(values))
        return dict(zip(self.terms, values.tolist()))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The parameter tensors of all models by name, in the order of theta."""
        return dict(self._tensor(i) for i in range(lib.dyn_objective_tensors(self)))

    def _tensor(self, i: int) -> tuple[str, Tensor]:
        sizes, offset, name = (ctypes.c_int64 * MAX_RANK)(), ctypes.c_int64(), ctypes.create_string_buffer(512)
        rank = lib.dyn_objective_tensor(self, i, sizes, ctypes.byref(offset), name, len(name))
        return name.value.decode(), Tensor(tuple(sizes[:rank]), offset.value)

    @property
    def coupling(self) -> str | None:
        """The node that joins samples, in words; None where every value belongs to one sample."""
        text: bytes | None = lib.dyn_objective_coupling(self, 0)
        return None if text is None else text.decode()

    def initial(self) -> NDArray[np.float64]:
        """theta [p]: where its models start."""
        if not self.models:
            raise invalid("an objective of functions needs theta")
        starts = [m.initial() for m in self.models]
        return starts[0] if len(starts) == 1 else np.concatenate(starts)

    def set_data(self, name: str, array: ArrayLike) -> None:
        """Exchange data for an array of the same shape, from the next evaluation on; nothing is compiled again.

        An array of the objective's type is read where it lies: new numbers written into it are seen at the next
        evaluation, unchecked.

        >>> x = np.array([[1.0], [2.0]])
        >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), x, [[2.0], [4.0]])
        >>> loss.set_data("y", [[0.0], [0.0]])
        >>> before = loss.value([1.0])
        >>> x[1] = 0.0
        >>> before, loss.value([1.0])
        (2.5, 0.5)
        """
        wrapped = Array.wrap(self._context, array, name)
        self._call(lib.dyn_objective_set_data, text(name, "the name"), wrapped)
        self._exchanged = {**self._exchanged, name: wrapped}      # what was there before goes
        if name == "y" and self.targets is not None:
            self.targets = np.asarray(array)
        elif name == "x" and self.inputs is not None:
            self.inputs = np.asarray(array)

    def _theta(self, theta: ArrayLike) -> Any:
        return pointer(vector(theta, self.size, "theta"))

    @property
    def names(self) -> dict[str, tuple[int, ...]]:
        """Tensors inside that build functions named (g.name), with their shapes on all samples."""
        return dict(self._inside(i) for i in range(self._call(lib.dyn_objective_inside_count)))

    def _inside(self, i: int) -> tuple[str, tuple[int, ...]]:
        sizes, name = (ctypes.c_int64 * MAX_RANK)(), ctypes.create_string_buffer(512)
        rank = self._call(lib.dyn_objective_inside, i, sizes, name, len(name))
        return name.value.decode(), tuple(sizes[:rank])

    def inside(self, theta: ArrayLike, *names: str, gradient: bool = False) -> Any:
        """Values of named tensors at theta: one array, or a dict for several names. gradient: (values, gradients), the
        second being those of the loss by the tensors, from the same pass."""
        shapes = self.names
        missing = [name for name in names if name not in shapes]
        if missing or not names:
            raise invalid(f"no tensor inside is named {', '.join(missing)}; there are {', '.join(shapes) or 'none'}")
        values = {name: np.empty(shapes[name]) for name in names}
        slopes = {name: np.empty(shapes[name]) for name in names} if gradient else {}
        addresses = [(ctypes.c_void_p * len(names))(*(a.ctypes.data for a in group.values())) if group else None
                     for group in (values, slopes)]
        words = (ctypes.c_char_p * len(names))(*(name.encode() for name in names))
        self._call(lib.dyn_objective_inside_values, self._theta(theta), len(names), words, *addresses)
        first, second = (group[names[0]] if len(names) == 1 and group else group for group in (values, slopes))
        return (first, second) if gradient else first

    def first_nonfinite(self, theta: ArrayLike) -> str | None:
        """Where it begins that loss or gradient are not finite at theta, in words, with the line of the function that
        wrote it; None: they are.

        >>> def loss(net, x):
        ...     return dyn.log(net(x))[:, 0]
        >>> dyn.Objective(loss, dyn.mlp([1, 1], bias=False), x=[[1.0], [-1.0]]).first_nonfinite([2.0])
        'node ..., log of shape [2, 1]: element 1 is nan (..., line 2)'
        """
        words = ctypes.create_string_buffer(512)
        self._call(lib.dyn_objective_nonfinite, self._theta(theta), words, len(words))
        return located(words.value.decode(), last_places()) or None

    def values(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Losses [k] at the rows of theta [k, p], along a line between two runs for example."""
        points = np.ascontiguousarray(theta, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.size:
            raise shapes_differ(f"theta has shape {list(points.shape)}, expected [k, {self.size}]")
        out = np.empty(len(points))
        self._call(lib.dyn_objective_values, len(points), pointer(points), pointer(out))
        return out

    def value(self, theta: ArrayLike) -> float:
        """Loss at theta [p]."""
        return real(self._context, lib.dyn_objective_value, self, self._theta(theta))

    def gradient(self, theta: ArrayLike) -> tuple[float, NDArray[np.float64]]:
        """(loss, gradient [p]) at theta [p]."""
        gradient, value = np.empty(self.size), ctypes.c_double()
        self._call(lib.dyn_objective_gradient, self._theta(theta), pointer(gradient), ctypes.byref(value))
        return value.value, gradient

    def noise(self, theta: ArrayLike, draws: int = 100, seed: int = 0) -> Noise:
        """What dropout and other random numbers of training do at theta [p]: means over draws. Draw k has the numbers
        of step k of a run with this seed; all samples take part in each."""
        found = _Noise()
        self._call(lib.dyn_objective_noise, self._theta(theta), integer(draws, "draws", least=1),
                   integer(seed, "seed", "u64"), ctypes.byref(found))
        return Noise(found.loss, found.loss_error, found.gradient_square, found.gradient_square_error)

    def _filled(self, function: Callable[..., int], theta: ArrayLike, *shape: int) -> NDArray[np.float64]:
        out = np.empty(shape)
        self._call(function, self._theta(theta), pointer(out))
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

    def jacobian_map(self, theta: ArrayLike) -> Map:
        """The Jacobian of the outputs as a linear map [n c, p], never formed: J @ v, J.T @ u.

        >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), [[1.0], [2.0]], [[2.0], [4.0]])
        >>> J = loss.jacobian_map([3.0])
        >>> J @ [1.0], J.T @ [1.0, 1.0]
        (array([1., 2.]), array([3.]))
        """
        from .equations import Map
        return Map(self._context, make(self._context, lib.dyn_objective_jacobian_map, self, self._theta(theta)), self)

    def sample_gradients(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Gradient of the loss of every sample [n, p]."""
        return self._filled(lib.dyn_objective_sample_gradients, theta, self.samples, self.size)

    def _operator(self, function: Callable[..., int], theta: ArrayLike) -> Operator:
        A = Operator(self._context, make(self._context, function, self, self._theta(theta)), self)
        A._tensors = self
        return A

    def hessian(self, theta: ArrayLike) -> Operator:
        """Hessian at theta [p], an operator [p, p] with exact products."""
        return self._operator(lib.dyn_objective_hessian, theta)

    def third_derivative(self, theta: ArrayLike, u: ArrayLike) -> Operator:
        """The third derivative at theta [p] along u [p], an operator [p, p]: v -> D^3 L [u, v, .], the derivative of the
        Hessian along u, exact. With u = v an eigenvector of length 1 its image of v is the eigenvalue's gradient."""
        A = Operator(self._context, make(self._context, lib.dyn_objective_third_derivative, self, self._theta(theta),
                                         pointer(vector(u, self.size, "u"))), self)
        A._tensors = self
        return A

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


class _Penalty(ctypes.Structure):
    """dyn_penalty."""

    _fields_ = [("pattern", ctypes.c_char_p), ("l2", ctypes.c_double), ("l1", ctypes.c_double)]


def _add_penalties(options: Any, l2: float | Mapping[str, float], l1: float | Mapping[str, float]) -> None:
    """Numbers are for all of theta; by patterns they are structs, which the options keep alive."""
    by_name = [(name, "l2", value) for name, value in l2.items()] if isinstance(l2, Mapping) else []
    absolute = l1 if isinstance(l1, Mapping) else {"*": l1} if l1 else {}
    by_name += [(name, "l1", value) for name, value in absolute.items()]
    options.l2 = 0.0 if isinstance(l2, Mapping) else number(l2, "l2")
    options.kept_penalties = (_Penalty * len(by_name))(*(
        _Penalty(pattern=text(name, "a pattern"), **{kind: number(value, f"{kind} of {name!r}")})
        for name, kind, value in by_name))
    options.penalties_count = len(by_name)
    options.penalties = ctypes.addressof(options.kept_penalties) if by_name else None


def _numbers(data: Any, name: str) -> NDArray[Any]:
    """The array of a datum: integers are indices, truth values numbers."""
    a = array(data.theta if isinstance(data, Frozen) else data.array if isinstance(data, Shared) else data, name)
    return a.astype(np.float64) if a.dtype == bool else a


def _frozen_call(b: Build, model: Model, theta: Node) -> Callable[..., Node]:
    return lambda *inputs: b.call_at(model, theta, inputs)


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its models."""
    return list(inspect.signature(function).parameters)[:count]


def _again(arguments: tuple[Any, ...], options: dict[str, Any]) -> Objective:
    """For pickle, which gives no names to arguments."""
    return Objective(*arguments, **options)


def _function(context: Context, evaluate: Callable[[Any], None]) -> Any:
    """A dyn_objective_fn."""
    def call(_: Any, address: int) -> None:
        evaluate(structs["dyn_objective_view"].from_address(address))
    return callback(context, "dyn_objective_fn", call)


def _from_functions(arguments: tuple[Any, ...], options: dict[str, Any]) -> Objective:
    return Objective.from_functions(*arguments, **options)


def _value(context: Context, value: Callable[..., float], size: int) -> Any:
    def evaluate(at: Any) -> None:
        view(at.value, ())[...] = number(value(read_only(at.theta, (size,))), "the value")
    return _function(context, evaluate)


def _gradient(context: Context, gradient: Callable[..., Any], size: int, samples: int) -> Any:
    def evaluate(at: Any) -> None:
        theta = read_only(at.theta, (size,))
        if samples:
            chosen = read_only(at.sample, (at.samples,), np.int64) if at.sample else np.arange(samples)
            loss, slope = gradient(theta, chosen)
        else:
            loss, slope = gradient(theta)
        view(at.gradient, (size,))[...] = vector(slope, size, "the gradient")
        view(at.value, ())[...] = number(loss, "the value")
    return _function(context, evaluate)


def _product(context: Context, hessian: Callable[..., ArrayLike], size: int) -> Any:
    def evaluate(at: Any) -> None:
        product = hessian(read_only(at.theta, (size,)), read_only(at.v, (at.count, size)).T)
        view(at.product, (at.count, size))[...] = block(product, (size, at.count), "the Hessian's product").T
    return _function(context, evaluate)


def _at(subject: Subject, x: ArrayLike | None, y: ArrayLike | None, theta: ArrayLike | None, loss: Loss | Callable[..., Node] | None,
        options: Options) -> tuple[Objective, ArrayLike]:
    """Objective and theta that (run), (objective, theta=...) or (model, x, y, ...) mean."""
    if isinstance(subject, Model):
        if x is None or y is None:
            raise invalid("a model needs data: x and y")
        return Objective(subject, x, y, loss=loss or "mse", **options), subject.initial() if theta is None else theta
    if x is not None or y is not None or loss is not None or options:
        given = [name for name, value in (("x", x), ("y", y), ("loss", loss)) if value is not None]
        raise invalid(f"{', '.join([*given, *options])}: for a model only; a run or an objective has its own")
    objective = subject if isinstance(subject, Objective) else subject.objective
    if theta is not None:
        return objective, theta
    if isinstance(subject, Objective):
        raise invalid("an objective needs theta")
    return objective, subject.theta


def hessian(subject: Subject, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
            theta: ArrayLike | None = None, loss: Loss | Callable[..., Node] | None = None, **options: Unpack[Options]) -> Operator:
    """Hessian of the loss as an operator [p, p]: of a run where it stands, of an objective at theta, or of a model on
    data (options as for Objective) at theta, by default where it starts.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> H = dyn.hessian(net, [[1.0], [2.0]], [[2.0], [4.0]])
    >>> H @ [1.0]
    array([5.])
    """
    objective, at = _at(subject, x, y, theta, loss, options)
    return objective.hessian(at)


def ggn(subject: Subject, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
        loss: Loss | Callable[..., Node] | None = None, **options: Unpack[Options]) -> Operator:
    """Generalised Gauss-Newton matrix as an operator [p, p]; arguments as for hessian.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> dyn.ggn(net, [[1.0], [2.0]], [[2.0], [4.0]]) @ [1.0]
    array([5.])
    """
    objective, at = _at(subject, x, y, theta, loss, options)
    return objective.ggn(at)


def jacobian(subject: Subject, x: ArrayLike | None = None, *, theta: ArrayLike | None = None) -> NDArray[np.float64]:
    """Jacobian [n, c, p] of the outputs: of a run or an objective on its samples, or of a model on samples x.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> dyn.jacobian(dyn.Objective(net, [[1.0], [2.0]], [[2.0], [4.0]]), theta=[1.0]).ravel()
    array([1., 2.])
    """
    if isinstance(subject, Model):
        if x is None:
            raise invalid("a model needs samples: x")
        samples = np.asarray(x)
        objective, at = _at(subject, samples, np.zeros((len(samples), subject.output_size)), theta, None, {})
    else:
        objective, at = _at(subject, x, None, theta, None, {})
    return objective.jacobian(at)
