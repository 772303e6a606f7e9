# SPDX-License-Identifier: BSD-3-Clause
"""Bai et al., "Embedding principle in depth for the loss landscape analysis of deep neural networks", arXiv
2205.13283.

A critical point of a shallow network lifts to a manifold of critical points of a deeper one, in which the extra layer
is affine on the samples (critical lifting): loss, gradient, and the numbers of negative and positive eigenvalues of
the Hessian stay, what is added are zeros. Layers that have become affine can be merged away. Here: a ReLU fit of sin
3x + .3x² on eight points."""
import numpy as np

import dyn
import reproduction
from embedding_width import critical, look


def depth(report):
    """A ReLU fit of eight points lifted to deeper networks, and merged back"""
    x = np.linspace(-1, 1, 8)[:, None]
    y = np.sin(3 * x) + .3 * x**2
    net = dyn.mlp([1, 2, 1], "relu")
    end = critical(net, x, y, 1e-14)
    loss, slope, before = look(net, end.theta, x, y)
    report.claim("gradient norm of the fit", slope, most=1e-12)
    for h, added in ((3, 10), (2, 6)):
        found = [(deep, theta, look(deep, theta, x, y))
                 for deep, theta in (dyn.deepen(net, end.theta, 2, h, x, seed=seed) for seed in report.seeds)]
        report.claim("1-2-%d-1: change of the loss" % h, [abs(seen[0] - loss) for *_, seen in found], most=1e-12)
        report.claim("1-2-%d-1: gradient norm" % h, [seen[1] for *_, seen in found], most=1e-11)
        report.claim("1-2-%d-1: zero eigenvalues added" % h, [s.zero - before.zero for *_, (_, _, s) in found],
                     added, 0)
        report.claim("1-2-%d-1: negative and positive eigenvalues changed" % h,
                     [abs(s.negative - before.negative) + abs(s.positive - before.positive)
                      for *_, (_, _, s) in found], 0, 0)
        deep, theta, _ = found[0]
        report.claim("1-2-%d-1: smallest linearity of a neuron of the layer" % h,
                     dyn.linearity(deep, theta, x, 2).min(), least=1 - 1e-12)
        shallow, merged = dyn.merge_layer(deep, theta, x, 2)
        report.claim("merged back: largest difference of outputs", abs(shallow(merged, x) - net(end.theta, x)).max(),
                     most=1e-11)


def larger(report):
    """Manifolds of lifts shrink with the samples: a lift for more of them is one for fewer, not the other way round"""
    few, more = np.linspace(-1, 1, 8)[:, None], np.linspace(-4, 4, 33)[:, None]
    net = dyn.mlp([1, 2, 1], "relu")
    y = np.sin(3 * few) + .3 * few**2
    end = critical(net, few, y, 1e-14)
    inside, slopes, outside = [], [], []
    for seed in report.seeds:
        for h in (2, 3):
            deep, theta = dyn.deepen(net, end.theta, 2, h, more, seed=seed)
            inside.append(abs(deep(theta, few) - net(end.theta, few)).max())
            slopes.append(look(deep, theta, few, y)[1])
            deep, theta = dyn.deepen(net, end.theta, 2, h, few, seed=seed)
            outside.append(abs(deep(theta, more) - net(end.theta, more)).max())
    report.claim("lifts for 33 samples: largest change of outputs on 8", inside, most=1e-11)
    report.claim("the same: gradient norm on 8", slopes, most=1e-10)
    report.claim("lifts for 8 samples: largest change of outputs on 33", outside, least=.1)


def bent(t, x):
    """Σ_j |a_j| max |h_j - its straight line in z_j|: by how much the outputs change at most without layer 2."""
    z = np.tanh(x @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    off = [abs(np.tanh(v) - np.polyval(np.polyfit(v, np.tanh(v), 1), v)).max() for v in z.T]
    return float(np.abs(t["W3"][:, 0]) @ off)


def linearisation(report):
    """Two hidden tanh layers from a small start: smallest linearity of a neuron of the second along the training"""
    x = np.linspace(-1, 1, 30)[:, None]
    y = np.sin(3 * x)
    ax = report.figure("linearisation", width=3.8)
    smallest, apart = [], []
    for seed in report.seeds:
        net = dyn.mlp([1, 30, 30, 1], init=dyn.init.normal(.05), seed=seed)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(1e-3))
        run.measure(lambda state: dyn.linearity(net, state.theta, x, 2).min(), name="linear", every=10)
        run.measure(lambda state: state.theta, name="theta", at=[100])
        found = run.train(report.size(600, 3000))["linear"]
        smallest.append(found.values[found.steps == 100][0])
        theta = run["theta"].values[0]
        shallow, merged = dyn.merge_layer(net, theta, x, 2)
        apart.append(abs(shallow(merged, x) - net(theta, x)).max() / bent(net.views(theta), x))
        ax.plot(found.steps, found.values)
    report.claim("step 100: smallest linearity of a neuron of layer 2", smallest, least=.99)
    report.claim("step 100: change of outputs without layer 2 over Σ |a_j| · (distance of neuron j from a line)", apart,
                 most=1)
    ax.set(xlabel="step", ylabel="smallest linearity")


if __name__ == "__main__":
    reproduction.main("2205.13283", "Embedding principle in depth", [depth, larger, linearisation])
