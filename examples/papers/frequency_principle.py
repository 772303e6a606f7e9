# SPDX-License-Identifier: BSD-3-Clause
"""Xu, Zhang, Xiao, "Training behavior of deep neural network in frequency domain" (arXiv 1807.01251), and later
forms: the frequency principle.

Networks fit low frequencies first. In one dimension by the coefficients F(k) = (1/n) Σ y exp(-ikx) of output and
target; in many by their parts below and above a Gaussian filter: y_low = G y / G 1, G_ij = exp(-|x_i - x_j|² /
(2δ))."""
import numpy as np

import dyn
import reproduction


def spectrum(report):
    """sin x + sin 4x: relative error at both frequencies along the training"""
    x = np.linspace(-10, 10, 61)
    y = np.sin(x) + np.sin(4 * x)
    k, first = np.array([1.0, 4.0]), []
    ax = report.figure("spectrum", width=3.8)
    for seed in report.seeds:
        net = dyn.mlp([1, 200, 200, 200, 100, 1], seed=seed, init=dyn.init.normal(.05))
        run = dyn.Run(net, x, y, dtype="float32", optimizer=dyn.Adam(report.size(2e-4, 2e-5)),
                      stop_loss=3e-3, record_every=1000)
        run.measure(lambda state: dyn.frequency.error(dyn.frequency.transform(x, net(state.theta, x)[:, 0], k),
                                                      dyn.frequency.transform(x, y, k)), name="error", every=20)
        found = run.train(report.size(3000, 60000))["error"]
        below_half = [int(np.argmax(found.values[:, i] < .3)) or len(found) for i in range(2)]
        first.append(below_half[1] / max(1, below_half[0]))
    report.claim("steps to an error of .3 at k = 4 over those at k = 1", first, least=2)
    ax.semilogy(found.steps, found.values, label=["k = 1", "k = 4"])
    ax.set(xlabel="step", ylabel="relative error", ylim=(1e-3, 2))
    ax.legend()


def filtering(report):
    """500 digits: relative errors of the low and the high part of the output, by a Gaussian filter of width √δ"""
    below = report.figure("filtering", width=3.8)
    x, y = (a[:500] for a in dyn.data.digits())
    order = []
    for seed in report.seeds:
        net = dyn.mlp([64, 100, 10], seed=seed)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(1e-3))
        run.measure(lambda state: dyn.frequency.relative_errors(x, y, net(state.theta, x), 1.0), name="parts", every=20)
        parts = run.train(400)["parts"]
        order.append((parts.values[1:, 0] < parts.values[1:, 1]).mean())
    report.claim("digits, δ = 1: share of rows with e_low < e_high", order, least=.95)
    below.semilogy(parts.steps, parts.values, label=["e_low", "e_high"])
    below.set(xlabel="step")
    below.legend()


if __name__ == "__main__":
    reproduction.main("1807.01251", "Frequency principle", [spectrum, filtering])
