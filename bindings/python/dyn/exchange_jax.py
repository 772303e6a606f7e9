# SPDX-License-Identifier: BSD-3-Clause
"""Functions of JAX's as models, and their parameters back. jax is imported when it is first used."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .build import Build
from .errors import STATUS, class_of, error, invalid, shapes_differ
from .graph import Node
from .model import Indices, Model
from .objective import Objective

if TYPE_CHECKING:
    import jax


# ---- parameters: a tree of arrays ----

class _Tree:
    """The leaves of a tree that are parameters, by the path to each."""

    def __init__(self, params: Any) -> None:
        import jax
        found, self.structure = jax.tree_util.tree_flatten_with_path(params)
        self.leaves = [np.asarray(leaf) for _, leaf in found]
        self.names = [jax.tree_util.keystr(path, simple=True, separator=".") or "params" for path, _ in found]
        self.learns = [leaf.dtype.kind in "fV" for leaf in self.leaves]     # V: bfloat16
        for name, leaf, learns in zip(self.names, self.leaves, self.learns):
            if learns and not np.isfinite(leaf.astype(np.float64)).all():
                raise error(STATUS["enonfinite"], f"{name} of params holds numbers that are not finite")
        if not any(self.learns):
            raise invalid("params holds no array of real numbers")

    def written(self, g: Build) -> list[Any]:
        return [g.parameter(name, leaf.shape) if learns else leaf
                for name, leaf, learns in zip(self.names, self.leaves, self.learns)]

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        return {name: leaf.astype(np.float64) for name, leaf, learns in zip(self.names, self.leaves, self.learns) if learns}

    def filled(self, tensors: dict[str, NDArray[Any]], dtype: Any = None) -> Any:
        """The tree with other numbers, in the types of its leaves or in this one."""
        import jax
        leaves = [tensors[name].astype(dtype or leaf.dtype) if learns else leaf
                  for name, leaf, learns in zip(self.names, self.leaves, self.learns)]
        return jax.tree_util.tree_unflatten(self.structure, leaves)


# ---- the example ----

def _samples(example: Any) -> list[NDArray[Any]]:
    given = [np.asarray(x) for x in (example if isinstance(example, tuple) else (example,))]
    if any(x.ndim == 0 or len(x) != len(given[0]) or not len(x) for x in given):
        raise invalid(f"example has shapes {[list(x.shape) for x in given]}: the first axis of each counts the same samples")
    return [x.astype(np.int64) if x.dtype.kind in "iu" else x.astype(np.float64) for x in given]


def _traced(fn: Callable[..., Any], tree: _Tree, samples: Sequence[NDArray[Any]], n: int) -> Any:
    """The jaxpr for n samples, in float64."""
    import jax
    shaped: Any = jax.ShapeDtypeStruct
    leaves = [shaped(leaf.shape, np.float64 if learns else leaf.dtype)
              for leaf, learns in zip(tree.leaves, tree.learns)]
    inputs = [shaped((n, *x.shape[1:]), x.dtype) for x in samples]
    return jax.make_jaxpr(fn)(jax.tree_util.tree_unflatten(tree.structure, leaves), *inputs)


# ---- a function in ----

def from_jax(fn: Callable[..., Any], params: Any, example: Any, *, seed: int = 0) -> Model:
    """A function fn(params, x) of JAX's as a network, which begins at params.

    params: a tree (dictionaries, lists, tuples) of arrays; what is real learns, what is an integer or a key stays. Tensors have
        the path to them as their names, "layers.0.w", and the layout of JAX.
    example: samples x [n, ..] that fn takes, or a tuple of them for fn(params, x, y ..); of these only shapes matter, and
        whether they are integers. fn gives an array [n, ..].

    fn is traced in float64, once for every number of samples, and its jaxpr written primitive by primitive: jit, custom
    derivatives and checkpoints are seen through, scans unrolled, what depends on neither params nor x is computed once. No
    other package is needed: pass flax's apply or haiku's, its variables being params. What cannot be written is listed. The
    result is compared with fn on the example before it is returned. net.to_jax(theta) gives the tree back.

        net = dyn.from_jax(lambda params, x: module.apply(params, x), params, images[:2])
        run = dyn.Run(net, images, labels, loss="cross_entropy").train(1000)
        params = net.to_jax(run.theta)

    >>> import jax.numpy as jnp
    >>> params = {"w": np.ones((2, 3)), "b": np.zeros(3)}
    >>> net = dyn.from_jax(lambda p, x: jnp.tanh(x @ p["w"] + p["b"]), params, np.ones((1, 2)))
    >>> {name: tensor.shape for name, tensor in net.tensors.items()}
    {'b': (3,), 'w': (2, 3)}
    """
    import jax
    from . import _jax_program as program
    from ._jax_indices import Indices as Ids
    if not callable(fn):
        raise invalid(f"fn is {class_of(fn)}, must be a function of params and samples")
    tree, samples = _Tree(params), _samples(example)

    def build(g: Build, **inputs: Node) -> Node:
        with jax.enable_x64(True):
            closed = _traced(fn, tree, samples, g.samples)
            given = [Ids.of(node) if x.dtype.kind == "i" else node for node, x in zip(inputs.values(), samples)]
            results = program.write(closed.jaxpr, closed.consts, [*tree.written(g), *given])
        if not isinstance(results[0], Node):
            raise invalid("fn gives something that does not depend on params and x")
        return results[0]
    with jax.enable_x64(True):
        _check(program, _traced(fn, tree, samples, len(samples[0])), tree, samples)
        theirs = np.asarray(fn(tree.filled(tree.tensors(), np.float64), *samples))
    names = ["x"] if len(samples) == 1 else [f"x{i + 1}" for i in range(len(samples))]
    net = Model.from_function(build, None, None, seed, **{name: Indices(*x.shape[1:]) if x.dtype.kind == "i" else x.shape[1:]
                                                        for name, x in zip(names, samples)})
    net = net.start(net.theta(tree.tensors()))
    net._tree = tree
    _compare(net, samples, theirs)
    return net


def _check(program: Any, closed: Any, tree: _Tree, samples: Sequence[NDArray[Any]]) -> None:
    if len(closed.out_avals) != 1:
        raise invalid(f"fn gives {len(closed.out_avals)} arrays, a model one: pick it, lambda params, x: fn(params, x)[0]")
    out = closed.out_avals[0].shape
    if not out or out[0] != len(samples[0]):
        raise shapes_differ(f"fn gives shape {list(out)} for {len(samples[0])} samples, expected [{len(samples[0])}, ..]")
    found = program.missing(closed.jaxpr, [*tree.learns, *(True for _ in samples)])
    if found:
        raise invalid("the function does what cannot be written yet: " + "; ".join(found))


def _compare(net: Model, samples: Sequence[NDArray[Any]], theirs: NDArray[Any]) -> None:
    """Refuse a network that gives something else than the function."""
    ours = Objective.map(net, *samples).predict(net.initial())
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    if ours.size != theirs.size or not np.allclose(ours.ravel(), theirs.ravel(), rtol=0, atol=1e-9 * scale, equal_nan=True):
        raise invalid("the network written for fn gives something else than fn on the example: please report it")
