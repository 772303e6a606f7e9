# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Embedding principle of loss landscape of deep neural networks" (arXiv 2105.14573), "Embedding
principle: a hierarchical structure of loss landscape of deep neural networks" (2111.15527).

A critical point of a narrow network is one of every wider one: split a neuron, its output weights as α and 1 - α, or
add null neurons. Outputs and gradients stay, the numbers of negative, zero and positive eigenvalues of the Hessian
never fall, each split adds a zero. Training of wide networks meets them: it stalls at the loss of the best narrow
fits."""
import numpy as np

import dyn
import reproduction

X = np.linspace(-15, 15, 50)
Y = np.tanh(X - 6) + np.tanh(X) + np.tanh(X + 6)


def critical(net, x, y, tolerance):
    """The end of the smallest loss of descents from several starts."""
    ends = []
    for seed in range(12):
        near = dyn.minimise(net, x, y, theta=net.initial(seed), gradient_tolerance=1e-7, max_evaluations=20000)
        end = dyn.minimise(net, x, y, theta=near.theta, method=dyn.NewtonCG(), gradient_tolerance=tolerance)
        if end.gradient_norm < 1e-9:
            ends.append(end)
    return min(ends, key=lambda end: end.loss)


def look(net, theta, x, y):
    """(loss, |∇|, inertia) of a network where it stands."""
    objective = dyn.Objective(net, x, y)
    value, gradient = objective.gradient(theta)
    return value, np.linalg.norm(gradient), dyn.inertia(objective.hessian(theta), 1e-10)


def width(report):
    """Eigenvalues of the Hessian at a best fit of two neurons and at its embeddings: sizes of all, negative ones red"""
    best = {m: critical(dyn.mlp([1, m, 1]), X, Y, 1e-13).loss for m in (1, 2)}
    report.claim("best loss of width 1", best[1], .088, .001)
    report.claim("best loss of width 2", best[2], .048, .001)
    net = dyn.mlp([1, 2, 1], init=dyn.init.normal(1.0))
    start = critical(net, X, Y, 1e-14)
    loss, slope, before = look(net, start.theta, X, Y)
    report.claim("gradient norm at the critical point", slope, most=1e-12)
    zeros, grown, gradients, losses, spectra = [], [], [], [], [before.values]
    for neuron in (0, 1):
        wide, theta, last = net, start.theta, before
        for k in (1, 2):
            wide, theta = dyn.split(wide, theta, 1, neuron, alpha=1 / (k + 1))
            value, slope, found = look(wide, theta, X, Y)
            zeros.append(found.zero - before.zero - k)
            grown.append(min(found.negative - last.negative, found.positive - last.positive))
            losses.append(abs(value - loss))
            gradients.append(slope)
            last = found
            if neuron == 0:
                spectra.append(found.values)
                first = [s.negative for s in (before, found)] if k == 1 else [*first, found.negative]
    report.claim("zero eigenvalues above one per split, both neurons, two splits", np.abs(zeros), 0, 0)
    report.claim("negative or positive eigenvalues lost", np.minimum(grown, 0), 0, 0)
    report.claim("negative eigenvalues with the splits: 0, 1, 2", first == [0, 1, 2], least=1)
    for name, made in (("three null neurons", dyn.null(net, start.theta, 1, 3)),
                       ("a general embedding", dyn.widen(net, start.theta, {1: [0, 0, 1, 1, -1]}, spread=.5))):
        value, slope, found = look(*made, X, Y)
        losses.append(abs(value - loss))
        gradients.append(slope)
        report.claim("%s: eigenvalues lost, negative and positive" % name,
                     min(found.negative - before.negative, found.positive - before.positive), least=0)
    report.claim("largest change of the loss, all embeddings", max(losses), most=1e-14)
    report.claim("largest gradient norm, all embeddings", max(gradients), most=1e-11)
    ax = report.figure("width", width=4)
    for k, values in enumerate(spectra):
        at = np.arange(len(values))
        ax.semilogy(at, np.abs(values[::-1]) + 1e-18, "o-", label="%d splits" % k, markersize=3)
        ax.semilogy(at[values[::-1] < -1e-10 * values[-1]], -values[values < -1e-10 * values[-1]][::-1], "o",
                    color=reproduction.style.RED)
    ax.set(xlabel="eigenvalue", ylabel="|λ|")
    ax.legend()


def training(report):
    """A wide network on steps at -7, 0, 7 from a small start, by descent: losses of the best narrow fits (dashed)"""
    m, steps = report.size((100, 60000), (500, 300000))
    y, ax, stalls = np.tanh(X - 7) + np.tanh(X) + np.tanh(X + 7), report.figure("training", width=4), []
    for seed in report.seeds:
        net = dyn.mlp([1, m, 1], init=dyn.init.normal(m**-1.5), seed=seed)
        history = dyn.Run(net, X, y, optimizer=dyn.GD(.005), record_every=10).train(steps).history
        t, loss = history["step"][1:], history["loss"][1:]
        found = dyn.plateaus(loss, steps=t)
        longest = np.argmax(found.ends / found.starts)
        stalls.append(np.interp(np.sqrt(found.starts[longest] * found.ends[longest]), t, loss))
        ax.loglog(t, loss)
    report.claim("loss in the middle of the longest plateau (over log steps): the best of width 1", stalls, .109, .005)
    for level in (.109, .065):
        ax.axhline(level, color="k", linestyle="--", linewidth=.8)
    ax.set(xlabel="step", ylabel="loss")


if __name__ == "__main__":
    reproduction.main("2105.14573, 2111.15527", "Embedding principle", [width, training])
