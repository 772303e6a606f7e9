# SPDX-License-Identifier: BSD-3-Clause
"""The table of the benchmark: its rows and the growth curves.

A row's request is what libdyn and the peers get, word for word. units is how much is done between two looks at the
clock, per what one unit is divided by. flops counts multiplications and additions of the matrix products and the
passes that cannot be avoided, tanh the values of tanh: together with the measured rates they give the limit."""


class Goal:
    """At most the time of `peer` ("best": of the fastest) divided by `factor`, on one core by `one` if that is given;
    or, where that is more, `limit` times the limit of the arithmetic. speedup: what the other cores are to bring."""

    def __init__(self, factor, peer="jax", limit=None, one=None, speedup=None):
        self.factor, self.peer, self.limit, self.one, self.speedup = factor, peer, limit, one, speedup


class Row:
    def __init__(self, name, work, request, units, scale="ms", per=1, flops=0, tanh=0, kind="f32", tolerance=1e-4,
                 peers=("jax", "torch"), goal=None, goal_time=None, seconds=0.25, cores=(1, 0)):
        self.name, self.work, self.request, self.units, self.scale, self.per = name, work, request, units, scale, per
        self.flops, self.tanh, self.kind, self.tolerance, self.peers = flops, tanh, kind, tolerance, peers
        self.goal, self.goal_time, self.seconds, self.cores = goal, goal_time, seconds, cores

    def limit(self, rates, cores):
        """Seconds that the arithmetic alone takes; None where it is not counted."""
        if not self.flops:
            return None
        fma, tanh = rates["fma_" + self.kind], rates["tanh_" + self.kind]
        return (self.flops / fma + self.tanh * tanh) / cores / self.per


def perceptron(widths, samples, passes=3, spared=1):
    """(flops, tanh) of `passes` products per layer, of which the first layer is `spared` some. A gradient has three:
    forward, towards the weights, and towards the input, which the first layer does not need. Along a direction each
    becomes two by the product rule; the first layer, whose input stays as it is, needs one forward and one towards the
    weights: four spared. At a new theta the products forward and towards the input come on top: eight, five spared."""
    pairs = list(zip(widths, widths[1:]))
    flops = 2 * samples * (passes * sum(a * b for a, b in pairs) - spared * pairs[0][0] * pairs[0][1])
    return flops, samples * sum(widths[1:-1])


def training(name, widths, samples, units, scale, goal, data="line", check=100, work=None, options="", **more):
    flops, tanh = perceptron(widths, samples)
    loss = "cross_entropy" if data == "digits" else "mse"
    text = ",".join(map(str, widths))
    return Row(name, "Adam step, tanh %s, %d samples" % (work or text.replace(",", "-"), samples),
               "train widths=%s samples=%d data=%s loss=%s check=%d%s" % (text, samples, data, loss, check, options),
               units, scale, flops=flops, tanh=tanh, goal=goal, **more)


WIDE = Goal(1.1, "best", limit=1.15, speedup=1.6)


def wide(name, widths, samples, units, options="", **more):
    """Layers as wide as they are long, and many of them. Adam's steps are as long for gradients that are rounding
    alone, so that results agree after short ones only."""
    return training(name, widths, samples, units, "ms", WIDE, data="normal", check=3, options=" rate=1e-5" + options,
                    **more)


def deep(name, depth, units):
    """Compilers take minutes for each form of so long a step: JAX has its first one only, PyTorch the eager one."""
    return wide(name, [100] * (depth + 1), 64, units, work="%d layers of 100" % depth, options=" compile=0",
                seconds=0.5)


DIGITS = "widths=64,100,100,10 data=digits loss=cross_entropy"
SMALL = "widths=3,200,1 output_bias=0 samples=2000 data=normal dtype=f64"
P1 = perceptron([1, 100, 1], 80)
DIGITS_NET = [64, 100, 100, 10], 1797
P6 = perceptron(*DIGITS_NET)
HVP = perceptron(*DIGITS_NET, 6, 4)
FRESH_HVP = perceptron(*DIGITS_NET, 8, 5)


