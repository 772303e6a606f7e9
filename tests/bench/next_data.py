# SPDX-License-Identifier: BSD-3-Clause
"""Sizes and parameters of decoders and of the convolutional network, as libdyn's bench has them (decoder.c,
convolution.c), so that shapes stand in one place."""
import numpy as np


def split(theta, shapes):
    """{name: tensor}, views of one vector that has these one after the other."""
    made, at = {}, 0
    for name, shape in shapes:
        size = int(np.prod(shape))
        made[name] = theta[at:at + size].reshape(shape)
        at += size
    return made


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
        """{name: tensor}, of the layers "0.Wq" and so on."""
        layers = [("%d.%s" % (i, name), shape) for i in range(self.layers) for name, shape in self.layer]
        return split(theta, self.first + layers + self.last)

    def parameters(self):
        """The same of the first theta, with queries, keys and values as one product: "0.qkv", "0.qkv.b"."""
        p = self.split(self.case.array("theta"))
        for i in range(self.layers):
            for kind, name in (("W", "%d.qkv"), ("b", "%d.qkv.b")):
                p[name % i] = np.concatenate([p.pop("%d.%s%s" % (i, kind, x)) for x in "qkv"], -1)
        return p

    def tokens(self):
        return self.case.array("tokens", np.int64)


class Convolution:
    """Filters [3, 3, in, out] of two convolutions on images with the channels last, each followed by tanh and 2 x 2
    max-pooling, and the dense layer behind them."""

    def __init__(self, case):
        self.case = case
        side, c = case("side", 28), case("channels", 32)
        self.shapes = [("c1", (3, 3, 1, c)), ("c1.b", (c,)), ("c2", (3, 3, c, 2 * c)), ("c2.b", (2 * c,)),
                       ("out", ((side // 4) ** 2 * 2 * c, 10)), ("out.b", (10,))]

    def split(self, theta):
        return split(theta, self.shapes)

    def parameters(self):
        return self.split(self.case.array("theta"))

    def data(self):
        """Images [samples, side, side, 1], labels one-hot [samples, 10]."""
        return self.case.array("x"), self.case.array("y")
