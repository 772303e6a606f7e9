# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Linear stability hypothesis and rank stratification" (arXiv 2211.11623); Bai, Zhao, Zhang,
"Connectivity shapes implicit regularization in matrix factorization models for matrix completion" (2405.13721): entries
at random.

Which entries of a matrix are seen decides as much as how many. M is linearly stable where the tangent functions at
A B = M have on the entries seen the rank that they have on all: what is recovered from a tiny start is linearly stable,
not the other way round. Where the entries fall apart into complete blocks M_p, what is learned has the least nuclear
norm, Σ ‖M_p‖_*, and where they hang together less than that is known: there its rank is low."""
import numpy as np

import dyn
import reproduction
from model_rank import factors

#: entries needed, 2 r d - r²; share of linearly stable masks that are recovered, computed for them and for 3 more
TARGETS = {"M1": (7, 13 / 20, 51 / 59), "M2": (7, 8 / 16, 43 / 60), "M3": (12, 16 / 40, 58 / 60),
           "M4": (12, 17 / 40, 60 / 60), "M6": (15, 38 / 60, None)}
RECOVERED = 1e-6        # mean squared error


def learned(M, places, seed):
    """What gradient descent learns from entries of M, from std 1e-8."""
    net = dyn.factorisation([4, 4, 4], init=dyn.init.normal(1e-8), seed=seed)
    run = dyn.Run(net, places, M.ravel()[places], optimizer=dyn.GD(.02), stop_loss=1e-14, record_every=100000)
    return run.train(300000).predict(np.arange(16)).reshape(4, 4)


def entry(matrix, more, mask):
    """Random entries of a matrix, as many as it needs and more: are they recovered, linearly stable, connected?"""
    places = np.random.default_rng(mask).choice(16, min(16, TARGETS[matrix][0] + more), replace=False)
    M = dyn.data.matrix(matrix)
    J = dyn.jacobian(dyn.factorisation([4, 4, 4]), np.arange(16), theta=factors(M))
    return {"error": np.mean((learned(M, places, mask) - M)**2),
            "stable": dyn.recovery.linearly_stable(J[places], J),
            "connected": dyn.data.observation_graph(4, 4, places, isolated=True).components == 1}


def stability(report):
    """Mean squared error over random entries, sorted: linearly stable (filled) or not; n needed and 3 more"""
    axes = report.figure("stability", 1, 2, sharey=True)
    names = report.size(["M1", "M3"], list(TARGETS))
    found = report.grid("stability", entry, matrix=names, more=[0, 3], mask=range(report.size(20, 60)))
    stable, recovered = found["stable"] > 0, found["error"] < RECOVERED
    ones = [TARGETS[name][0] == 7 for name in names]
    report.claim("random entries that are recovered and not linearly stable", (recovered & ~stable).sum(), 0, 0)
    report.claim("stable ones that are not recovered, n as needed", (stable & ~recovered)[:, 0].sum(), least=1)
    report.claim("rank 1: entries where stable is other than connected and spanning",
                 (stable != (found["connected"] > 0))[ones].sum(), 0, 0)
    for i, name in enumerate(names):
        for k, expected in enumerate(TARGETS[name][1:]):
            if expected is not None:
                report.claim("%s, n = %d: share of the linearly stable that is recovered" % (
                    name, TARGETS[name][0] + 3 * k), recovered[i, k].sum() / stable[i, k].sum(), expected, .25)
    for k, ax in enumerate(axes):
        for i, name in enumerate(names):
            order = np.argsort(found["error"][i, k])
            away, filled = found["error"][i, k][order] + 1e-16, stable[i, k][order]
            ax.semilogy(away, "-", color="C%d" % i, linewidth=.5, label=name)
            ax.semilogy(np.flatnonzero(filled), away[filled], "o", color="C%d" % i, markersize=3)
        ax.axhline(RECOVERED, color="k", linestyle="--", linewidth=.8)
        ax.set(xlabel="entries, sorted", title="n as needed" if k == 0 else "3 more")
    axes[0].set(ylabel="mean squared error")
    axes[0].legend()


def block(matrix, split, seed):
    """Two complete blocks of M seen: the nuclear norm learned above the sum of theirs."""
    M, (i, j) = dyn.data.matrix(matrix) / 10, split
    seen = np.zeros((4, 4), bool)
    seen[:i, :j], seen[i:, j:] = True, True
    W = learned(M, np.flatnonzero(seen), seed)
    least = sum(np.linalg.svd(part, compute_uv=False).sum() for part in (M[:i, :j], M[i:, j:]))
    s = np.linalg.svd(W, compute_uv=False)
    return {"excess": s.sum() / least - 1, "rank": (s > 1e-3 * s[0]).sum()}


def blocks(report):
    """Two complete blocks of matrices of rank 1, 2 and 3"""
    splits = report.size([(2, 2), (1, 3)], [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)])
    found = report.grid("blocks", block, matrix=["M1", "M3", "M6"], split=splits, seed=report.seeds)
    report.claim("nuclear norm over the least one, less 1, worst of all blocks", found["excess"].max((0, 1)), most=1e-4)
    report.claim("rank learned from blocks of a matrix of rank 1", found["rank"][0].mean(0), 2, 0)


if __name__ == "__main__":
    reproduction.main("2211.11623, 2405.13721", "Entries of a matrix at random", [stability, blocks])
