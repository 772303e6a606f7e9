# SPDX-License-Identifier: BSD-3-Clause
"""Models: networks with their parameters in one vector theta. Perceptrons, and networks of the user's own making."""
from __future__ import annotations

import ctypes
import functools
import math
from typing import Any, Callable, Mapping, NamedTuple, Sequence, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import init as inits
from ._arrays import array, block, cut, ints, pointer, vector
from ._inspect import table_rows
from ._lib import Handle, enum, integer, lib, make, structs, turn
from .build import Build, writing
from .context import current
from .errors import invalid, shapes_differ
from .graph import MAX_RANK, Activation, Function, Graph, Node
from .init import Init
from .naming import Naming, names_of


class Tensor(NamedTuple):
    """A parameter tensor: its shape, and where it begins in theta.

    >>> dyn.mlp([3, 20, 1]).tensors["W2"]
    Tensor(shape=(20, 1), offset=80)
    """

    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """How many parameters it has.

        >>> dyn.mlp([3, 20, 1]).tensors["W1"].size
        60
        """
        return int(np.prod(self.shape))


class Indices(tuple[int, ...]):
    """The shape of an input of int64 indices, for one sample: Indices(128) for sequences of 128 tokens.

    >>> dyn.Indices(128)
    (128,)
    """

    def __new__(cls, *shape: int) -> Indices:
        return super().__new__(cls, shape)


