# SPDX-License-Identifier: BSD-3-Clause
"""Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability" (arXiv 2103.00065)
and "Adaptive gradient methods at the edge of stability" (2207.14484), continued: networks of practice, small.

Digits, a CNN and the transformer of anchor functions by four optimisers: the largest eigenvalue of the preconditioned
Hessian over the optimiser's threshold. With cross-entropy it falls at the end, where the loss is near 0. The quick form
has the digits alone."""
import numpy as np

import dyn
import reproduction


def anchors(n, length=6):
    """Sequences in which the token after a 3 is the answer."""
    random = np.random.default_rng(0)
    tokens = random.integers(20, 60, (n, length))
    place, rows = random.integers(0, length - 1, n), np.arange(n)
    tokens[rows, place] = 3
    return tokens, tokens[rows, place + 1]


def tasks():
    """Name, network, data, loss, rates of gradient descent, heavy ball, Adam, RMSprop."""
    x, y = dyn.data.digits()
    x, y = x[:200], y[:200]
    yield "digits", dyn.mlp([64, 20, 10], seed=1), x, y, "mse", (.1, .15, 1e-2, 1e-3)
    yield ("CNN", dyn.cnn((8, 8, 1), channels=[4, 0, 8], outputs=10, activation="tanh", seed=1),
           x.reshape(-1, 8, 8, 1), y, "mse", (.1, .1, 5e-3, 1e-3))
    yield ("anchor functions", dyn.transformer(60, 6, layers=2, width=16, key_width=8, hidden=16, seed=1),
           *anchors(150), "cross_entropy", (.2, .3, 3e-3, 1e-3))


def networks(report):
    """Four optimisers on digits, a CNN and a transformer: λ_max and λ_grad over the threshold, loss"""
    steps = report.size(600, 1500)
    axes = report.figure("networks", 3, report.size(1, 3), squeeze=False)
    rules = {"GD": dyn.GD, "heavy ball": dyn.HeavyBall, "Adam": dyn.Adam,
             "RMSprop": lambda rate: dyn.RMSprop(rate, .99)}
    chosen = list(tasks())[:report.size(1, 3)]
    for column, (task, net, x, y, loss, rates) in zip(axes.T, chosen):
        for (name, rule), rate in zip(rules.items(), rates):
            run = dyn.Run(net, x, y, loss, rule(rate))
            run.measure(dyn.Sharpness(tolerance=1e-2, search=False, raw=False), every=10)
            found = run.train(steps)["sharpness"]
            edge = found.values[:, 0] / found.threshold
            if loss == "mse":
                report.claim("%s, %s: mean of λ_max / threshold over the last third" % (task, name),
                             edge[2 * len(edge) // 3:].mean(), 1.0, .2)
            elif name in ("GD", "RMSprop"):
                report.claim("%s, %s: largest λ_max / threshold after 50 steps" % (task, name), edge[5:].max(),
                             least=.95)
                report.claim("%s, %s: λ_max / threshold at the end, cross-entropy near 0" % (task, name), edge[-1],
                             most=.7)
            column[0].plot(found.steps, edge, label=name, linewidth=.8)
            column[1].plot(found.steps, found.directional / found.threshold, linewidth=.8)
            column[2].semilogy(run.history["loss"], linewidth=.8)
        column[0].set(title=task, ylim=(0, 1.6))
        column[1].set_ylim(0, 1.6)
        column[2].set_xlabel("step")
    for ax, label in zip(axes[:, 0], ("λ_max / threshold", "λ_grad / threshold", "loss")):
        ax.set_ylabel(label)
    axes[0, 0].legend()


if __name__ == "__main__":
    reproduction.main("2103.00065, 2207.14484", "Edge of stability of networks", [networks])
