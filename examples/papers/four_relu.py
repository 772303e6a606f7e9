# SPDX-License-Identifier: BSD-3-Clause
"""Xu, Zhang, Zhou, "An overview of condensation phenomenon in deep learning", arXiv 2504.09484.

f(x) = -σ(x) + σ(2(x + .3)) - σ(1.5(x - .4)) + σ(.5(x - .8)), σ = ReLU, at 20 points of [-1, 1], learned by
h(x) = Σ_k a_k σ(w_k x + b_k) from a small start, N(0, 1e-8), by full-batch gradient descent. Neurons gather in one
orientation, then in more and more, and the loss falls from plateau to plateau: the losses of critical points of narrow
networks, the same for all widths. Beside it a flat-bottomed target from starts of three sizes (the authors' lab)."""
import numpy as np

import dyn
import peers
import reproduction

X = np.linspace(-1, 1, 20)
SNAPSHOTS = [100, 1000, 5000, 10000, 12000, 100000]


def relu(x):
    return np.maximum(x, 0)


Y = -relu(X) + relu(2 * (X + .3)) - relu(1.5 * (X - .4)) + relu(.5 * (X - .8))


def growth(report):
    """Angle of the neurons and log10 |w| as radius at six epochs (grey: never moved); the loss and the function"""
    polar = report.figure("growth", 1, 6, width=2.2, height=2.4, subplot_kw={"projection": "polar"})
    (left, right), counts, losses, plateaus = report.figure("loss", 1, 2), [], [], []
    for seed in report.seeds:
        net = dyn.mlp([1, 100, 1], "relu", dyn.init.normal(1e-4), seed, output_bias=False)
        run = dyn.Run(net, X, Y, optimizer=dyn.GD(.1), record_every=10)
        run.measure(dyn.Condensation(threshold=.98, amplitude="norm", dead=.02), at=SNAPSHOTS)
        run.train(100_000, progress=False)
        counts.append(run["condensation"].effective)
        losses.append(run.history["loss"][-1])
        plateaus.append(len(dyn.plateaus(run, change=.1, length=1.3)))
    start = dyn.condensation(net, net.initial()).features
    for ax, step, found in zip(polar, SNAPSHOTS, run["condensation"]):
        moved = (found.features != start).any(1)
        for which, colour in ((~moved, "#bbbbbb"), (moved, reproduction.style.BLUE)):
            ax.plot(found.orientation()[which], np.log10(found.norms[which]), ".", color=colour, markersize=4)
        ax.set(title="epoch %d" % step, rlim=(-5.5, .5), rticks=[-4, -2, 0], xticks=np.arange(4) * np.pi / 2)
    left.loglog(run.history["step"][1:], run.history["loss"][1:])
    left.set(xlabel="epoch", ylabel="loss")
    right.plot(X, Y, "k.", X, run.predict())
    report.peer("PyTorch", lambda: 3 * peers.torch_seconds([1, 100, 1], "relu", X, Y, "SGD", .1, 100_000))
    counts = np.array(counts)
    for column, low, high in ((0, 1, 1), (1, 1, 2), (2, 3, 4), (5, 5, 5)):
        report.claim("orientations at epoch %d" % SNAPSHOTS[column], counts[:, column], least=low, most=high)
    report.claim("orientations never fall: least step", np.diff(counts).min(1), least=0)
    report.claim("loss at epoch 100000", losses, most=1e-3)
    report.claim("plateaus of the loss", plateaus, least=3)


def one_neuron():
    """(loss, outputs at X) of the critical point of one neuron: the smallest minimum over starts."""
    net = dyn.mlp([1, 1, 1], "relu", dyn.init.normal(1.0), output_bias=False)
    ends = [dyn.minimise(net, X, Y, theta=net.initial(seed), method=dyn.LBFGS()) for seed in range(20)]
    best = min(ends, key=lambda end: end.loss)
    return best.loss, net(best.theta, X)


