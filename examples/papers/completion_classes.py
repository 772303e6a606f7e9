# SPDX-License-Identifier: BSD-3-Clause
"""Bai, Zhao, Zhang, "Connectivity shapes implicit regularization in matrix factorization models for matrix
completion", arXiv 2405.13721: what entries at random lead to.

Whether training from a tiny start meets the lowest rank is a matter of the graph of rows, columns and entries seen:
where it is connected and there are as many as needed, mostly; where it falls apart, not, but the nuclear norm is low,
and the least of all, Σ ‖M_p‖_*, if every component is complete."""
import numpy as np

import dyn
import reproduction
from completion import complete, matrix
from completion_rank import fitted, seen


def least_nuclear(M, mask, steps=4000):
    """The least nuclear norm of all matrices with the entries of M in the mask, by alternating directions."""
    W, U = np.where(mask, M, 0), np.zeros_like(M)
    for _ in range(steps):
        u, s, v = np.linalg.svd(W - U)
        Z = (u * np.maximum(s - 1, 0)) @ v
        W = np.where(mask, M, Z + U)
        U += Z - W
    return np.linalg.svd(W, compute_uv=False).sum()


KINDS = ("connected", "complete components", "other disconnected")


def drawn(R, kind, need):
    """Places of a kind: connected ones near the number needed, others of at most ten."""
    while True:
        n = need + R.choice([-2, 0, 2]) if kind == KINDS[0] else R.integers(5, 11)
        places = np.sort(R.choice(16, min(n, 16), replace=False))
        graph = dyn.data.observation_graph(4, 4, places)
        if kind == (KINDS[0] if graph.components == 1 else KINDS[1] if graph.complete else KINDS[2]):
            return places


def learned(kind, rank, repeat):
    """What is learned from entries at random of a random matrix of a rank."""
    R = np.random.default_rng([KINDS.index(kind), rank, repeat])
    places = drawn(R, kind, 8 * rank - rank**2)
    M = R.normal(size=(4, rank)) @ R.normal(size=(rank, 4))
    M *= 5 / np.linalg.norm(M, 2)
    s = np.linalg.svd(matrix(complete(M, places, 1e-8, repeat, steps=1000000)), compute_uv=False)
    return {"above": (s > 1e-3 * s[0]).sum() - min(k for k in range(1, 5) if fitted(M, places, k)[0] < 1e-16),
            "excess": s.sum() / least_nuclear(M, seen(places)) - 1, "enough": len(places) >= 8 * rank - rank**2}


def classes(report):
    """Entries at random: rank learned above the least, nuclear norm over the least less 1; matrices of rank 1, 2, 3"""
    found = report.grid("classes", learned, kind=KINDS, rank=[1, 2, 3], repeat=range(report.size(4, 10)))
    ax = report.figure("classes", width=4.2)
    for k, kind in enumerate(KINDS):
        excess, above = (np.ravel(found[name][k]) for name in ("excess", "above"))
        ax.semilogx(np.maximum(excess, 1e-7), above + .18 * (k - 1) + np.linspace(-.06, .06, above.size), ".",
                    color="C%d" % k, label=kind)
    ax.set(xlabel="nuclear norm over the least - 1", ylabel="rank above the least", yticks=[0, 1, 2])
    ax.legend(fontsize=6)
    enough, whole, other = found["enough"][0] > 0, found["above"][1], found["above"][2]
    report.claim("connected, as many entries as needed: share of the least rank",
                 (found["above"][0] == 0)[enough].mean(), least=.7)
    report.claim("connected: median of the nuclear norm over the least - 1", np.median(found["excess"][0]), least=1e-3)
    report.claim("complete components: largest nuclear norm over the least - 1", found["excess"][1].max(), most=1e-6)
    report.claim("complete components, rank 1: share of a rank above the least", (whole[0] > 0).mean(), least=1)
    report.claim("other disconnected, rank 1: the same", (other[0] > 0).mean(), least=1)
    report.claim("disconnected less connected: median of the nuclear norm over the least - 1",
                 np.median(found["excess"][2]) - np.median(found["excess"][0]), most=0)


if __name__ == "__main__":
    reproduction.main("2405.13721", "What entries at random lead to", [classes])
