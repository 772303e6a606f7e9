# SPDX-License-Identifier: BSD-3-Clause
"""Bai, Zhao, Zhang, "Connectivity shapes implicit regularization in matrix factorization models for matrix
completion", arXiv 2405.13721.

W = A B fitted to observed entries by gradient descent on (1/n) Σ (W - M)² from a tiny start. Where the bipartite
graph of rows, columns and observed entries is connected, the rank grows step by step from one invariant manifold rank
A = rank B = rank [Aᵀ, B] = k to the next, to the lowest; where its components are complete, to the least nuclear norm
Σ ‖M_p‖_*."""
import numpy as np

import dyn
import reproduction


def complete(M, places, std, seed, rate=.05, steps=400000, stop=1e-14, every=None):
    """The run, trained."""
    d = len(M)
    net = dyn.factorisation([d, d, d], init=dyn.init.normal(std), seed=seed)
    run = dyn.Run(net, np.asarray(places), M.ravel()[places], optimizer=dyn.GD(rate), stop_loss=stop, record_every=1000)
    if every is not None:
        run.measure(dyn.completion.FactorSpectra(), every=every)
        run.measure(lambda state: [state.loss, np.linalg.norm(state.gradient)], name="fall", every=every)
    return run.train(steps)


def product(run):
    tensors = run.objective.model.views(run.theta)
    return tensors["W1"] @ tensors["W2"]


def disconnected(report):
    """3 × 3 of rank 1, an entry and the block beside it observed: what is learned at two symmetric places"""
    M = np.outer([1.0, 2, 3], [1.0, 2, 3])

    def trained(seed, hole):
        i, j = divmod(hole, 3)
        places = [p for p in range(9) if p == hole or (p // 3 != i and p % 3 != j)]
        graph = dyn.data.observation_graph(3, 3, places)
        assert (graph.components, graph.complete) == (2, True)
        s = np.linalg.svd(product(complete(M, places, 1e-4, seed, rate=.02)), compute_uv=False)
        least = dyn.completion.least_nuclear_norm(3, 3, places, M.ravel()[places])
        return {"excess": abs(s.sum() - least), "rank": (s > 1e-3 * s[0]).sum(), "third": s[2]}
    found = report.grid("disconnected", trained, seed=report.seeds, hole=range(9))
    report.claim("nuclear norm above the least one, worst of nine patterns", found["excess"].max(1), most=1e-6)
    report.claim("rank of the matrix learned", found["rank"].mean(1), 2, 0)
    report.claim("third singular value, largest of nine patterns", found["third"].max(1), most=1e-7)
    places = [0, 4, 5, 7, 8]
    more = [product(complete(M, places, std, seed, rate=.02))
            for std in (1e-2, 1e-4, 1e-8) for seed in range(1, report.size(4, 11))]
    ax = report.figure("disconnected", width=3.4, height=3)
    ax.plot([W[0, 1] for W in more], [W[1, 0] for W in more], "o")
    ax.plot([2], [2], "k+", label="rank 1")
    ax.set(xlabel="W[1, 2]", ylabel="W[2, 1]")
    ax.legend()
    report.claim("W[1, 2] / W[2, 1], over starts", [W[0, 1] / W[1, 0] for W in more], 1, .02)


def connected(report):
    """4 × 4 of rank 3 with one hidden entry: fourth singular value and error against the variance of the start"""
    M, holes = dyn.data.matrix("M6") / 10, report.size([0, 5, 15], range(16))
    variances = report.size([1e-8, 1e-16], [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16])
    ax = report.figure("connected", width=4.8)

    def trained(hole, variance, seed):
        places = [p for p in range(16) if p != hole]
        W = product(complete(M, places, variance**.5, seed, steps=report.size(400000, 3000000)))
        return {"fourth": np.linalg.svd(W, compute_uv=False)[3], "error": np.linalg.norm(W - M) / 16}
    found = report.grid("connected", trained, hole=holes, variance=variances, seed=report.seeds)
    fourth, error = (dict(zip(holes, found[name])) for name in ("fourth", "error"))
    at = variances.index(1e-8)
    for hole in holes:
        ax.loglog(variances, fourth[hole].mean(1), "o-", color=reproduction.pyplot.cm.turbo(hole / 15),
                  label="hole %d" % hole)
    ax.set(xlabel="variance of the start", ylabel="σ_4")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=6)
    slow = "σ_4 falls in proportion to the variance and reaches 1e-8 at 1e-10; what it is at 1e-8 depends on the start"
    for hole, reason in ((5, ""), (15, slow)):
        report.claim("hole %d, variance 1e-8: log10 σ_4" % hole, np.log10(fourth[hole][at]), most=-8, reason=reason)
        report.claim("hole %d, variance 1e-8: |W - M| / 16" % hole, error[hole][at], most=5e-7)
    report.claim("hole 0, variance 1e-8: log10 σ_4", np.log10(fourth[0][at]), np.log10(1.4e-3), .5)
    report.claim("hole 0, variance 1e-16: log10 σ_4", np.log10(fourth[0][-1]), np.log10(2e-7), .7)


def hierarchy(report):
    """Hole 0 from std 1e-8: loss and gradient norm; singular values of A (lines), B (dots) and [Aᵀ, B] (dashed)"""
    M, places = dyn.data.matrix("M6") / 10, [p for p in range(16) if p != 0]
    losses, ranks, close, last = [], [], [], []
    for seed in report.seeds:
        run = complete(M, places, 1e-8, seed, steps=report.size(60000, 400000), every=20)
        found, fall = run["factors"], run["fall"].values
        g = fall[:, 1]
        flat = np.flatnonzero((g[1:-1] < g[:-2]) & (g[1:-1] <= g[2:]) & (fall[1:-1, 0] > 1e-6)
                              & (fall[1:-1, 0] < .5 * fall[0, 0])) + 1
        losses.append(fall[flat[:2], 0])
        ranks.append([[(v[i] > .05 * v[i, 0]).sum() for v in (found.a, found.b, found.augmented)] for i in flat[:2]])
        close.append(max(abs(found.a[i, :k + 1] / found.b[i, :k + 1] - 1).max() for k, i in enumerate(flat[:2])))
        last.append(found.rank()[-1])
    for k, expected, tolerance in ((0, .12285, 5e-5), (1, .0197, 3e-4)):
        report.claim("loss on plateau %d" % (k + 1), [loss[k] for loss in losses], expected, tolerance)
        report.claim("rank of A, of B, of [Aᵀ, B] on plateau %d" % (k + 1), [r[k] for r in ranks], k + 1, 0)
    report.claim("largest |σ(A) / σ(B) - 1| of the values that have grown", close, most=.01)
    report.claim("rank at the end", last, 3, 0)
    axes = report.figure("hierarchy", 1, 2)
    axes[0].semilogy(found.steps, fall[:, 0], label="loss")
    axes[0].semilogy(found.steps, g, label="gradient")
    axes[0].set(xlabel="step", xlim=(0, 15000))
    axes[0].legend()
    for k in range(4):
        axes[1].semilogy(found.steps, found.a[:, k], color="C%d" % k)
        axes[1].semilogy(found.steps[::40], found.b[::40, k], ".", color="C%d" % k)
        axes[1].semilogy(found.steps, found.augmented[:, k] / 2**.5, "--", color="C%d" % k)
    axes[1].set(xlabel="step", xlim=(0, 15000), ylim=(1e-9, 10))


if __name__ == "__main__":
    reproduction.main("2405.13721", "Connectivity in matrix completion", [disconnected, connected, hierarchy])