class Model(Handle):
    """A network. Immutable; made by dyn.mlp or Model.from_function.

    >>> net = dyn.mlp([1, 2, 1])
    >>> net.size, list(net.tensors)
    (7, ['W1', 'b1', 'W2', 'b2'])
    >>> theta = np.arange(7.0)
    >>> net.views(theta)["W2"]
    array([[4.],
           [5.]])
    >>> net(theta, [0.5]).shape
    (1, 1)
    """

    _kind = "model"

    def __init__(self, context: Any, address: int, init: Init | inits.Name | None, seed: int,
                 input_shape: tuple[int, ...], *keep: Any) -> None:
        super().__init__(context, address, *keep)
        self.init = inits.of(init)
        self.seed = integer(seed, "seed", "u64")
        self.input_shape = input_shape
        self._functions: dict[int, Function] = {}
        self._perceptron: dict[str, Any] | None = None      # arguments of mlp() but init and seed
        self._rows: int | None = None       # of the smallest table that the input x is looked up in; 0: of none
        self._whole = 0
        self._start: NDArray[np.float64] | None = None      # where theta begins, if not by init
        self._frozen: Model | None = None                   # of a frozen model: the one that freeze made
        self._naming: Naming | None = None                  # PyTorch's names
        self._tree: Any = None                              # of a network made by from_jax: the tree of its parameters

    @classmethod
    def from_function(cls, build: Callable[..., Node], input_shape: int | Sequence[int] | Indices | None = None,
                      init: Init | inits.Name | None = None, seed: int = 0, **inputs: Sequence[int] | Indices) -> Model:
        """A network that build(g, x) writes: it makes parameters with g.parameter and returns the output node.

        g is a dyn.Build: a graph that also has states, calls of other models, names for tensors.
        input_shape: of one sample of the input x, 2 is (2,); Indices(...) for one of int64 indices. Networks of several inputs name
            them: build(g, tokens, mask) with tokens=dyn.Indices(128), mask=(128,). Each node is [n, *shape], for any n;
            the result is [n, ...]. build makes the same parameters in the same order at every call.

            def build(g, x):
                h = dyn.tanh(x @ g.parameter("W1", (2, 20)))
                return h @ g.parameter("W2", (20, 1))
            net = dyn.Model.from_function(build, (2,), seed=1)"""
        context = current()
        if isinstance(input_shape, int):
            input_shape = (input_shape,)
        shapes = dict(inputs) if input_shape is None else {"x": input_shape, **inputs}
        named = input_shape is None

        def write(b: Build) -> Node:
            nodes = {name: b.model_input(name, tuple(shape), isinstance(shape, Indices))
                     for name, shape in shapes.items()}
            return build(b, **nodes) if named else build(b, *nodes.values())
        fn = writing(context, write)
        address = make(context, lib.dyn_model_create, context, fn, None)
        model = cls(context, address, init, seed, tuple(int(n) for n in next(iter(shapes.values()))), fn)
        model._recipe = (_function_again, (build, input_shape, inputs, model.init, model.seed))
        return model

    def _on_nodes(self, nodes: Sequence[Node]) -> Node:
        """The network in the function that is being written, or in a graph of its own."""
        graph = nodes[0].graph
        if isinstance(graph, Build):
            return graph.call(self, nodes)
        return Node(graph, self._call(lib.dyn_model_build, graph, nodes[0].id))

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return int(lib.dyn_model_size(self))

    @property
    def output_size(self) -> int:
        """Numbers that the network gives for one sample."""
        return int(lib.dyn_model_output_size(self))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The parameter tensors by name, in the order of theta."""
        return dict(self._all_tensors)

    @functools.cached_property
    def _all_tensors(self) -> dict[str, Tensor]:
        return dict(self._tensor(i) for i in range(lib.dyn_model_tensors(self)))

    def _tensor(self, i: int) -> tuple[str, Tensor]:
        sizes = (ctypes.c_int64 * MAX_RANK)()
        offset = ctypes.c_int64()
        rank = lib.dyn_model_tensor(self, i, sizes, ctypes.byref(offset))
        return lib.dyn_model_tensor_name(self, i).decode(), Tensor(tuple(sizes[:rank]), offset.value)

    @property
    def states(self) -> dict[str, NDArray[np.float64]]:
        """The state tensors by name as they are at the start: running moments of batch norms."""
        values = np.empty(int(lib.dyn_model_state_size(self)))
        self._call(lib.dyn_model_initial_states, pointer(values))
        return cut(values, dict(self._state(i) for i in range(lib.dyn_model_states(self))))

    def _state(self, i: int) -> tuple[str, tuple[int, ...]]:
        sizes = (ctypes.c_int64 * MAX_RANK)()
        rank = lib.dyn_model_state(self, i, sizes)
        return lib.dyn_model_state_name(self, i).decode(), tuple(sizes[:rank])

    def initial(self, seed: int | None = None) -> NDArray[np.float64]:
        """theta [p], drawn by the model's init from its seed or this one."""
        if self._start is not None and seed is None:
            return self._start.copy()
        theta = np.empty(self.size)
        options = self.init._options(self.seed if seed is None else seed)
        self._call(lib.dyn_model_initialise, ctypes.byref(options), pointer(theta))
        return theta

    def freeze(self, *patterns: str, theta: ArrayLike) -> Model:
        """This network with some tensors fixed at their values in theta [p]: those whose names match a pattern ("W*").

        What is left is a network of fewer parameters, which starts at theta: what is frozen has no gradient, no moments,
        no decay, and no part in any curvature. expand and contract go between the two.

        >>> net = dyn.mlp([2, 5, 1], seed=1)
        >>> tuned = net.freeze("W1", "b1", theta=net.initial())
        >>> list(tuned.tensors), np.array_equal(tuned.expand(tuned.initial()), net.initial())
        (['W2', 'b2'], True)
        """
        whole = vector(theta, self.size, "theta")
        names = (ctypes.c_char_p * len(patterns))(*(pattern.encode() for pattern in patterns))
        address = make(self._context, lib.dyn_model_freeze, self, len(patterns), names, pointer(whole))
        net = Model(self._context, address, self.init, self.seed, self.input_shape, self)
        net._frozen = net
        net._start = net.contract(whole)
        net._whole = self.size
        net._naming = self._naming
        net._recipe = _derived_again, (self, "freeze", patterns, {"theta": whole})
        return net

    def start(self, theta: ArrayLike | None = None, states: Mapping[str, ArrayLike] | None = None) -> Model:
        """This network beginning elsewhere: initial() gives theta [p], and states (running moments) begin at these values;
        what is None or not named begins as before.

        >>> net = dyn.mlp([1, 1]).start(theta=[2.0, 3.0])
        >>> net.initial()
        array([2., 3.])
        """
        begin = self.states
        for name, value in (states or {}).items():
            if name not in begin:
                raise invalid(f"no state {name!r}; there are {', '.join(begin) or 'none'}")
            begin[name] = block(value, begin[name].shape, name)
        values = np.concatenate([np.zeros(0), *(value.ravel() for value in begin.values())])
        address = make(self._context, lib.dyn_model_with_states, self, pointer(values))
        net = Model(self._context, address, self.init, self.seed, self.input_shape, self)
        net._start = self._start if theta is None else vector(theta, self.size, "theta").copy()
        net._frozen, net._whole, net._naming, net._tree = self._frozen, self._whole, self._naming, self._tree
        net._recipe = _derived_again, (self, "start", (theta, dict(states or {})), {})
        return net

    def centred(self, theta: ArrayLike | None = None) -> Model:
        """This network less what it gives at theta [p], by default where it begins: f(x; .) - f(x; theta), 0 at the start.

        >>> net = dyn.mlp([2, 5, 1], seed=1).centred()
        >>> net(net.initial(), np.ones((1, 2)))
        array([[0.]])
        """
        start = self.initial() if theta is None else vector(theta, self.size, "theta")
        net = Model(self._context, make(self._context, lib.dyn_model_centre, self, pointer(start)), self.init, self.seed,
                    self.input_shape, self)
        net._start, net._naming = start.copy(), self._naming
        net._recipe = _derived_again, (self, "centred", (start,), {})
        return net

    def expand(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Of a network made by freeze: the parameters of the whole one, frozen ones included."""
        net, whole = self._frozen or self, np.empty(self._whole)
        net._call(lib.dyn_model_expand, pointer(vector(theta, self.size, "theta")), pointer(whole))
        return whole

    def contract(self, whole: ArrayLike) -> NDArray[np.float64]:
        """Of a network made by freeze: what of the whole one's parameters is not frozen."""
        net, theta = self._frozen or self, np.empty(self.size)
        net._call(lib.dyn_model_contract, pointer(np.ascontiguousarray(whole, dtype=np.float64)), pointer(theta))
        return theta

    def views(self, theta: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The parameter tensors as shaped views into theta [p]: writing to a view writes to theta."""
        if theta.shape != (self.size,):
            raise shapes_differ(f"theta has shape {list(theta.shape)}, expected [{self.size}]")
        return {name: theta[t.offset:t.offset + math.prod(t.shape)].reshape(t.shape)
                for name, t in self.tensors.items()}

    def theta(self, tensors: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """theta [p] from all parameter tensors by name: the inverse of views."""
        wanted = self.tensors
        missing, other = [n for n in wanted if n not in tensors], [n for n in tensors if n not in wanted]
        if missing or other:
            raise invalid(f"tensors missing: {', '.join(missing) or 'none'}; not in the model: "
                          f"{', '.join(other) or 'none'}")
        parts = [block(tensors[name], t.shape, name).ravel() for name, t in wanted.items()]
        return np.concatenate(parts)

    def state_dict(self, theta: NDArray[Any],
                   states: Mapping[str, NDArray[Any]] | None = None) -> dict[str, NDArray[Any]]:
        """The parameters theta [p] and the states, by default as they begin, under the names and in the layout that the equal
        module of PyTorch gives them: views, so that writing to one writes to theta (of a frozen network: to a copy).

        >>> net = dyn.mlp([3, 20, 1])
        >>> {name: view.shape for name, view in net.state_dict(net.initial()).items()}
        {'0.weight': (20, 3), '0.bias': (20,), '2.weight': (1, 20), '2.bias': (1,)}
        """
        if self._frozen is not None:
            theta = self.expand(theta)
        outer = self._outer()
        return names_of(outer).theirs(outer.views(theta), {**self.states, **(states or {})})

    def load_state_dict(self, tensors: Mapping[str, ArrayLike]) -> Model:
        """This network beginning at the tensors of the equal module's state_dict: the inverse of state_dict. num_batches_tracked
        is not used.

        >>> net = dyn.mlp([3, 20, 1], seed=1)
        >>> other = dyn.mlp([3, 20, 1], seed=2).load_state_dict(net.state_dict(net.initial()))
        >>> np.array_equal(other.initial(), net.initial())
        True
        """
        outer = self._outer()
        shapes = {**{name: t.shape for name, t in outer.tensors.items()}, **{name: s.shape for name, s in self.states.items()}}
        own, states = names_of(outer).ours({name: array(value, name) for name, value in tensors.items()}, shapes)
        theta = outer.theta(own)
        return self.start(self.contract(theta) if self._frozen is not None else theta, states)

    def to_torch(self, theta: NDArray[Any], module: Any, states: Mapping[str, NDArray[Any]] | None = None) -> Any:
        """Copy the parameters theta [p] and the states into the equal PyTorch module, whose dtype they take; returns it.

        states: run.states after training; None: as they begin."""
        import torch
        found = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers())}
        given = self.state_dict(np.asarray(theta, np.float64), states)
        for name, value in given.items():
            if name not in found or tuple(found[name].shape) != value.shape:
                have = f"has shape {list(found[name].shape)}" if name in found else "is not there"
                raise shapes_differ(f"{name} {list(value.shape)}: in the module it {have}")
        with torch.no_grad():
            for name, value in given.items():
                found[name].copy_(torch.from_numpy(np.ascontiguousarray(value)))
        return module

    def to_jax(self, theta: NDArray[Any]) -> Any:
        """Of a network made by dyn.from_jax: theta [p] as the tree of parameters that it was made with, in the types of its arrays."""
        outer = self._outer()
        if outer._tree is None:
            raise invalid("the network was not made by dyn.from_jax: its tensors are net.views(theta)")
        whole = self.expand(theta) if self._frozen is not None else theta
        return outer._tree.filled(outer.views(whole))

    def _outer(self) -> Model:
        """The network whose tensors are all of them, frozen ones included."""
        return cast(Model, self._frozen._keep[0]) if self._frozen is not None else self

    def index(self, name: str) -> NDArray[np.int64]:
        """Places in theta of a parameter tensor."""
        tensors = self.tensors
        if name not in tensors:
            raise invalid(f"no tensor {name!r}; there are {', '.join(tensors)}")
        return tensors[name].offset + np.arange(math.prod(tensors[name].shape))

    def __repr__(self) -> str:
        tensors = ", ".join(f"{name} {list(t.shape)}" for name, t in self.tensors.items())
        return f"<dyn.Model {list(self.input_shape)} -> {self.output_size}, {self.size} parameters: {tensors}>"

    def __call__(self, *arguments: Any) -> Any:
        """net(theta, x): outputs f [n, ...] in float64 for samples x [n, *input_shape]; a vector x [n] serves one input.
        net(theta, x, states): with states (running moments) other than those at the start.
        net(x) on nodes: the node of the outputs."""
        if all(isinstance(a, Node) for a in arguments):
            return self._on_nodes(arguments)
        return self._outputs(*arguments)

    def _outputs(self, theta: ArrayLike, x: ArrayLike,
                 states: Mapping[str, ArrayLike] | None = None) -> NDArray[np.float64]:
        theta = vector(theta, self.size, "theta")
        x = array(x, "x")
        x = x.reshape(-1, 1) if x.ndim == 1 and self.input_shape == (1,) else x
        if x.shape[1:] != self.input_shape or x.ndim == 0:
            raise shapes_differ(f"x has shape {list(x.shape)}, expected [n, {', '.join(map(str, self.input_shape))}]")
        with turn(self._context):
            given = {**self.views(theta), **self.states, **(states or {})}
            function = self._function(len(x))
            self._check_ids(x)
            f: NDArray[np.float64] = function(x=x, **{name: given[name] for name in given if name in function.inputs})
        return f

    def _function(self, n: int) -> Function:
        """The network compiled for n samples; the last few sizes are kept."""
        if n not in self._functions:
            with self._context:
                g = Graph()
            dtype = ctypes.c_int32()
            lib.dyn_model_input(self, 0, None, ctypes.byref(dtype))
            leaf = g.indices if dtype.value == enum("dtype", "i64") else g.input
            x = leaf("x", (n, *self.input_shape))
            f = Node(g, self._call(lib.dyn_model_build, g, x.id))
            while len(self._functions) >= 4:
                self._functions.pop(next(iter(self._functions)))
            if leaf == g.indices and self._rows is None:
                self._rows = table_rows(g, f)
            self._functions[n] = g.compile(f)
        return self._functions[n]

    def _check_ids(self, x: NDArray[Any]) -> None:
        """Refuse indices that no table has, which would make NaN."""
        outside = (x < 0) | (x >= self._rows) if self._rows and x.size else np.zeros(0, bool)
        if outside.any():
            at = int(outside.argmax())
            raise invalid(f'"x": index {x.ravel()[at]} at position {at}, the table has rows 0 to {cast(int, self._rows) - 1}')


def mlp(widths: Sequence[int], activation: Activation | Sequence[Activation] = "tanh",
        init: Init | inits.Name | None = None, seed: int = 0, *, bias: bool | Sequence[bool] = True, output_bias: bool = True,
        output_scale: float = 1.0, antisymmetric: bool = False, parametrisation: str = "standard",
        multipliers: Sequence[float] | None = None, gamma: float = 0.0, gamma_prime: float = 0.0, skip: bool = False,
        dropout: float = 0.0) -> Model:
    """A perceptron: h_0 = x, h_l = sigma_l(c_l (h_(l-1) W_l + b_l)), f = output_scale * h_L.

    widths: input, hidden..., output. Parameters are "W1" [widths[0], widths[1]], "b1" [widths[1]], "W2", ...
    activation: of the hidden layers by name ("tanh", "relu", "gelu", "x_tanh", ...), the output layer being linear; or
        one for every layer, the output's last.
    init: how parameters are drawn, by dyn.init or by a name such as "xavier"; None: as PyTorch's Linear.
    seed: an integer in [0, 2^64).
    bias: for all layers, or one for each. output_bias: False for none in the output layer.
    antisymmetric: f = f_1 - f_2 of two copies that start equal, so that f = 0 at the start.
    parametrisation: "standard", where c_l are the multipliers, 1 by default; "ntk", "mean_field", "mup", which also draw
        the tensors; "normalised" with exponents gamma and gamma_prime (arXiv 2007.07497; of three layers gamma alone).
    skip: hidden layers as wide as the one before add their input.
    dropout: chance that an output of a hidden layer is dropped in training.

    >>> net = dyn.mlp([64, 100, 10], activation="relu", init=dyn.init.he(), seed=1)
    >>> net.size
    7510
    """
    context = current()
    layers = len(widths) - 1
    options = structs["dyn_perceptron_options"](
        widths_count=len(widths), no_output_bias=int(not output_bias), antisymmetric=int(antisymmetric),
        output_scale=output_scale, parametrisation=enum("parametrisation", parametrisation), gamma=gamma,
        gamma_prime=gamma_prime, skip=int(skip), dropout=dropout)
    lists = [ints(widths, what="a width")]
    if multipliers is not None:
        if len(multipliers) != layers:
            raise shapes_differ(f"{len(multipliers)} multipliers for {layers} layers")
        lists.append((ctypes.c_double * layers)(*multipliers))
        options.multipliers = ctypes.addressof(lists[-1])
    options.widths = ctypes.addressof(lists[0])
    if isinstance(activation, str):
        options.activation = enum("activation", activation)
    else:
        lists.append(_per_layer("activations", [enum("activation", a) for a in activation], layers))
        options.activations = ctypes.addressof(lists[-1])
    if isinstance(bias, (bool, int)):
        options.no_bias = int(not bias)
    else:
        lists.append(_per_layer("biases", [int(b) for b in bias], layers))
        options.bias = ctypes.addressof(lists[-1])
    address = make(context, lib.dyn_model_perceptron, context, ctypes.byref(options))
    model = Model(context, address, init, seed, (int(widths[0]),))
    model._perceptron = dict(widths=list(widths), activation=activation, bias=bias, output_bias=output_bias,
                             output_scale=output_scale, antisymmetric=antisymmetric, parametrisation=parametrisation,
                             multipliers=None if multipliers is None else list(multipliers), gamma=gamma,
                             gamma_prime=gamma_prime, skip=skip, dropout=dropout)
    model._recipe = (_mlp_again, (model._perceptron, model.init, model.seed))
    return model


def _derived_again(net: Model, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Model:
    """A network made of another, for pickle."""
    made: Model = getattr(net, method)(*arguments, **options)
    return made


def _mlp_again(arguments: dict[str, Any], init: Init, seed: int) -> Model:
    """For pickle, which gives no names to arguments."""
    return mlp(**arguments, init=init, seed=seed)


def _per_layer(what: str, values: list[int], layers: int) -> Any:
    if len(values) != layers:
        raise shapes_differ(f"{len(values)} {what} for {layers} layers")
    return ints(values, ctypes.c_int32)


def _function_again(build: Callable[..., Node], input_shape: Any, inputs: dict[str, Any], init: Init, seed: int) -> Model:
    """For pickle, which gives no names to arguments."""
    return Model.from_function(build, input_shape, init, seed, **inputs)
