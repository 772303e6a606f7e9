# SPDX-License-Identifier: BSD-3-Clause
"""Families of models that have a name, beside perceptrons (dyn.mlp)."""
from __future__ import annotations

import ctypes
import functools
from typing import Any, Callable, ParamSpec, Sequence

from ._arrays import ints
from ._lib import enum, lib, make, structs
from .context import current
from .errors import error, invalid, shapes_differ
from .init import Init
from .model import Model

P = ParamSpec("P")


def pickled(family: Callable[P, Model]) -> Callable[P, Model]:
    """A family whose models pickle by how they are made."""
    @functools.wraps(family)
    def made(*arguments: P.args, **options: P.kwargs) -> Model:
        model = family(*arguments, **options)
        model._recipe = _again, (family.__name__, arguments, options)
        return model
    return made


def _again(family: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Model:
    """For pickle, which gives no names to arguments."""
    model: Model = globals()[family](*arguments, **options)
    return model


@pickled
def transformer(vocabulary: int | None = None, length: int | None = None, *, style: str = "paper",
                layers: int | None = None, heads: int | None = None, kv_heads: int | None = None,
                width: int | None = None, key_width: int | None = None, value_width: int | None = None,
                hidden: int | None = None, norm: str | None = None, rms: bool | None = None,
                norm_query_only: bool | None = None, position: str | None = None, activation: str | None = None,
                gated: bool | None = None, bias: bool | None = None, output_bias: bool | None = None,
                causal: bool | None = None, residual: bool | None = None, mix: bool | None = None,
                project: bool | None = None, tied: bool | None = None, last: bool | None = None, pad: int | None = None,
                eps: float | None = None, rotary_base: float | None = None, embedding: Init | None = None,
                weights: Init | None = None, depth_scaled: bool | None = None, dropout: float = 0.0,
                buffers: str | None = None, buffer_scale: float | None = None, buffer_seed: int | None = None,
                init: Init | None = None, seed: int = 0) -> Model:
    """A decoder transformer: tokens [n, length] (integers) to logits [n, vocabulary], or [n, length, vocabulary].

    style: whose defaults are taken where an argument is None. "paper": two layers, one head, width 400, hidden 1200, post
        norm, ReLU, no biases, learned positions, logits of the last place (arXiv 2401.08309). "gpt2": pre norm, GELU,
        biases, tied output, all places. "llama": pre RMS norm, rotary, SwiGLU, all places.
    key_width, value_width: of one head; 0 = width / heads, as key_width. kv_heads: 0 = heads. hidden: 0 = no feed-forward.
    norm: "none", "pre", "post". position: "none", "learned", "sinusoidal", "rotary". gated: a gate in the feed-forward.
    residual, mix, project: False takes X + around attention, Wo, the projection to the vocabulary away.
    tied: the output matrix is the transposed embedding. last: logits of the last place only. pad: a token never seen.
    embedding: how both tables are drawn, default normal of std 1. weights: how matrices and biases are drawn whatever
        init says; depth_scaled divides the scale of Wo and W2 by sqrt(2 layers).
    dropout: of the embedding, the attention map and what each block adds.
    buffers: fixed matrices Z_l beside the weights of attention: its scores gain beta X Z_(l-1)^T X^T / sqrt(dk), what it
        hands on alpha A X Z_l, by "random" Z (RMBA of arXiv 2405.15302) or "identity" (IMBA); buffer_scale: alpha and
        beta at the start, default 0.1, parameters for each head; buffer_seed: of the Z_l.

    Tensors are "embedding", "position", "layer1.Wq", ".bq", ".Wk", ".Wv", ".Wo", ".W1", ".b1", ".Wg", ".W2", ".b2",
    ".gain1", ".shift1", ".alpha", ".beta", "W", "b"; "layer1.scores", ".attention", ".heads", ".stream" can be read by name.

    >>> net = dyn.transformer(vocabulary=50, length=8, layers=1, heads=2, width=16)
    >>> net.output_size
    50
    """
    context = current()
    options = structs["dyn_transformer_options"]()
    status = lib.dyn_transformer_defaults(enum("transformer", style), ctypes.byref(options))
    if status < 0:
        raise error(status, "dyn_transformer_defaults")
    given: dict[str, Any] = dict(
        vocabulary=vocabulary, length=length, layers=layers, heads=heads, kv_heads=kv_heads, width=width,
        key_width=key_width, value_width=value_width, hidden=hidden, rms=rms, norm_query_only=norm_query_only,
        gated=gated, bias=bias, output_bias=output_bias, causal=causal, residual=residual, mix=mix, project=project,
        tied=tied, last=last, pad=pad, eps=eps, rotary_base=rotary_base, depth_scaled=depth_scaled, dropout=dropout,
        buffer_scale=buffer_scale, buffer_seed=buffer_seed)
    for kind, name in (("norm", norm), ("position", position), ("activation", activation), ("buffers", buffers)):
        given[kind] = None if name is None else enum(kind, name)
    if width is not None and hidden is None and style != "paper":
        given["hidden"] = 4 * width if style == "gpt2" else (8 * width + 2) // 3
    options.set(**{name: int(value) if isinstance(value, bool) else value for name, value in given.items()})
    keep = [own._options(0) for own in (embedding, weights) if own is not None]
    for name, own in zip([n for n, i in (("embedding", embedding), ("weights", weights)) if i is not None], keep):
        setattr(options, name, ctypes.addressof(own))
    address = make(context, lib.dyn_model_transformer, context, ctypes.byref(options))
    return Model(context, address, init, seed, (int(options.length),))


def gpt(vocabulary: int, length: int, *, layers: int = 4, heads: int = 4, width: int = 128, **options: Any) -> Model:
    """transformer(style="gpt2") of a small size: tokens [n, length] to logits [n, length, vocabulary].

    >>> net = dyn.gpt(vocabulary=50, length=8, layers=1, heads=2, width=16)
    >>> net.output_size
    400
    """
    return transformer(vocabulary, length, style="gpt2", layers=layers, heads=heads, width=width, **options)


def llama(vocabulary: int, length: int, *, layers: int = 4, heads: int = 4, width: int = 128, **options: Any) -> Model:
    """transformer(style="llama") of a small size: tokens [n, length] to logits [n, length, vocabulary].

    >>> net = dyn.llama(vocabulary=50, length=8, layers=1, heads=2, width=16)
    >>> net.output_size
    400
    """
    return transformer(vocabulary, length, style="llama", layers=layers, heads=heads, width=width, **options)


@pickled
def cnn(input_shape: Sequence[int], channels: Sequence[int], hidden: Sequence[int] = (), outputs: int = 1, *,
        kernel: int = 3, stride: int = 1, padding: int | str = "same", activation: str = "relu",
        dense_activation: str = "relu", bias: bool = True, batch_norm: bool = False, global_pool: bool = False,
        init: Init | None = None, seed: int = 0) -> Model:
    """A convolutional network: x [n, *input_shape], channels last, to f [n, outputs].

    input_shape: (length, channels), (height, width, channels) or one axis more.
    channels: what each convolution makes; 0 is a pooling of 2 instead. hidden: widths of fully connected layers behind.
    batch_norm: after each convolution, in place of its bias. global_pool: the mean over the places goes on, not all.

    Parameters are "W1" [kernel.., in, out], "b1" (or "gain1", "shift1"), ..., then "W<l>" [in, out], "b<l>".

    >>> dyn.cnn((8, 8, 1), channels=[4, 8], outputs=10).output_size
    10
    """
    context = current()
    sizes, made, wide = ints([int(n) for n in input_shape]), ints(list(channels)), ints(list(hidden))
    options = structs["dyn_cnn_options"](
        axes=len(sizes) - 1, input=ctypes.addressof(sizes), convolutions=len(made), channels=ctypes.addressof(made),
        dense=len(wide), hidden=ctypes.addressof(wide) if len(wide) else None, outputs=outputs, kernel=kernel, stride=stride,
        padding={"same": -1, "valid": 0}[padding] if isinstance(padding, str) else padding,
        activation=enum("activation", activation), dense_activation=enum("activation", dense_activation), bias=int(bias),
        batch_norm=int(batch_norm), global_pool=int(global_pool))
    address = make(context, lib.dyn_model_cnn, context, ctypes.byref(options))
    return Model(context, address, init, seed, tuple(int(n) for n in input_shape))


_VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@pickled
def vgg(layers: int = 16, input_shape: Sequence[int] = (32, 32, 3), outputs: int = 10, *, base: int = 64,
        hidden: Sequence[int] = (), batch_norm: bool = True, **options: Any) -> Model:
    """VGG with 11, 13, 16 or 19 layers: stages of base, 2 base, 4 base, 8 base, 8 base channels, each ended by a pooling.

    hidden: widths of the fully connected layers before the output; (4096, 4096) is the original.

    >>> dyn.vgg(11, input_shape=(32, 32, 3), base=4).output_size
    10
    """
    if layers not in _VGG:
        raise invalid(f"vgg: {layers} layers is not one of {', '.join(map(str, _VGG))}")
    channels: list[int] = []
    for count, factor in zip(_VGG[layers], (1, 2, 4, 8, 8)):
        channels += [base * factor] * count + [0]
    return cnn(input_shape, channels, hidden, outputs, batch_norm=batch_norm, **options)


@pickled
def resnet(blocks: Sequence[int] = (2, 2, 2, 2), input_shape: Sequence[int] = (32, 32, 3), outputs: int = 10, *,
           base: int = 64, activation: str = "relu", batch_norm: bool = True, large: bool = False,
           init: Init | None = None, seed: int = 0) -> Model:
    """A residual network of basic blocks: x [n, height, width, channels] to f [n, outputs].

    blocks: residual blocks of each stage; (2, 2, 2, 2) is ResNet-18, (3, 4, 6, 3) ResNet-34, (3, 3, 3) with base 16
        ResNet-20. large: begins for 224 x 224 by 7 x 7, stride 2 and a pooling.

    >>> dyn.resnet((1, 1), input_shape=(8, 8, 1), base=4).output_size
    10
    """
    context = current()
    counts = ints(list(blocks))
    if len(input_shape) != 3:
        raise shapes_differ(f"input_shape is {list(input_shape)}, expected (height, width, channels)")
    height, width, channels = (int(n) for n in input_shape)
    options = structs["dyn_resnet_options"](
        stages=len(counts), blocks=ctypes.addressof(counts), height=height, width=width, channels=channels, base=base,
        outputs=outputs, activation=enum("activation", activation), batch_norm=int(batch_norm), large=int(large))
    address = make(context, lib.dyn_model_resnet, context, ctypes.byref(options))
    return Model(context, address, init, seed, (height, width, channels))


@pickled
def factorisation(widths: Sequence[int], init: Init | None = None, seed: int = 0) -> Model:
    """An entry of the product W1 W2 .. WL, widths = [rows, inner.., columns]: entries [n] (integers, i * columns + j) to
    f [n, 1]. For matrix completion train it on the numbers of the observed entries.

    >>> net = dyn.factorisation([5, 2, 5])
    >>> {name: tensor.shape for name, tensor in net.tensors.items()}
    {'W1': (5, 2), 'W2': (2, 5)}
    """
    context = current()
    sizes = ints([int(n) for n in widths])
    options = structs["dyn_factorisation_options"](factors=len(sizes) - 1, widths=ctypes.addressof(sizes))
    return Model(context, make(context, lib.dyn_model_factorisation, context, ctypes.byref(options)), init, seed, ())


@pickled
def tensor_factorisation(sizes: Sequence[int], rank: int = 1, init: Init | None = None, seed: int = 0) -> Model:
    """An entry of the tensor sum_r A1[i, r] A2[j, r] A3[k, r] ..: row-major numbers of entries [n] to f [n, 1].

    >>> dyn.tensor_factorisation([2, 3, 4], rank=2).size
    18
    """
    context = current()
    axes = ints([int(n) for n in sizes])
    options = structs["dyn_tensor_options"](order=len(axes), sizes=ctypes.addressof(axes), rank=rank)
    return Model(context, make(context, lib.dyn_model_tensor_factorisation, context, ctypes.byref(options)), init, seed, ())


@pickled
def diagonal(inputs: int, depth: int = 2, *, difference: bool = False, init: Init | None = None, seed: int = 0) -> Model:
    """A diagonal linear network f = sum_j a1_j a2_j .. aL_j x_j, or with difference f = sum_j (a_j^L - b_j^L) x_j.

    >>> net = dyn.diagonal(3)
    >>> net.size, list(net.tensors)
    (6, ['a1', 'a2'])
    """
    context = current()
    options = structs["dyn_diagonal_options"](inputs=inputs, depth=depth, difference=int(difference))
    return Model(context, make(context, lib.dyn_model_diagonal, context, ctypes.byref(options)), init, seed, (inputs,))


@pickled
def polynomial(inputs: int = 1, degree: int = 1, outputs: int = 1, *, bias: bool = True, init: Init | None = None,
               seed: int = 0) -> Model:
    """f = b + sum_k x^k W_k with elementwise powers: linear in its parameters. Degree 1 is a linear model.

    >>> dyn.polynomial(inputs=1, degree=3).size
    4
    """
    context = current()
    options = structs["dyn_polynomial_options"](inputs=inputs, degree=degree, outputs=outputs, bias=int(bias))
    return Model(context, make(context, lib.dyn_model_polynomial, context, ctypes.byref(options)), init, seed, (inputs,))


@pickled
def recurrent(inputs: int = 1, length: int = 1, width: int = 64, outputs: int = 1, *, cell: str = "lstm", layers: int = 1,
              vocabulary: int = 0, last: bool = True, bias: bool = True, tied: bool = False, init: Init | None = None,
              seed: int = 0) -> Model:
    """Recurrent layers with a linear output: x [n, length, inputs] to [n, outputs], or [n, length, outputs].

    cell: "simple", "gru", "lstm". vocabulary: the input is tokens [n, length], embedded in `inputs` numbers each.
    last: the output of the last place only. tied: the output matrix is the transposed embedding.

    >>> net = dyn.recurrent(inputs=2, length=5, width=4, cell="gru")
    >>> net.output_size
    1
    """
    context = current()
    options = structs["dyn_recurrent_options"](
        cell=enum("cell", cell), layers=layers, last=int(last), vocabulary=vocabulary, inputs=inputs, length=length,
        width=width, outputs=outputs, bias=int(bias), tied=int(tied))
    address = make(context, lib.dyn_model_recurrent, context, ctypes.byref(options))
    return Model(context, address, init, seed, (length,) if vocabulary else (length, inputs))
