# SPDX-License-Identifier: BSD-3-Clause
"""Data and first parameters of the two works to come, the same for every peer. Shapes in one place.

Transformer: decoder, post-LN, learnt positions, causal; parameters of layer i begin with "i.". Convolution: 3x3
channels last here, 32 then 64 channels, each followed by tanh and 2x2 max-pooling, then a dense layer to 10."""
import numpy as np

LAYERS, HEADS, WIDTH, HEAD, INNER, VOCABULARY, BATCH, TOKENS = 4, 4, 400, 64, 1200, 201, 50, 9
IMAGES, SIDE, CHANNELS, CLASSES = 64, 28, (1, 32, 64), 10


def draw(shapes, seed=1):
    """float32 arrays: matrices normal with std fan_in^-1/2, vectors 0, scales ("...g") 1."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, shape in shapes.items():
        if len(shape) > 1:
            made[name] = rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))
        else:
            made[name] = np.full(shape, 1.0 if name.endswith("g") else 0.0)
    return {name: a.astype(np.float32) for name, a in made.items()}


def transformer(length=TOKENS):
    """(parameters, tokens [batch, length + 1])"""
    shapes = {"embed": (VOCABULARY, WIDTH), "position": (length, WIDTH), "out": (WIDTH, VOCABULARY)}
    for i in range(LAYERS):
        shapes.update({"%d.%s" % (i, name): shape for name, shape in (
            ("qkv", (WIDTH, 3 * HEADS * HEAD)), ("qkv.b", (3 * HEADS * HEAD,)), ("mix", (HEADS * HEAD, WIDTH)),
            ("mix.b", (WIDTH,)), ("up", (WIDTH, INNER)), ("up.b", (INNER,)), ("down", (INNER, WIDTH)),
            ("down.b", (WIDTH,)), ("1g", (WIDTH,)), ("1b", (WIDTH,)), ("2g", (WIDTH,)), ("2b", (WIDTH,)))})
    return draw(shapes), np.random.default_rng(2).integers(0, VOCABULARY, (BATCH, length + 1))


def convolution():
    """(parameters with filters [3, 3, in, out], images [batch, side, side, 1], labels)"""
    c = CHANNELS
    shapes = {"c1": (3, 3, c[0], c[1]), "c1.b": (c[1],), "c2": (3, 3, c[1], c[2]), "c2.b": (c[2],),
              "out": ((SIDE // 4) ** 2 * c[2], CLASSES), "out.b": (CLASSES,)}
    rng = np.random.default_rng(3)
    return (draw(shapes), rng.standard_normal((IMAGES, SIDE, SIDE, 1)).astype(np.float32),
            rng.integers(0, CLASSES, IMAGES))
