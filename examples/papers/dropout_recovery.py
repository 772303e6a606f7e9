# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Local linear recovery guarantee of deep neural networks at overparameterization", arXiv 2406.18035:
the dropout experiment.

tanh(x - 7) + tanh(x) + tanh(x + 7) by 300 tanh neurons: 901 parameters, where 9 samples can be enough. Dropout
condenses the neurons and recovers the target from fewer samples; its noise keeps the test error above about 1e-3."""
import functools

import numpy as np

import dyn
import peers
import reproduction

GRID = np.linspace(-15, 14, 1000)


def target(x):
    return np.tanh(x - 7) + np.tanh(x) + np.tanh(x + 7)


def train(n, dropout, seed, steps):
    """Test error, |cosines| between neurons in the order of their angles, and the function learned, on GRID."""
    x = np.linspace(-15, 14, n)
    net = dyn.mlp([1, 300, 1], dropout=dropout, seed=seed)
    theta = dyn.Run(net, x, target(x), optimizer=dyn.Adam(1e-3), record_every=steps).train(steps).theta
    f = net(theta, GRID)[:, 0]
    found = {"error": np.mean((f - target(GRID))**2), "f": f}
    if n == 9:
        v = net.views(theta)
        angle = np.sort(np.arctan2(v["b1"], v["W1"][0]) % np.pi)
        found["cosines"] = np.abs(np.cos(angle[:, None] - angle))
    return found


def samples(report):
    """Test error against n with and without dropout (10 %); the functions learned from 15 samples"""
    counts, steps = report.size([9, 15], [5, 7, 9, 11, 13, 15, 20, 25, 30, 40, 50]), report.size(20000, 100000)
    ax, below = report.figure("samples", 1, 2)
    swept = report.sweep("samples", functools.partial(train, steps=steps), dropout=[0, .1], n=counts,
                         seed=report.seeds)
    error = {(d, n): np.array([m.results["error"] for m in swept.members(dropout=d, n=n)]) for d in (0, .1)
             for n in counts}
    report.peer("PyTorch", lambda: sum(
        3 * peers.torch_seconds([1, 300, 1], "tanh", x, target(x), "Adam", 1e-3, steps, d)
        for d in (0, .1) for x in (np.linspace(-15, 14, n) for n in counts)))
    for dropout in (0, .1):
        f = swept.members(dropout=dropout, n=15, seed=report.seeds[0])[0].arrays["f"]
        below.plot(GRID, f, label="dropout %g" % dropout)
        ax.semilogy(counts, [error[dropout, n].mean() for n in counts], "o-", label="dropout %g" % dropout)
    for n in (9, 15):
        report.claim("n = %d: test error with dropout over that without" % n, error[.1, n] / error[0, n], most=1)
    maps = {d: [m.arrays["cosines"] for m in swept.members(dropout=d, n=9)] for d in (0, .1)}
    near = {d: np.array([np.mean(c >= .95) for c in found]) for d, found in maps.items()}
    report.claim("n = 9: share of pairs of neurons with |s_ij| ≥ .95, with dropout over without", near[.1] / near[0],
                 least=1)
    for ax_map, (d, found) in zip(report.figure("cosines", 1, 2, height=3.2), maps.items()):
        ax_map.imshow(found[0], vmin=0, vmax=1, cmap="viridis", interpolation="nearest")
        ax_map.set(title="dropout %g, n = 9: |s_ij|" % d, xticks=[], yticks=[])
        ax_map.grid(False)
    if not report.quick:
        report.claim("n = 50: log10 of the test error with dropout", np.log10(error[.1, 50]), -3, .7)
    ax.set(xlabel="samples n", ylabel="test error")
    ax.legend()
    below.plot(GRID, target(GRID), "k--", label="target")
    below.set(xlabel="x")
    below.legend()


def neurons(report):
    """9 samples, without dropout and with: |cosine| between neurons in order, and the amplitude over their angles"""
    steps, axes = report.size(20000, 100000), report.figure("neurons", 2, 2, height=2.6)
    x, share = np.linspace(-15, 14, 9), {}
    for (upper, lower), dropout in zip(axes.T, (0, .1)):
        for seed in report.seeds:
            net = dyn.mlp([1, 300, 1], dropout=dropout, seed=seed)
            run = dyn.Run(net, x, target(x), optimizer=dyn.Adam(1e-3), record_every=steps).train(steps, progress=False)
            found = dyn.condensation(net, run.theta, join_opposite=True)
            share.setdefault(dropout, []).append(found.histogram(64, 4)[1])
        upper.imshow(np.abs(found.cosines()), vmin=0, vmax=1, cmap="Reds")
        upper.set(title="dropout %g" % dropout, xticks=[], yticks=[])
        upper.grid(False)
        lower.plot(found.orientation(), found.amplitudes / found.amplitudes.max(), ".", markersize=3)
        lower.set(xlabel="angle", xlim=(-np.pi, np.pi))
    report.claim("n = 9: share of amplitude on 4 of 64 angles, with dropout less without",
                 np.subtract(share[.1], share[0]), least=.2)


if __name__ == "__main__":
    reproduction.main("2406.18035", "Recovery with dropout", [samples, neurons])
