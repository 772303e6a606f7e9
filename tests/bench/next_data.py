# SPDX-License-Identifier: BSD-3-Clause
"""Data and parameters of decoders and of the small CNN, the same for every peer. Shapes in one place.

Decoders are those of libdyn's bench (decoder.c). Convolution: 3x3 channels last here, 32 then 64 channels, each
followed by tanh and 2x2 max-pooling, then a dense layer to 10."""
import numpy as np

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


class Decoder:
    """A decoder's sizes, and its parameters in the order in which libdyn has them in theta."""

    def __init__(self, case):
        self.case, self.pre = case, case("style", 0) == 1
        self.layers, self.heads, self.width = case("layers", 4), case("heads", 4), case("width", 400)
        self.key, self.length = case("key_width", 64), case("length", 9)
        d, heads, hidden = self.width, self.heads * self.key, case("hidden", 1200)
        norms = [[("gain%d" % i, (d,)), ("shift%d" % i, (d,))] for i in (1, 2)]
        attention = [(kind + name, shape) for name in "qkv" for kind, shape in (("W", (d, heads)), ("b", (heads,)))]
        attention += [("Wo", (heads, d)), ("bo", (d,))]
        forward = [("W1", (d, hidden)), ("b1", (hidden,)), ("W2", (hidden, d)), ("b2", (d,))]
        self.layer = norms[0] + attention + norms[1] + forward if self.pre else \
            attention + norms[0] + forward + norms[1]
        vocabulary = case("vocabulary", 201)
        self.first = [("embedding", (vocabulary, d)), ("position", (self.length, d))]
        self.last = [("gain", (d,)), ("shift", (d,))] if self.pre else [("W", (d, vocabulary))]

    def split(self, theta):
        """{name: tensor}, views of one vector; of the layers "0.Wq" and so on."""
        names = self.first + [("%d.%s" % (i, name), shape) for i in range(self.layers) for name, shape in self.layer]
        made, at = {}, 0
        for name, shape in names + self.last:
            size = int(np.prod(shape))
            made[name] = theta[at:at + size].reshape(shape)
            at += size
        return made

    def parameters(self):
        """The same of the first theta, with queries, keys and values as one product: "0.qkv", "0.qkv.b"."""
        p = self.split(self.case.array("theta"))
        for i in range(self.layers):
            for kind, name in (("W", "%d.qkv"), ("b", "%d.qkv.b")):
                p[name % i] = np.concatenate([p.pop("%d.%s%s" % (i, kind, x)) for x in "qkv"], -1)
        return p

    def tokens(self):
        return self.case.array("tokens", np.int64)


def convolution():
    """(parameters with filters [3, 3, in, out], images [batch, side, side, 1], labels)"""
    c = CHANNELS
    shapes = {"c1": (3, 3, c[0], c[1]), "c1.b": (c[1],), "c2": (3, 3, c[1], c[2]), "c2.b": (c[2],),
              "out": ((SIDE // 4) ** 2 * c[2], CLASSES), "out.b": (CLASSES,)}
    rng = np.random.default_rng(3)
    return (draw(shapes), rng.standard_normal((IMAGES, SIDE, SIDE, 1)).astype(np.float32),
            rng.integers(0, CLASSES, IMAGES))
