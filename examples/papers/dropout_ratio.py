# SPDX-License-Identifier: BSD-3-Clause
"""Zhang, Xu, "Implicit regularization of dropout", arXiv 2207.05952: the effective ratio of convolutions, the number of
unit vectors of which one is within a cosine of .95 of every kernel, over the number of kernels.

The paper: ResNet-18 on CIFAR-10, keep .5 behind the last activation of each block; the ratio falls with training, and
further with dropout (conv2-1: .955, .851 without, .682 with; conv3-1: .832, .755, .674). Here three convolutions of
16, 32, 32 channels on handwritten digits of 8 x 8, dropout behind each of the last two, Adam 1e-3, batches of 100,
Kaiming's start; a kernel is a slice of 3 x 3 per input and output channel."""
import numpy as np

import dyn
import reproduction

images, DIGITS = dyn.data.digits(one_hot=False)
X, DIGITS = images.reshape(-1, 8, 8, 1)[:1000], DIGITS.astype(int)[:1000]
CHANNELS = (1, 16, 32, 32)


def network(drop, seed):
    def build(g, x):
        for layer, (inputs, outputs) in enumerate(zip(CHANNELS, CHANNELS[1:]), 1):
            w = g.parameter("W%d" % layer, (3, 3, inputs, outputs))
            x = dyn.relu(dyn.conv2d(x, w, padding="same"))
            x = dyn.dropout(x, drop) if drop and layer > 1 else x
        return x.mean((1, 2)) @ g.parameter("W4", (CHANNELS[-1], 10)) + g.parameter("b4", (10,))
    return dyn.Model.from_function(build, (8, 8, 1), dyn.init.he(), seed)


def ratio(net, theta, layer):
    return dyn.CondensationResult(net.views(theta)["W%d" % layer].reshape(9, -1).T, threshold=.95).cover()[1]


def convolutions(report):
    """Effective ratio of the second and third convolution along training, with dropout and without"""
    steps, ends = report.size(300, 500), {}
    axes = report.figure("convolutions", 1, 2)
    for drop, name, colour in ((0.0, "keep 1", reproduction.style.BLUE), (.5, "keep .5", reproduction.style.ORANGE)):
        for seed in report.seeds[:report.size(1, 3)]:
            net = network(drop, seed)
            run = dyn.Run(net, X, DIGITS, "cross_entropy", dyn.Adam(1e-3), batch=100, dtype="float32", record_every=50)
            run.measure(lambda state: [ratio(net, state.theta, layer) for layer in (2, 3)], name="ratio",
                        every=steps // 10)
            found = run.train(steps, progress=False)["ratio"]
            ends.setdefault(drop, []).append(found.values[[0, -1]])
            for ax, values in zip(axes, found.values.T):
                ax.plot(found.steps, values, color=colour, label=name if seed == report.seeds[0] else None)
    for layer, ax in zip((2, 3), axes):
        ax.set(title="convolution %d" % layer, xlabel="step", ylabel="effective ratio")
        ax.legend()
        plain, dropped = (np.array(ends[drop])[..., layer - 2] for drop in (0.0, .5))
        report.claim("convolution %d: effective ratio, end less start, with dropout" % layer,
                     dropped[:, 1] - dropped[:, 0], most=0)
        report.claim("convolution %d: effective ratio, with dropout less without" % layer, dropped[:, 1] - plain[:, 1],
                     most=0)


if __name__ == "__main__":
    reproduction.main("2207.05952", "Dropout and the effective ratio", [convolutions])
