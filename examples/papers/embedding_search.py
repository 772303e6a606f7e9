# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Embedding principle of loss landscape of deep neural networks" (arXiv 2105.14573), "Embedding
principle: a hierarchical structure of loss landscape of deep neural networks" (2111.15527), continued.

The critical points of wide networks are to a great part those of narrow ones: a search from many starts finds few
classes, each in networks of its own width and, embedded, in all wider ones, with a zero eigenvalue for every neuron
more. Where a network of 400 neurons rests, one neuron for each group of parallel ones does the same: here on 1000
digits of 8 × 8, as MNIST in the paper (58 groups, outputs agree on 98.5 % of other images)."""
import numpy as np

import dyn
import reproduction
from embedding_width import X, look


def steps(shift):
    """The staircase -3, -1, 1, 3."""
    return np.tanh(X - shift) + np.tanh(X) + np.tanh(X + shift)


def found(m, y, trials):
    """Finite critical points of the loss that searches end at: {loss: theta}; those of rarely met ones, under 2 %, out.
    Where a weight grows beyond 10 the neuron steps between two samples: no point but a limit; so is a flat one."""
    net, ends = dyn.mlp([1, m, 1]), {}
    for seed in range(trials):
        theta = m**-1.5 * np.random.default_rng(seed).normal(size=net.size)
        near = dyn.minimise(net, X, y, theta=theta, gradient_tolerance=1e-7, max_evaluations=20000)
        end = dyn.minimise(net, X, y, theta=near.theta, method=dyn.NewtonCG(), gradient_tolerance=1e-13)
        flat = dyn.inertia(dyn.Objective(net, X, y).hessian(end.theta), 1e-10).zero
        if end.gradient_norm < 1e-10 and abs(net.views(end.theta)["W1"]).max() < 10 and not flat:
            ends.setdefault(round(end.loss, 4), []).append(end.theta)
    return net, {loss: all_[0] for loss, all_ in sorted(ends.items()) if len(all_) >= .02 * trials}


def classes(report):
    """Critical points of one, two and three neurons on the staircase: functions, eigenvalues of all in a net of 3"""
    trials, y, axes = report.size(60, 200), steps(6), report.figure("classes", 1, 2)
    grid, most = np.linspace(-15, 15, 600), 3
    axes[0].plot(X, y, "k.", markersize=3)
    for m, count in ((1, 1), (2, 2), (3, 1)):
        net, ends = found(m, y, trials)
        report.claim("classes of critical points of width %d" % m, len(ends), count, 0)
        for loss, theta in ends.items():
            wide, inside = net, theta
            for _ in range(most - m):
                wide, inside = dyn.split(wide, inside, 1, 0)
            seen = look(wide, inside, X, y)
            report.claim("width %d, loss %.4f: zero eigenvalues in a network of %d" % (m, loss, most), seen[2].zero,
                         most - m, 0)
            report.claim("the same: gradient norm there", seen[1], most=1e-10)
            axes[0].plot(grid, net(theta, grid)[:, 0], label="width %d, loss %.4f" % (m, loss))
            axes[1].semilogy(np.sort(abs(seen[2].values))[::-1] + 1e-18, "o-", markersize=3)
    axes[0].set(xlabel="x", ylabel="f(x)")
    axes[0].legend(fontsize=6)
    axes[1].set(xlabel="eigenvalue", ylabel="|λ| in a network of 3")
    for m, expected in ((1, .109), (2, .065)):
        report.claim("staircase of steps at 7: best loss of width %d" % m, min(found(m, steps(7), 20)[1]), expected,
                     .001)


def reduction(report):
    """400 ReLU neurons on 1000 digits from a tiny start: loss, and that of the reduced network from each plateau on"""
    x, y = dyn.data.digits()
    count, m, ax = 1000, 400, report.figure("reduction", width=3.8)
    groups, away, agree = [], [], []
    for seed in report.size((1,), report.seeds):
        order = np.random.default_rng(seed).permutation(len(x))
        few, rest = order[:count], order[count:]
        net = dyn.mlp([64, m, 10], "relu", init=dyn.init.normal(m**-3.0), seed=seed)
        run = dyn.Run(net, x[few], y[few], optimizer=dyn.Adam(3e-4), record_every=5)
        run.measure(lambda state: state.theta, name="theta", every=5)
        run.measure(lambda state: np.linalg.norm(state.gradient), name="gradient", every=5)
        run.train(report.size(220, 400))
        g, t, loss = run["gradient"].values, run["gradient"].steps, run.history["loss"]
        flat = np.flatnonzero((g[1:-1] < g[:-2]) & (g[1:-1] <= g[2:])) + 1
        at = flat[np.argmin(abs(loss[flat] - .65))]             # the plateau at which classes are told apart
        theta = run["theta"].values[at]
        narrow, small = dyn.merge_neurons(net, theta, 1, .9)
        groups.append(len(narrow.views(small)["b1"]))
        agree.append(np.mean(narrow(small, x[rest]).argmax(1) == net(theta, x[rest]).argmax(1)))
        further = dyn.Run(narrow, x[few], y[few], optimizer=dyn.Adam(3e-4), theta=small, record_every=5).train(20)
        away.append(abs(further.history["loss"] / loss[at:at + 5] - 1)[[0, -1]])
        ax.semilogy(t, loss, color="C%d" % seed, label="400 neurons" if seed == 1 else None)
        ax.plot(t[at] + further.history["step"], further.history["loss"], "k--", label="reduced" if seed == 1 else None)
        ax.plot(t[at], loss[at], "ko", markersize=4)
    report.claim("groups of neurons at the plateau, of 400", groups, least=10, most=100)
    for k, text in enumerate(("there", "20 steps on")):
        report.claim("loss of the reduced network over that of the whole, less 1, %s" % text, [a[k] for a in away],
                     most=(.02, .1)[k])
    report.claim("share of other digits on which both agree", agree, .985, .03)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2105.14573, 2111.15527", "Embedding principle: what training meets", [classes, reduction])