def decoder_flops(layers, d, heads, key, hidden, vocabulary, length, samples):
    """Of a gradient: three products for each of the forward pass. Of attention only what the mask leaves is counted."""
    tokens, inner = samples * length, heads * key
    layer = d * inner * 4 + 2 * d * hidden + inner * (length + 1)
    return 3 * 2 * tokens * (layers * layer + d * vocabulary)


def attention_flops(length, heads=8, key=64):
    """Forward two products, backward five (the scores anew), of the half that the mask leaves."""
    return 7 * 2 * heads * key * length * (length + 1) / 2


def convolution_work(passes=3, spared=1, samples=64, side=28, channels=32):
    """(flops, tanh) of `passes` products for each layer of the convolutional network, as for a perceptron."""
    places = side * side
    first, second, dense = places * 9 * channels, places // 4 * 18 * channels ** 2, places // 16 * 20 * channels
    return 2 * samples * (passes * (first + second + dense) - spared * first), samples * places * channels * 3 // 2


PAPER = 4, 400, 4, 64, 1200, 201, 9, 50
GPT2 = 6, 256, 4, 64, 1024, 256, 256, 8


def decoder_case(layers, d, heads, key, hidden, vocabulary, length, samples, style):
    return ("model=decoder loss=cross_entropy layers=%d width=%d heads=%d key_width=%d hidden=%d vocabulary=%d "
            "length=%d samples=%d style=%d" % (layers, d, heads, key, hidden, vocabulary, length, samples, style))


DECODER, GPT = decoder_case(*PAPER, 0), decoder_case(*GPT2, 1)
CNN = "model=cnn loss=cross_entropy side=28 channels=32 samples=64"
CNN_STEP, CNN_HVP, CNN_FRESH = convolution_work(), convolution_work(6, 4), convolution_work(8, 5)

ROWS = [
    training("P1", [1, 100, 1], 80, 1000, "us", Goal(2.5, limit=1.25)),
    training("P2", [1, 1000, 1], 80, 200, "us", Goal(3)),
    training("P3", [100, 1000, 1], 1000, 10, "us", Goal(1.5), data="normal", check=20),
    training("P4", [1, 10000, 1], 80, 50, "us", Goal(2.5, limit=1.25), check=20),
    Row("P5", "64 replicas of P1, own seeds and rates: step of one replica", "replicas widths=1,100,1 samples=80 "
        "count=64 check=100", 100, "us", per=64, flops=64 * P1[0], tanh=64 * P1[1], peers=("jax",),
        goal=Goal(4, limit=1.25)),
    training("P6", *DIGITS_NET, 20, "ms", Goal(1.5), data="digits", check=20),
    Row("P7a", "loss and gradient of P6", "gradient " + DIGITS, 10, flops=P6[0], tanh=P6[1]),
    Row("P7b", "Hessian product of P6 at a new theta", "product fresh=1 " + DIGITS, 5, flops=FRESH_HVP[0],
        tanh=FRESH_HVP[1], goal=Goal(2)),
    Row("P7c", "the same, linearised once", "product " + DIGITS, 10, flops=HVP[0]),
    Row("P7d", "the same for a block of 8 vectors, per vector", "product columns=8 " + DIGITS, 2, per=8,
        flops=8 * HVP[0]),
    Row("P8", "five largest eigenpairs of P6, residual 1e-6", "eigen warm=100 " + DIGITS, 1, goal_time=0.040),
    Row("P9", "dense Hessian of tanh 3-200-1 (1000 parameters), 2000 samples, float64", "dense " + SMALL, 1, "s",
        flops=1000 * 2000 * 200 * 30, kind="f64", tolerance=1e-9, goal_time=0.33, seconds=0.1,
        peers=("jax",)),
    Row("P10a", "its Jacobian 2000x1000 and all singular values, float64", "singular route=exact " + SMALL, 1,
        kind="f64", tolerance=1e-9),
    Row("P10b", "the same by the Gram matrix, with error bounds", "singular route=gram " + SMALL, 1, kind="f64",
        tolerance=1e-9, goal=Goal(1.1)),
    Row("P13", "decoder, 4 layers, 4 heads, d 400, 50 x 9 tokens: AdamW step with clipping",
        "train check=3 adamw=1 rate=1e-4 clip=1 " + DECODER, 10, flops=decoder_flops(*PAPER), seconds=0.5,
        goal=Goal(1.2, "best", limit=1.25, one=1.1)),
    Row("P13h", "Hessian product of P13 at a new theta", "product fresh=1 " + DECODER, 1,
        flops=8 / 3 * decoder_flops(*PAPER), seconds=0.5, goal=Goal(1.2)),
    Row("P13l", "the same, linearised once", "product " + DECODER, 1, flops=2 * decoder_flops(*PAPER),
        seconds=0.5, goal=Goal(1.2)),
    Row("P14", "convolutional network, 3x3, tanh, max-pool, 32 and 64 channels, 64 images of 28x28: Adam step",
        "train check=3 " + CNN, 5, flops=CNN_STEP[0], tanh=CNN_STEP[1], seconds=0.5,
        goal=Goal(1.5, "torch", limit=1.25)),
    Row("P14h", "Hessian product of P14 at a new theta", "product fresh=1 " + CNN, 2, flops=CNN_FRESH[0],
        tanh=CNN_FRESH[1], seconds=0.5, goal=Goal(1.2)),
    Row("P14l", "the same, linearised once", "product " + CNN, 2, flops=CNN_HVP[0], seconds=0.5, goal=Goal(1.2)),
    wide("P16a", [1000] * 4 + [10], 2000, 1, seconds=1),
    wide("P16b", [512] * 5 + [10], 256, 5),
    wide("P16c", [1000] * 3, 64, 5),
    wide("P16d", [3000] * 3, 64, 1, seconds=0.5),
    deep("P16e", 128, 5),
    deep("P16f", 256, 2),
    Row("P17a", "causal attention of one sample, 8 heads of 64, 512 places, forward and backward",
        "attention length=512", 4, flops=attention_flops(512), goal=Goal(1, "torch")),
    Row("P17b", "the same, 2048 places", "attention length=2048", 1, flops=attention_flops(2048), seconds=0.5,
        goal=Goal(1, "torch")),
    Row("P18", "GPT-2 style decoder, 6 layers, 4 heads, d 256, 8 x 256 bytes: AdamW step with clipping",
        "train check=3 adamw=1 rate=1e-4 clip=1 " + GPT, 5, flops=decoder_flops(*GPT2), seconds=1,
        goal=Goal(1, "torch")),
]


