# SPDX-License-Identifier: BSD-3-Clause
"""Xu, Zhang, Zhou, "An overview of condensation phenomenon in deep learning", arXiv 2504.09484, and the authors' notes
on the embedding principle: where a wide network rests, a narrow one has a critical point.

The target and the networks of four_relu.py. Where the loss rests at that of a critical point of two neurons, networks
of every width compute what the two compute, and have the same effective neurons: per direction (w, b)/|(w, b)| the
sum of a |(w, b)|, without those that are near zero. A start that is smaller still only waits longer, or stays."""
import numpy as np

import dyn
import reproduction
from four_relu import X, Y

SAME = 1 / 40       # decades of loss: a bin of the histograms of four_relu.py


def network(m, std=1e-4, seed=1):
    return dyn.mlp([1, m, 1], "relu", dyn.init.normal(std), seed, output_bias=False)


def effective(net, theta):
    """Angles and signed amplitudes of the effective neurons, by angle; of neurons that are off at all points, none."""
    found = dyn.condensation(net, theta, threshold=.9999, dead=1e-3)
    live = (np.maximum(X[:, None] * found.features[:, 0] + found.features[:, 1], 0) > 0).any(0)
    signed = np.where(live, np.sign(found.output_weights[:, 0]) * found.amplitudes, 0)
    sums = np.array([signed[found.assignment == k].sum() for k in range(len(found.sizes))])
    keep = np.abs(sums) > .01 * np.abs(sums).sum()
    angles = np.arctan2(found.directions[keep, 1], found.directions[keep, 0])
    return angles[np.argsort(angles)], sums[keep][np.argsort(angles)]


def narrow():
    """(loss, outputs, angles, amplitudes) of the minimum at which two neurons end from small starts; one has its kink
    at a sample, where the loss has no gradient, so that it is found by descent."""
    net = network(2)
    runs = dyn.Replicas(net, X, Y, optimizer=dyn.GD(.1), count=12, steps=100_000).train(progress=False)
    end = runs[int(np.argmin(runs.loss))]
    return end.history["loss"][-1], net(end.theta, X)[:, 0], *effective(net, end.theta)


def resting(net, trials, steps, level):
    """(runs, [(number of a run, middle of its plateau at that loss)])."""
    runs = dyn.Replicas(net, X, Y, optimizer=dyn.GD(.1), count=trials, steps=steps).train(progress=False)
    at = []
    for i, run in enumerate(runs):
        found = dyn.plateaus(run, change=.005, length=1.2)
        middles = (found.starts + found.ends) // 2
        away = np.abs(np.log10(run.history["loss"][middles] / level))
        if len(away) and away.min() < SAME / 5:
            at.append((i, int(middles[away.argmin()])))
    return runs, at


def two_neurons(report):
    """Where wide networks rest at the loss of two neurons (dashed): loss, outputs there, and effective neurons"""
    widths = report.size([2, 4, 15, 100], [2, 3, 4, 6, 8, 15, 30, 60, 100, 200])
    level, outputs, angles, amplitudes = narrow()
    axes = report.figure("two_neurons", 1, 3)
    share, apart, turned, summed, agree = [], [], [], [], []
    for k, m in enumerate(widths):
        net = network(m)
        runs, at = resting(net, report.size(12, 100), 30000, level)
        share.append(len(at) / len(runs))
        for number, (i, step) in enumerate(at):
            run = dyn.Run(net, X, Y, optimizer=dyn.GD(.1), theta=net.initial(net.seed + i), record_every=10).train(step)
            found, sums = effective(net, run.theta)
            apart.append(np.abs(run.predict()[:, 0] - outputs).max())
            agree.append(len(found) == len(angles))
            if agree[-1]:
                turned.append(np.abs(found - angles).max())
                summed.append(np.abs(sums - amplitudes).max())
            if number == 0:
                colour = reproduction.pyplot.colormaps["viridis"](k / len(widths))
                history = runs[i].history
                axes[0].loglog(history["step"][1:], history["loss"][1:], color=colour, label="m = %d" % m)
                axes[1].plot(X, run.predict(), color=colour)
                axes[2].plot(found, sums, "o", color=colour, fillstyle="none", markersize=3 + 2 * k)
    axes[0].axhline(level, color="k", linestyle="--", linewidth=.8)
    axes[0].legend(fontsize="xx-small")
    axes[0].set(xlabel="step", ylabel="loss")
    axes[1].plot(X, Y, "k.", markersize=4)
    axes[1].set(xlabel="x", ylabel="output at the plateau")
    axes[2].set(xlabel="angle", ylabel="summed amplitude", xlim=(-np.pi, np.pi + .2), ylim=(-.3, 1))
    report.claim("least share of trials of a width that rest at the loss of two neurons", min(share), least=.01)
    report.claim("largest distance of the outputs there from those of two neurons", max(apart), most=.05)
    report.claim("share of these trials with two effective neurons", np.mean(agree), least=.95)
    report.claim("largest difference of their angles, radian", max(turned), most=.05)
    report.claim("largest difference of their amplitudes", max(summed), most=.05)


def tiny_start(report):
    """Loss from starts of std 1e-4 and 1e-8: the smaller waits longer at each saddle, and may stay at one"""
    ax, epochs, last = report.figure("tiny_start"), {}, {}
    seeds = range(1, 6)
    for std, colour in ((1e-4, reproduction.style.BLUE), (1e-8, reproduction.style.ORANGE)):
        runs = [dyn.Run(network(100, std, seed), X, Y, optimizer=dyn.GD(.1), record_every=10).train(
            report.size(100_000, 1_000_000), progress=False) for seed in seeds]
        for run in runs:
            ax.loglog(run.history["step"][1:], run.history["loss"][1:], color=colour, linewidth=.8)
        ax.plot([], [], color=colour, label="std %g" % std)
        epochs[std] = [run.history["step"][np.argmax(run.history["loss"] < 1e-3)] for run in runs]
        last[std] = [run.history["loss"][-1] for run in runs]
    ax.set(xlabel="epoch", ylabel="loss")
    ax.legend()
    ratio = np.divide(epochs[1e-8], epochs[1e-4])
    report.claim("epochs to a loss of 1e-3, std 1e-8 over 1e-4: later for every seed, least", ratio.min(), least=1.5)
    report.claim("the same, mean (foretold: about 10)", ratio, 10, 5,
                 reason="from a start of size s a saddle is left after a time of ln 1/s: twice as late, not ten times")
    report.claim("log10 of the loss at the end, std 1e-8 less std 1e-4: stuck higher up",
                 np.median(np.log10(last[1e-8])) - np.median(np.log10(last[1e-4])), least=0)


if __name__ == "__main__":
    reproduction.main("2504.09484", "Plateaus of narrow networks", [two_neurons, tiny_start])