def levels(report):
    """Steps spent at each loss, by width: plateaus lie at the same heights (dashed: the critical loss of one neuron)"""
    widths = report.size([1, 2, 3, 6, 15, 60], [1, 2, 3, 4, 6, 8, 15, 30, 60, 100, 200, 2000])
    trials = report.size(6, 20)
    critical, outputs = one_neuron()
    axes = report.figure("levels", len(widths), 1, width=4.5, height=.7, sharex=True)
    away, apart, low = [], [], {}
    for ax, m in zip(axes, widths):
        net = dyn.mlp([1, m, 1], "relu", dyn.init.normal(1e-4), 1, output_bias=False)
        runs = dyn.Replicas(net, X, Y, optimizer=dyn.GD(.1), count=trials, steps=report.size(30000, 100000))
        runs.train(progress=False)
        histograms = [dyn.loss_histogram(run) for run in runs]
        counts, edges = sum(c for c, _ in histograms), histograms[0][1]
        ax.fill_between(edges[:-1], counts / counts.sum(), step="post")
        ax.axvline(np.log10(critical), color="k", linestyle="--", linewidth=.7)
        ax.set(ylabel="m = %d" % m, yticks=[])
        for i, run in enumerate(runs):
            if run.history["loss"][-1] > 2 * critical:      # all neurons are dead
                continue
            found = dyn.plateaus(run, change=.02, length=1.3)
            middles = (found.starts + found.ends) // 2
            distances = np.abs(np.log10(run.history["loss"][middles] / critical))
            away.append(distances.min())
            step = int(middles[distances.argmin()])
            again = dyn.Run(net, X, Y, optimizer=dyn.GD(.1), theta=net.initial(net.seed + i)).train(step)
            apart.append(np.abs(again.predict() - outputs).max())
        low[m] = np.mean(runs.loss < 1e-3)
    axes[-1].set(xlabel="log10 of the loss")
    report.peer("PyTorch", lambda: sum(trials * peers.torch_seconds(
        [1, m, 1], "relu", X, Y, "SGD", .1, report.size(30000, 100000)) for m in widths))
    report.claim("|log10(plateau / critical loss of one neuron)|, all widths: bins of 1/40", max(away), most=.025)
    report.claim("largest distance of the output there from that of one neuron", max(apart), most=.05)
    report.claim("share of trials below 1e-3: wide minus narrow", low[widths[-1]] - low[2], least=0)


def sizes(report):
    """Flat-bottomed target from starts of three sizes: amplitude |a||w| against angle, and the function learned"""
    x = np.array([-1, -1 / 3, 1 / 3, 1])
    y = .2 * relu(x - 1 / 3) + .2 * relu(-x - 1 / 3)
    grid = np.linspace(-1, 1, 200)
    axes = report.figure("sizes", 2, 3, height=2.2)
    shares = {.1: [], .5: [], 1: []}
    for column, gamma in enumerate((.1, .5, 1)):
        for seed in report.seeds:
            net = dyn.mlp([1, 1000, 1], "relu", dyn.init.normal(1000**-gamma), seed, output_bias=False)
            end = dyn.minimise(net, x, y, method=dyn.Monotone(1e-4), gradient_tolerance=0, stop_loss=1e-12)
            found = dyn.condensation(net, end.theta)
            close = np.abs(found.orientation()[:, None] - np.arctan2(-1 / 3, [1, -1])).min(1) < .05
            shares[gamma].append(found.amplitudes[close].sum() / found.amplitudes.sum())
        axes[0, column].plot(found.orientation(), found.amplitudes, ".", markersize=3)
        axes[0, column].set(title="std m^-%g" % gamma, xlabel="angle", xlim=(-np.pi, np.pi))
        axes[1, column].plot(grid, net(end.theta, grid), x, y, "ko", markersize=4)
    report.claim("share of amplitude within .05 of -2.82 and -.32, std m^-1", shares[1], least=.9)
    report.claim("share of amplitude within .05 of -2.82 and -.32, std m^-.1", shares[.1], most=.1)


if __name__ == "__main__":
    reproduction.main("2504.09484", "Overview of condensation", [growth, levels, sizes])
