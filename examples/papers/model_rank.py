# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Linear stability hypothesis and rank stratification" (arXiv 2211.11623), "Optimistic estimate"
(2307.08921), "Local linear recovery guarantee" (2406.18035): the tables.

The model rank of a function is the least dimension of span ∂f/∂θ over the parameters that express it, the number of
samples from which on it is linearly stable: 2rd - r² entries of a d × d matrix of rank r; k(d + 1) samples of k tanh
neurons of d inputs; k(s² + (d + 1 - s)²) of k convolution kernels s × s. That is the rank of the Jacobian at the
samples."""
import numpy as np

import dyn
import reproduction

SEQUENCES = {"31 43 21 13 24 41 11 12 42 44 32 34 33 22 23 14": 8,
             "34 21 23 43 41 44 11 33 12 14 13 24 32 22 31 42": 9,
             "24 33 31 44 43 34 13 14 23 33 11 12 42 22 21 41": 12,
             "44 23 42 12 14 32 41 31 11 34 13 22 24 21 33 43": 11}
#: as printed, (3, 3) stands twice in the third, which gives 12; with (3, 2) for the second it is the 10 that was meant


def factors(M):
    """theta of A B = M with A, B of its rank."""
    u, s, v = np.linalg.svd(M)
    s = np.where(s > 1e-12 * s[0], s, 0)
    return np.concatenate([(u * np.sqrt(s)).ravel(), (np.sqrt(s)[:, None] * v).ravel()])


def ranks(report):
    """Model ranks by the Jacobian, and n_t of designed sequences of entries"""
    product, order = dyn.factorisation([4, 4, 4]), dyn.data.observed(4, 4, "connected")
    for name, expected in (("M1", 7), ("M2", 7), ("M3", 12), ("M4", 12), ("M6", 15), ("M7", 16), ("M8", 16)):
        J = dyn.jacobian(product, np.arange(16), theta=factors(dyn.data.matrix(name)))
        found = dyn.recovery.samples_needed(J[order], J)
        report.claim("%s: model rank; samples needed in connected order" % name, found, expected, 0)
    J = dyn.jacobian(product, np.arange(16), theta=factors(dyn.data.matrix("M5")))
    report.claim("M5, said to be of rank 3: model rank", dyn.matrix_rank(J[:, 0]).rank, 15, 0,
                 reason="M5 is printed identical to M3, a matrix of rank 2")
    J = dyn.jacobian(product, np.arange(16), theta=factors(dyn.data.matrix("M2")))
    for i, (text, expected) in enumerate(SEQUENCES.items()):
        at = [4 * (int(e[0]) - 1) + int(e[1]) - 1 for e in text.split()]
        report.claim("M2, sequence %d: n_t" % (i + 1), dyn.recovery.samples_needed(J[at], J).needed, expected, 0)
        report.claim("sequence %d: slack of the tangent plane at n_t, at n_t - 1" % (i + 1),
                     dyn.recovery.slack(J[at[:expected]], J) < 1e-12 < dyn.recovery.slack(J[at[:expected - 1]], J),
                     least=1)
    for d, k, bias in ((1, 1, False), (3, 2, False), (5, 1, True), (2, 3, True)):
        report.claim("%d tanh neurons of %d inputs%s in a wider net" % (k, d, ", biases" if bias else ""),
                     [neurons(d, k, bias, seed) for seed in report.seeds], k * (d + 1 + bias), 0)
    sparse = dyn.diagonal(10, difference=True)
    report.claim("diagonal network, 3 of 10 inputs: rank", dyn.model_rank(sparse, np.eye(20)[[0, 3, 15]].sum(0)).rank,
                 3, 0)
    for name, build, expected in (("convolution", convolution, 7), ("without sharing", local, 15),
                                  ("fully connected", full, 21)):
        for kernels in (1, 3, 10):
            net, theta = build(kernels)
            report.claim("d = 5, s = 3 target, %d kernels: %s" % (kernels, name),
                         dyn.model_rank(net, theta, probe_std=2).rank, expected, 0)
    net = dyn.cnn((28, 28, 1), [2], kernel=3, padding="valid", activation="tanh", bias=False)
    theta = net.initial(1)
    theta[net.index("W1").reshape(3, 3, 1, 2)[..., 1].ravel()] = 0
    theta[net.index("W2").reshape(676, 2)[:, 1]] = 0
    if not report.quick:
        report.claim("one 3 × 3 kernel on 28 × 28 in a net of two", dyn.model_rank(net, theta).rank, 685, 0)


def neurons(d, k, bias, seed):
    """Model rank of k random neurons in a network of k + 2."""
    net, R = dyn.mlp([d, k + 2, 1], bias=bias, output_bias=False), np.random.default_rng(seed)
    views = net.views(np.zeros(net.size))
    for name, t in views.items():
        part = t[:k] if name != "W1" else t[:, :k]
        part[...] = R.normal(size=part.shape) + (name == "W2") * 2
    return dyn.model_rank(net, net.theta(views), probe_std=4).rank


def convolution(kernels):
    """1-D convolution of three weights and a bias per kernel; the target in its first kernel."""
    def build(g, x):
        w, b, a = g.parameter("W1", (3, kernels)), g.parameter("b1", (kernels,)), g.parameter("W2", (kernels, 3))
        parts = [dyn.tanh(x[:, i:i + 3] @ w + b) @ a[:, i:i + 1] for i in range(3)]
        return parts[0] + parts[1] + parts[2]
    net = dyn.Model.from_function(build, (5,))
    views = net.views(np.zeros(net.size))
    views["W1"][:, 0] = .6, .8, 1
    views["W2"][0] = 1
    return net, net.theta(views)


def local(kernels):
    """The same with weights and biases of their own at each of the three places."""
    def build(g, x):
        parts = [dyn.tanh(x[:, i:i + 3] @ g.parameter("W1%d" % i, (3, kernels)) + g.parameter("b1%d" % i, (kernels,)))
                 @ g.parameter("W2%d" % i, (kernels, 1)) for i in range(3)]
        return parts[0] + parts[1] + parts[2]
    net = dyn.Model.from_function(build, (5,))
    views = net.views(np.zeros(net.size))
    for i in range(3):
        views["W1%d" % i][:, 0] = .6, .8, 1
        views["W2%d" % i][0] = 1
    return net, net.theta(views)


def full(kernels):
    net = dyn.mlp([5, 3 * kernels, 1], output_bias=False)
    views = net.views(np.zeros(net.size))
    for i in range(3):
        views["W1"][i:i + 3, i] = .6, .8, 1
        views["W2"][i] = 1
    return net, net.theta(views)


if __name__ == "__main__":
    reproduction.main("2211.11623, 2307.08921, 2406.18035", "Model rank", [ranks])
