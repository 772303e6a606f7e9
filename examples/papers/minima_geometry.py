# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Geometry and local recovery of global minima of two-layer neural networks", arXiv 2309.00508.

Minima of m neurons on a target of m0 form branches Q^r of r distinct input weights, of dimension (m - r) + (r - m0)d,
which are separated from all other minima of the samples from r + (m + m0 - r)d samples on; the Hessian there has that
rank (Morse-Bott) where r ≥ (m + m0)/2 and l = 2r - m - m0 free neurons are silent. Here: tanh(x + 1) by two neurons,
x = (x, 1)."""
import numpy as np

import dyn
import reproduction
from neurons import GRID, NET, descent, point, target

def branches(report):
    """Branches of the minima: counts of the theory, and probes by Levenberg-Marquardt from points on them"""
    one, two = dyn.branches.branches(2, 1, 2)
    report.claim("N(Q¹)", one.codimension, 5, 0)
    report.claim("N(Q²)", two.codimension, 4, 0)
    report.claim("dimension of Q¹", one.dimension, 1, 0)
    report.claim("dimension of Q²", two.dimension, 2, 0)
    report.claim("Q² Morse-Bott and Q¹ not", two.morse_bott and not one.morse_bott, least=1)
    points = {"Q²": point(np.array([1.0, 0]), np.array([[1, 1], [-.6, .9]])),
              "Q¹": point(np.array([.35, .65]), np.array([[1.0, 1], [1, 1]]))}
    for name, theta in points.items():
        need = 4 if name == "Q²" else 5
        for n in (need - 1, need):
            x = np.linspace(-2, 2, n)
            off = []
            for seed in report.seeds:
                ends = [dyn.branches.probe(NET, theta, x, target(x), .05, seed=10 * seed + i) for i in range(5)]
                off.append(np.log10(max(abs(NET(e.theta, GRID)[:, 0] - target(GRID)).max() for e in ends)))
            bound = dict(least=-5) if n < need else dict(most=-5)
            report.claim("%s, n = %d: log10 of the largest distance of near minima from the target" % (name, n), off,
                         **bound)
        x = np.linspace(-2, 2, 9)
        J = dyn.jacobian(NET, x, theta=theta)[:, 0]
        report.claim("rank of the Hessian at %s" % name, dyn.matrix_rank(J).rank, 4 if name == "Q²" else 3, 0)


def ranks(report):
    """Samples from which branches are separated, m = 4, m0 = 2, d = 3; rank of the Hessian against n, m = 2"""
    left, right = report.figure("ranks", 1, 2, width=4)
    dyn.plots.branches(left, dyn.branches.branches(4, 2, 3))
    counts, wrong = range(1, 11), 0
    for seed in report.seeds:
        R = np.random.default_rng(seed)
        points = {"Q²": point(np.array([1.0, 0]), np.array([[1, 1], R.normal(size=2)])),
                  "Q¹": point(np.array([.3, .7]), np.ones((2, 2)))}
        x = R.uniform(-2, 2, max(counts))
        for k, (name, branch) in enumerate(zip(points, dyn.branches.branches(2, 1, 2)[::-1])):
            found = [dyn.matrix_rank(dyn.jacobian(NET, x[:n], theta=points[name])[:, 0]).rank for n in counts]
            wrong += np.sum(np.array(found) != np.minimum(counts, branch.spread_until))
            if seed == 1:
                right.plot(counts, found, "o-", color="C%d" % k, label=name)
                right.axvline(branch.codimension, color="C%d" % k, linestyle="--", linewidth=.8)
    report.claim("Hessians whose rank is not min(n, r + (r - l) d)", wrong, 0, 0)
    right.set(xlabel="samples n", ylabel="rank of the Hessian")
    right.legend()


def arrival(report):
    """Descent from points near Q¹ and Q² on nine samples: the rate at which ln L falls, at the end over at L = 1e-6"""
    x, ax = np.linspace(-2, 2, 9), report.figure("arrival", width=3.8)
    steps, late, distance = report.size(40000, 200000), {"Q²": [], "Q¹": []}, []
    for seed in report.seeds:
        noise = .05 * np.random.default_rng(seed).normal(size=NET.size)
        for k, (name, theta) in enumerate((("Q²", point(np.array([1.0, 0]), np.array([[1, 1], [-.6, .9]]))),
                                           ("Q¹", point(np.array([.35, .65]), np.ones((2, 2)))))):
            run = descent(x, theta + noise, .05, steps, every=steps // 400).train()
            t, loss = run.history["step"], run.history["loss"]
            slope = -np.gradient(np.log(loss), t)
            below = np.flatnonzero(loss < 1e-6)
            late[name].append(slope[below[-2]] / slope[below[0]])
            distance.append(abs(NET(run.theta, GRID)[:, 0] - target(GRID)).max())
            ax.semilogy(t, loss, color="C%d" % k, label=name if seed == 1 else None)
    report.claim("Q²: rate at which ln L falls, at the end over at 1e-6", late["Q²"], 1, .5)
    report.claim("Q¹: the same", late["Q¹"], most=.1)
    report.claim("both: largest distance from the target at the end", distance, most=1e-2)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend()


def counts(report):
    """Branches of larger networks: dimension and codimension add up to the parameters; thresholds from first to last"""
    wrong = total = 0
    for m, m0, d in ((2, 1, 2), (3, 1, 5), (5, 2, 3), (8, 3, 4)):
        found = dyn.branches.branches(m, m0, d)
        total += len(found)
        wrong += sum(b.dimension + b.codimension != m * (d + 1) for b in found)
        need = {b.codimension for b in found}
        wrong += max(need) != m0 + m * d or min(need) != m + m0 * d
    report.claim("of %d branches, those that break a count" % total, wrong, 0, 0)
    three = {b.sizes: b.dimension for b in dyn.branches.branches(3, 1, 5)}
    report.claim("m = 3, m0 = 1: dimensions 2, 1 + d, 1 + d, 2d",
                 three == {(3,): 2, (2, 1): 6, (1, 2): 6, (1, 1, 1): 10}, least=1)


if __name__ == "__main__":
    reproduction.main("2309.00508", "Geometry of global minima", [branches, ranks, arrival, counts])
