# SPDX-License-Identifier: BSD-3-Clause
"""Bai, Zhao, Zhang, "Connectivity shapes implicit regularization in matrix factorization models for matrix
completion", arXiv 2405.13721.

W = A B fitted to observed entries by gradient descent on (1/n) Σ (W - M)² from a tiny start. Where the bipartite
graph of rows, columns and observed entries is connected, training leads to the lowest rank, the
more the smaller the start; where its components are complete, to the least nuclear norm Σ ‖M_p‖_*."""
import numpy as np

import dyn
import reproduction

SLOW = ("σ_4 at the end is a matter of the start: of 24 in NumPy (independent.py) a sixth reach 1e-8, the mean of "
        "log10 is -7.3 ± 1.1; at variance 1e-10 all do")


def complete(M, places, std, seed, rate=.05, steps=400000, stop=1e-14, every=None):
    """The run, trained."""
    d = len(M)
    net = dyn.factorisation([d, d, d], init=dyn.init.normal(std), seed=seed)
    run = dyn.Run(net, np.asarray(places), M.ravel()[places], optimizer=dyn.GD(rate), stop_loss=stop, record_every=1000)
    if every is not None:
        run.measure(dyn.completion.FactorSpectra(), every=every)
        run.measure(lambda state: [state.loss, np.linalg.norm(state.gradient), *product(net, state.theta).ravel()],
                    name="fall", every=every)
    return run.train(steps)


def product(net, theta):
    tensors = net.views(theta)
    return tensors["W1"] @ tensors["W2"]


def matrix(run):
    return product(run.objective.model, run.theta)


def disconnected(report):
    """3 × 3 of rank 1, an entry and the block beside it observed: what is learned at two symmetric places"""
    M = np.outer([1.0, 2, 3], [1.0, 2, 3])

    def trained(seed, hole):
        i, j = divmod(hole, 3)
        places = [p for p in range(9) if p == hole or (p // 3 != i and p % 3 != j)]
        graph = dyn.data.observation_graph(3, 3, places)
        assert (graph.components, graph.complete) == (2, True)
        s = np.linalg.svd(matrix(complete(M, places, 1e-4, seed, rate=.02)), compute_uv=False)
        least = dyn.completion.least_nuclear_norm(3, 3, places, M.ravel()[places])
        return {"excess": abs(s.sum() - least), "rank": (s > 1e-3 * s[0]).sum(), "third": s[2]}
    found = report.grid("disconnected", trained, seed=report.seeds, hole=range(9))
    report.claim("nuclear norm above the least one, worst of nine patterns", found["excess"].max(1), most=1e-6)
    report.claim("rank of the matrix learned", found["rank"].mean(1), 2, 0)
    report.claim("third singular value, largest of nine patterns", found["third"].max(1), most=1e-7)
    places = [0, 4, 5, 7, 8]
    more = [matrix(complete(M, places, std, seed, rate=.02))
            for std in (1e-2, 1e-4, 1e-8) for seed in range(1, report.size(4, 11))]
    ax = report.figure("disconnected", width=3.4, height=3)
    ax.plot([W[0, 1] for W in more], [W[1, 0] for W in more], "o")
    ax.plot([2], [2], "k+", label="rank 1")
    ax.set(xlabel="W[1, 2]", ylabel="W[2, 1]")
    ax.legend()
    report.claim("W[1, 2] / W[2, 1], over starts", [W[0, 1] / W[1, 0] for W in more], 1, .02)


def connected(report):
    """4 × 4 of rank 3 with one hidden entry, over the variance of the start: all σ_k of hole 0; σ_4 of every hole"""
    M, holes = dyn.data.matrix("M6") / 10, report.size([0, 5, 10, 15], range(16))
    variances = report.size([1, 1e-8, 1e-16], [1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16])
    axes = report.figure("connected", 1, 2, width=4)

    def trained(hole, variance, seed):
        places = [p for p in range(16) if p != hole]
        W = matrix(complete(M, places, variance**.5, seed, steps=report.size(400000, 3000000)))
        return {"error": np.linalg.norm(W - M) / 16,
                **{"s%d" % (k + 1): s for k, s in enumerate(np.linalg.svd(W, compute_uv=False))}}
    found = report.grid("connected", trained, hole=holes, variance=variances, seed=report.seeds)
    fourth, error = (dict(zip(holes, found[name])) for name in ("s4", "error"))
    at = variances.index(1e-8)
    for k in range(1, 5):
        axes[0].loglog(variances, found["s%d" % k][0].mean(1), "o-", label="σ_%d, hole 0" % k)
    for hole in holes:
        axes[1].loglog(variances, fourth[hole].mean(1), "o-", color=reproduction.pyplot.cm.turbo(hole / 15),
                       label="hole %d" % hole)
    for ax, name in zip(axes, ("σ_k", "σ_4")):
        ax.set(xlabel="variance of the start", ylabel=name)
    axes[0].legend()
    axes[1].legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=6)
    rank = [(found["s4"][:, i] > 1e-3 * found["s1"][:, i]) + 3 for i in (0, -1)]
    report.claim("variance 1: share of holes with rank 4", (rank[0] == 4).mean(0), least=.7)
    report.claim("variance 1e-16: share of holes with rank 3", (rank[1] == 3).mean(0), least=.7)
    for hole, reason in ((5, ""), (15, SLOW)):
        report.claim("hole %d, variance 1e-8: log10 σ_4" % hole, np.log10(fourth[hole][at]), most=-8, reason=reason)
        report.claim("hole %d, variance 1e-8: |W - M| / 16" % hole, error[hole][at], most=5e-7)
    report.claim("hole 0, variance 1e-8: log10 σ_4", np.log10(fourth[0][at]), np.log10(1.4e-3), .5)
    report.claim("hole 0, variance 1e-16: log10 σ_4", np.log10(fourth[0][-1]), np.log10(2e-7), .7)
    report.claim("hole 10, variance 1e-16: log10 σ_4", np.log10(fourth[10][-1]), np.log10(6e-3), .5)


if __name__ == "__main__":
    reproduction.main("2405.13721", "Connectivity in matrix completion", [disconnected, connected])
