# SPDX-License-Identifier: BSD-3-Clause
"""Bai, Zhao, Zhang, "Connectivity shapes implicit regularization in matrix factorization models for matrix
completion", arXiv 2405.13721: ranks, one by one.

W = A B from a tiny start goes from one invariant manifold, rank A = rank B = rank [Aᵀ, B] = k, to the next: it rests at
the best fit of rank k, and leaves along one direction, at the rate (2/n) σ_1 of the residual δM of the entries seen.
The target is a 4 × 4 matrix of rank 3 with one entry hidden."""
import numpy as np

import dyn
import reproduction
from completion import complete, product

PLACES = [p for p in range(16) if p != 0]       # hole 0


def seen(places):
    found = np.zeros(16, bool)
    found[places] = True
    return found.reshape(4, 4)


def fitted(M, places, k, tries=5):
    """The least mean squared error of A B of inner dimension k over several starts, and A B."""
    net = dyn.factorisation([4, k, 4])
    ends = [dyn.minimise(net, np.asarray(places), M.ravel()[places], gradient_tolerance=1e-13, max_evaluations=3000,
                         theta=np.random.default_rng(i).normal(size=net.size)) for i in range(tries)]
    best = min(ends, key=lambda end: end.loss)
    return best.loss, product(net, best.theta)


def hierarchy(report):
    """Hole 0 from std 1e-8: gradient, distance from best fits W_k; σ of W, of A (lines), B (dots), [Aᵀ, B] (dashed)"""
    M = dyn.data.matrix("M6") / 10
    fits = [fitted(M, PLACES, k) for k in (1, 2, 3)]
    losses, ranks, close, last, near = [], [], [], [], []
    for seed in report.seeds:
        run = complete(M, PLACES, 1e-8, seed, steps=report.size(60000, 400000), every=20)
        found, fall = run["factors"], run["fall"].values
        g, W = fall[:, 1], fall[:, 2:].reshape(-1, 4, 4)
        away = np.array([np.linalg.norm(W - best, axis=(1, 2)) for _, best in fits])
        flat = np.flatnonzero((g[1:-1] < g[:-2]) & (g[1:-1] <= g[2:]) & (fall[1:-1, 0] > 1e-6)
                              & (fall[1:-1, 0] < .5 * fall[0, 0])) + 1
        losses.append(fall[flat[:2], 0])
        ranks.append([[(v[i] > .05 * v[i, 0]).sum() for v in (found.a, found.b, found.augmented)] for i in flat[:2]])
        close.append(max(abs(found.a[i, :k + 1] / found.b[i, :k + 1] - 1).max() for k, i in enumerate(flat[:2])))
        last.append(found.rank()[-1])
        near.append(away.min(1) / 5)
    for k, expected, tolerance in ((0, .12285, 5e-5), (1, .0197, 3e-4)):
        report.claim("loss on plateau %d" % (k + 1), [loss[k] for loss in losses], expected, tolerance)
        report.claim("rank of A, of B, of [Aᵀ, B] on plateau %d" % (k + 1), [r[k] for r in ranks], k + 1, 0)
    report.claim("best fits of rank 1 and 2: mean squared error", [fits[0][0] - .12285, fits[1][0] - .0197], 0, 3e-4)
    report.claim("least distance from the best fit of rank 1, over |W|", [n[0] for n in near], most=1e-3)
    report.claim("the same, rank 2", [n[1] for n in near], most=.05)
    report.claim("largest |σ(A) / σ(B) - 1| of the values that have grown", close, most=.01)
    report.claim("rank at the end", last, 3, 0)
    axes = report.figure("hierarchy", 1, 3)
    axes[0].semilogy(found.steps, g, "k", label="gradient")
    for k in range(3):
        axes[0].semilogy(found.steps, away[k], color="C%d" % k, label="|W - W_%d|" % (k + 1))
    for k in range(4):
        axes[1].semilogy(found.steps, found.product[:, k], color="C%d" % k, label="σ_%d(W)" % (k + 1))
        axes[2].semilogy(found.steps, found.a[:, k], color="C%d" % k)
        axes[2].semilogy(found.steps[::40], found.b[::40, k], ".", color="C%d" % k)
        axes[2].semilogy(found.steps, found.augmented[:, k] / 2**.5, "--", color="C%d" % k)
    for ax in axes:
        ax.set(xlabel="step", xlim=(0, 15000), xticks=(0, 5000, 10000, 15000), ylim=(1e-9, 20))
    for ax in axes[:2]:
        ax.legend(fontsize=6)


def escape(report):
    """Leaving rank 0 and 1: rows of A and columns of B beyond the rank, two of their coordinates over the largest"""
    M, axes, rate = dyn.data.matrix("M6") / 10, report.figure("escape", 1, 2), .05
    net, steps = dyn.factorisation([4, 4, 4]), report.size(8000, 8000)
    for k in (0, 1, 2):
        W = fitted(M, PLACES, k)[1] if k else np.zeros((4, 4))
        u, s, v = np.linalg.svd(W)
        root = np.sqrt(np.where(np.arange(4) < k, s, 0))
        expected = np.log1p(rate * 2 / 15 * np.linalg.norm(np.where(seen(PLACES), W - M, 0), 2))
        rates, along = [], []
        for seed in report.seeds:
            start = np.concatenate([(u * root).ravel(), (root[:, None] * v).ravel()])
            start += 1e-10 * np.random.default_rng(seed).normal(size=32)
            run = dyn.Run(net, np.array(PLACES), M.ravel()[PLACES], optimizer=dyn.GD(rate), theta=start,
                          record_every=steps)
            run.measure(lambda state: state.theta, name="theta", every=10)
            theta, steps_at = run.train(steps)["theta"].values, run["theta"].steps
            a, b = theta[:, :16].reshape(-1, 4, 4), theta[:, 16:].reshape(-1, 4, 4)
            points = np.concatenate([a, np.moveaxis(b, 1, 2)], axis=1)[..., k:]
            sizes = np.linalg.svd(points, compute_uv=False)
            grown = (sizes[:, 0] > 1e-7) & (np.maximum.accumulate(sizes[:, 0]) < 1e-3)
            rates.append(np.polyfit(steps_at[grown], np.log(sizes[grown, 0]), 1)[0] / expected)
            at = np.flatnonzero(grown)[-1]
            along.append(sizes[at, 0]**2 / np.sum(sizes[at]**2))
        report.claim("rank %d: growth per step beyond it, over ln(1 + η (2/n) σ_1(δM))" % k, rates, 1, .01)
        report.claim("rank %d: share of rows and columns beyond it along one direction, at 1e-3" % k, along, least=.999)
        if k < 2:
            for i, mark in ((0, "o"), (np.flatnonzero(grown)[0], "s"), (at, "^")):
                axes[k].plot(*(points[i, :, :2] / abs(points[i]).max()).T, mark, label="step %d" % steps_at[i],
                             fillstyle="none")
            axes[k].set(title="leaving rank %d" % k, xlabel="coordinate %d" % (k + 1),
                        ylabel="coordinate %d" % (k + 2))
            axes[k].legend(fontsize=6)


if __name__ == "__main__":
    reproduction.main("2405.13721", "Ranks in matrix completion", [hierarchy, escape])
