# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Linear stability hypothesis and rank stratification" (arXiv 2211.11623), "Optimistic estimate"
(2307.08921), "Local linear recovery guarantee" (2406.18035), continued: ranks at points, and of more models.

The dimension of span ∂f/∂θ is d² - (d - r_A)(d - r_B) for A B with factors of rank r_A and r_B; m_w + m_a d for tanh
neurons with m_w weights that differ but for the sign, m_a of them with an output (one more where a neuron with an
output has no weight); m_a s² + m_K (d + 1 - s)² for convolutions. Without shared weights outputs that a target lacks
are no cost; a narrow deep network bounds the rank in a wide one."""
import numpy as np

import dyn
import reproduction
from model_rank import full, local


def low(R, rows, columns, rank):
    return R.normal(size=(rows, rank)) @ R.normal(size=(rank, columns))


def products(report):
    """Rank at factors A, B of 4 × 4 matrices of ranks r_A, r_B; and of rectangular ones"""
    net, R, table = dyn.factorisation([4, 4, 4]), np.random.default_rng(1), np.zeros((5, 5))
    for a in range(5):
        for b in range(5):
            theta = np.concatenate([low(R, 4, 4, a).ravel(), low(R, 4, 4, b).ravel()])
            table[a, b] = dyn.model_rank(net, theta, np.arange(16)).rank if a or b else 0
    left = 4 - np.arange(5)
    report.claim("of 25 pairs (r_A, r_B), those whose rank is not 16 - (4 - r_A)(4 - r_B)",
                 (table != 16 - np.multiply.outer(left, left)).sum(), 0, 0)
    for p, q, r in ((3, 5, 1), (3, 5, 2), (4, 7, 3), (6, 2, 1)):
        wide = dyn.factorisation([p, 5, q])
        theta = np.concatenate([np.pad(R.normal(size=(p, r)), ((0, 0), (0, 5 - r))).ravel(),
                                np.pad(R.normal(size=(r, q)), ((0, 5 - r), (0, 0))).ravel()])
        report.claim("%d × %d of rank %d by factors of inner size 5: (p + q) r - r²" % (p, q, r),
                     dyn.model_rank(wide, theta, np.arange(p * q)).rank, (p + q) * r - r * r, 0)
    ax = report.figure("products", width=3.4, height=3)
    dyn.plots.table(ax, table)
    ax.set(xlabel="rank of B", ylabel="rank of A")


def perceptrons(report):
    """Random tanh networks with neurons that repeat up to the sign, have no output or no weight; deep ones; diagonal"""
    wrong = 0
    for seed in range(20):
        R, d = np.random.default_rng(seed), 3
        kinds = R.normal(size=(3, d))
        which, a = R.integers(0, 4, 7), R.normal(size=7) * R.integers(0, 2, 7)
        w = np.array([R.choice([-1, 1]) * kinds[k] if k < 3 else np.zeros(d) for k in which])
        net = dyn.mlp([d, 7, 1], bias=False)
        found = dyn.model_rank(net, net.theta({"W1": w.T, "W2": a[:, None]}), probe_std=2).rank
        some = {k for k in which if k < 3}
        outputs = {k for k in some if (a[which == k] != 0).any()}
        wrong += found != len(some) + d * (len(outputs) + bool((a[which == 3] != 0).any()))
    report.claim("of 20 points, those whose rank is not m_w + m_a d", wrong, 0, 0)
    narrow, ranks = dyn.mlp([3, 1, 1, 1], bias=False, seed=1), []
    for seed in report.seeds:
        wide, theta = narrow, np.random.default_rng(seed).normal(size=narrow.size)
        for layer in (1, 2):
            wide, theta = dyn.null(wide, theta, layer, 3)
        ranks.append(dyn.model_rank(wide, theta, probe_std=2).rank)
    report.claim("3-1-1-1 in 3-4-4-1: rank, of 32 parameters; at most d + L - 1", ranks, most=5)
    for depth in (2, 3, 4):
        net = dyn.diagonal(8, depth)
        if depth > 2:           # two: a difference of squares, model_rank.py
            theta = np.tile(np.repeat([1.0, 0], [3, 5]), depth)
            report.claim("diagonal network of depth %d, 3 of 8 inputs: rank" % depth, dyn.model_rank(net, theta).rank,
                         3, 0)
        R = np.random.default_rng(depth)
        factors = R.normal(size=(depth, 8)) * R.integers(0, 2, (depth, 8))
        report.claim("depth %d, a random point: number of inputs with at most one zero factor" % depth,
                     dyn.model_rank(net, factors.ravel()).rank, int(((factors == 0).sum(0) <= 1).sum()), 0)


def convolutions(report):
    """Convolutions at random points; targets without some outputs; two dimensions without shared weights and in full"""
    d, s, wrong = 5, 3, 0
    net = dyn.cnn((d, d, 1), [4], kernel=s, padding="valid", activation="tanh", bias=False)
    for seed in range(8):
        R = np.random.default_rng(seed)
        kernels, which = R.normal(size=(2, s * s)), R.integers(0, 2, 4)
        K = np.array([R.choice([-1, 1]) * kernels[k] for k in which])
        out = R.normal(size=(9, 4)) * R.integers(0, 2, 4)
        found = dyn.model_rank(net, net.theta({"W1": K.T.reshape(s, s, 1, 4), "W2": out.reshape(-1, 1)}),
                               probe_std=2).rank
        spans = [np.linalg.matrix_rank(out[:, which == k]) for k in set(which)]
        wrong += found != s * s * sum(spans) + 9 * len(set(which))
    report.claim("of 8 points of a convolution, those whose rank is not m_a s² + m_K (d + 1 - s)²", wrong, 0, 0)
    for name, build, each in (("not shared", local, 5), ("full", full, 7)):
        net, theta = build(1)
        t, first = net.views(theta.copy()), "0" if build is local else ""
        t["W1" + first][:, 0] = t["b1" + first][0] = t["W2" + first][0] = 0
        report.claim("d = 5, s = 3, one output of the target 0, %s: (inputs + 2)(3 - 1)" % name,
                     dyn.model_rank(net, net.theta(t), probe_std=2).rank, 2 * each, 0)
    places = [(i, j) for i in range(3) for j in range(3)]
    kernel = np.random.default_rng(1).normal(size=(3, 3))
    w = np.zeros((5, 5, 9))
    for k, (i, j) in enumerate(places):
        w[i:i + 3, j:j + 3, k] = kernel
    whole = dyn.mlp([25, 9, 1], bias=False)
    report.claim("one 3 × 3 kernel on 5 × 5, full: (d² + 1)(d + 1 - s)²",
                 dyn.model_rank(whole, whole.theta({"W1": w.reshape(25, 9), "W2": np.ones((9, 1))})).rank, 234, 0)

    def apart(g, x):
        total = 0
        for k, (i, j) in enumerate(places):
            rows = [x[:, 5 * (i + p) + j:5 * (i + p) + j + 3] @ g.parameter("W%d%d" % (p, k), (3, 1)) for p in range(3)]
            total = total + dyn.tanh(rows[0] + rows[1] + rows[2]) @ g.parameter("a%d" % k, (1, 1))
        return total
    net = dyn.Model.from_function(apart, (25,))
    t = {name: np.ones((1, 1)) if name[0] == "a" else kernel[int(name[1])][:, None]
         for name in net.views(np.zeros(net.size))}
    report.claim("the same, not shared: (s² + 1)(d + 1 - s)²", dyn.model_rank(net, net.theta(t)).rank, 90, 0)


if __name__ == "__main__":
    reproduction.main("2211.11623, 2307.08921, 2406.18035", "Model rank at points",
                      [products, perceptrons, convolutions])