def curve(axis, verb, points, form, units):
    """One growth curve: (value, request, units) of each point; form holds a %d for the value."""
    return axis, [(n, verb + " check=5 " + form % n, units(n)) for n in points]


CURVES = [
    curve("width m of 1-m-1, 80 samples", "train", [30, 100, 300, 1000, 3000, 10000], "widths=1,%d,1",
          lambda m: max(5, 100000 // m)),
    ("width m of 100-m-m-1, 64 samples", [(m, "train check=5 data=normal samples=64 widths=100,%d,%d,1" % (m, m),
                                           max(2, 200000 // (m * m))) for m in (128, 256, 512, 1024, 2048)]),
    ("depth, hidden layers of 100, digits", [(d, "train check=5 data=digits loss=cross_entropy widths=64,%s10"
                                              % ("100," * d), 10) for d in (1, 2, 4, 8)]),
    curve("samples n of 1-100-1", "train", [20, 80, 320, 1280, 5120, 20480], "widths=1,100,1 samples=%d",
          lambda n: max(5, 50000 // n)),
    curve("mini-batch of the digits network", "train", [16, 64, 256, 1024], "data=digits loss=cross_entropy "
          "widths=64,100,100,10 batch=%d", lambda b: 40),
    curve("replicas of 1-100-1, 80 samples", "replicas", [1, 4, 16, 64], "widths=1,100,1 count=%d",
          lambda r: max(20, 2000 // r)),
    curve("sequence length of the decoder of P13", "train", [9, 18, 36], "adamw=1 rate=1e-4 " +
          DECODER.replace("length=9", "length=%d"), lambda n: 1),
]

# Who has no part in a curve: replicas at once are not PyTorch's.
ABSENT = {"replicas": "torch"}
