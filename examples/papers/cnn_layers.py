# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Li, Xu, "Understanding the initial condensation of convolutional neural networks", arXiv 2305.09947,
continued: networks as they are used, on 500 images; handwritten digits of 8 x 8 in place of CIFAR-10.

Convolution, two fully connected layers, Adam, all weights N(0, ε²): shown while accuracy is below 20 %, for several
activations and losses. And with C classes and softmax: f of cnn.py has an output per class, (onehot - 1/C) takes
the place of y, and v₁ is the first right singular vector of the C matrices Z, one below the other. At the end of
training: three convolutions of 16 channels (paper: 32, 5 x 5) and a fully connected layer, softmax, 300 images; a
kernel is a slice per input and output channel."""
import numpy as np

import dyn
import reproduction
from cnn import KERNELS, kernels

CLASSES = 10
images, DIGITS = dyn.data.digits(one_hot=False)
X, DIGITS = images[:500].reshape(-1, 8, 8, 1), DIGITS[:500].astype(int)
ONE_HOT = np.eye(CLASSES)[DIGITS]
RELU = "it has no multiplicity: beside the large groups a few kernels each keep a line of their own"
CASES = [("tanh", "mse"), ("sigmoid", "cross_entropy"), ("relu", "mse")]


def early(activation, loss, seed, epsilon=1e-4):
    """(measurement of the kernels at the last tenth step with an accuracy below .2, accuracy after 150 steps)."""
    net = dyn.cnn((8, 8, 1), [KERNELS], [64], outputs=CLASSES, activation=activation, init=dyn.init.normal(epsilon),
                  seed=seed)
    seen = []

    def look(state):
        seen.append((np.mean(net(state.theta, X).argmax(1) == DIGITS), kernels(net, state.theta)))
    run = dyn.Run(net, X, ONE_HOT if loss == "mse" else DIGITS, loss, dyn.Adam(1e-3), dtype="float32")
    run.measure(look, name="look", every=10)
    run.train(150, progress=False)
    low = [w for accuracy, w in seen if accuracy < .2]
    return dyn.CondensationResult(low[-1], join_opposite=True), seen[-1][0]


def initial(report):
    """Cosines between the kernels of one layer while accuracy is below 20 %: activations and losses"""
    axes = report.figure("initial", 1, len(CASES), width=2.6)
    for ax, (activation, loss) in zip(axes, CASES):
        name = "%s, %s" % (activation, {"mse": "squares", "cross_entropy": "cross-entropy"}[loss])
        found, learned = zip(*(early(activation, loss, seed) for seed in report.seeds))
        dyn.plots.cosines(ax, found[0]).axes.set(title=name, xlabel="")
        report.claim("share of kernels in three lines below 20 %% accuracy, %s" % name,
                     [f.sizes[:3].sum() / KERNELS for f in found], least=.9, reason=RELU * (activation == "relu"))
        report.claim("accuracy after 150 steps, %s: it learns" % name, learned, least=.3)


def stacked(x, one_hot):
    """Z of all classes [classes · 36, 10]."""
    patches = np.lib.stride_tricks.sliding_window_view(x[..., 0], (3, 3), (1, 2)).reshape(len(x), 36, 9)
    patches = np.concatenate([patches, np.ones((len(x), 36, 1))], 2)
    return np.einsum("ic,ipk->cpk", one_hot - 1 / one_hot.shape[1], patches).reshape(-1, 10) / len(x)


def softmax(report):
    """Softmax, digits 0 to 3: cosines between kernels for ever smaller starts, where the loss has fallen by 2 %"""
    few, sizes, ratio = DIGITS < 4, [1e-2, 1e-5, 1e-8], []
    x, y = X[few], DIGITS[few]
    axes = report.figure("softmax", 1, len(sizes), width=2.6)
    _, gaps, directions = np.linalg.svd(stacked(x, ONE_HOT[few, :4]))
    for ax, epsilon in zip(axes, sizes):
        row = []
        for seed in report.seeds[:report.size(1, 3)]:
            net = dyn.cnn((8, 8, 1), [KERNELS], outputs=4, padding="valid", activation="tanh",
                          init=dyn.init.normal(epsilon), seed=seed)
            loss = dyn.Objective(net, x, y, loss="cross_entropy")
            end = dyn.flow(loss, theta=net.initial(), stop_loss=.98 * loss.value(net.initial()), rtol=1e-5)
            row.append(dyn.CondensationResult(kernels(net, end.theta), join_opposite=True))
        dyn.plots.cosines(ax, row[0]).axes.set(title="ε = %g" % epsilon, xlabel="")
        ratio.append([found.alignment(directions[0]).ratio for found in row])
    ratio = np.array(ratio)
    report.claim("softmax: gap σ₁/σ₂ of Z, which the theorem needs above 1", gaps[0] / gaps[1], least=1.05)
    report.claim("softmax: ratio rises as ε falls, least step", np.diff(ratio.mean(1)).min(), least=0)
    report.claim("softmax: ratio, ε = 1e-2", ratio[0], most=.9)
    report.claim("softmax: ratio before the loss falls by 10 %, ε = 1e-8", ratio[-1], least=.95)


def final(report):
    """Cosines between all kernels of each of three layers at 100 % training accuracy"""
    axes, found, accuracy = report.figure("final", 1, 3, width=3), [[], [], []], []
    for seed in report.seeds:
        net = dyn.cnn((8, 8, 1), [16, 16, 16], [32], outputs=CLASSES, activation="tanh", init=dyn.init.normal(1e-3),
                      seed=seed)
        run = dyn.Run(net, X[:300], DIGITS[:300], "cross_entropy", dyn.Adam(2e-4), dtype="float32")
        run.train(600, progress=False)
        accuracy.append(np.mean(net(run.theta, X[:300]).argmax(1) == DIGITS[:300]))
        for layer, (ax, one) in enumerate(zip(axes, found), 1):
            one.append(dyn.CondensationResult(net.views(run.theta)["W%d" % layer].reshape(9, -1).T, threshold=.9))
            if seed == report.seeds[0]:
                dyn.plots.cosines(ax, one[0]).axes.set(title="layer %d, %d kernels" % (layer, len(one[0].features)),
                                                       xlabel="")
    report.claim("training accuracy at the end", accuracy, least=.99)
    for layer, (one, blocks) in enumerate(zip(found, (2, 2, 4)), 1):
        report.claim("share of the kernels of layer %d in %d blocks" % (layer, blocks),
                     [f.sizes[:blocks].sum() / len(f.features) for f in one], least=.9)
    report.claim("share of layer 2 in the larger of two opposite blocks (paper: 512 of 1024)",
                 [f.sizes[0] / 256 for f in found[1]], .5, .1)


if __name__ == "__main__":
    reproduction.main("2305.09947", "Kernels of networks as they are used", [initial, softmax], long=[final])
