# SPDX-License-Identifier: BSD-3-Clause
"""Fu, Xu, Zhang, "Nilpotent category and self-adjoint functors", arXiv 2111.14656.

Objects of Nil(V) are pairs (X, x), x nilpotent: partitions of dim X. Exact tables over the integers of dim Hom(p, q)
= Σ min(p_i, q_j), of the Jordan types of HOM(p, q) = {min(p_i, q_j)} and of X ⊗ (B, b) (each part dim B times), and
what of the self-adjointness of these functors holds: sizes of Hom do, naturality needs b conjugate to 1/b."""
import itertools

import numpy as np

import dyn
import reproduction


def partitions(n, most=None):
    """All partitions of n, parts descending."""
    if n == 0:
        return [()]
    return [(k, *rest) for k in range(min(n, most or n), 0, -1) for rest in partitions(n - k, k)]


def equations(p, q):
    """x f = f a on f as a vector, and the action θ: f -> x f."""
    a, x = dyn.nilpotent.matrix(p), dyn.nilpotent.matrix(q)
    act = np.kron(np.eye(len(a), dtype=int), x)
    return act - np.kron(a.T, np.eye(len(x), dtype=int)), act


def hom_type(p, q):
    """Type of θ on Hom(p, q), from exact ranks: blocks of size ≥ k are dim ker θ^k - dim ker θ^(k-1)."""
    commute, act = equations(p, q)
    kernels = [0]
    power = act
    while len(kernels) < 2 or kernels[-1] > kernels[-2]:
        kernels.append(len(act) - dyn.nilpotent.rank(np.vstack([commute, power])))
        power = power @ act
    at_least = np.append(np.diff(kernels), 0)
    return tuple(k for k in range(len(at_least) - 1, 0, -1) for _ in range(at_least[k - 1] - at_least[k]))


def dimensions(report):
    """dim Hom(J_p, J_q) by exact ranks, and Jordan types of all pairs of partitions"""
    largest = report.size(4, 5)
    types = [p for n in range(1, largest + 1) for p in partitions(n)]
    pairs = list(itertools.product(types, types))
    found = {pair: hom_type(*pair) for pair in pairs}
    blocks = range(1, report.size(6, 8) + 1)
    table = np.array([[sum(hom_type((p,), (q,))) for q in blocks] for p in blocks])
    report.claim("share of block pairs with dim Hom = min(p, q)", (table == np.minimum.outer(blocks, blocks)).mean(),
                 least=1)
    report.claim("share of %d pairs of partitions with dim Hom = Σ min" % len(pairs),
                 np.mean([sum(t) == sum(min(i, j) for i in p for j in q) for (p, q), t in found.items()]), least=1)
    report.claim("share of pairs with HOM of type {min(p_i, q_j)}",
                 np.mean([t == dyn.nilpotent.hom(p, q) for (p, q), t in found.items()]), least=1)
    left, right = report.figure("dimensions", 1, 2, width=4, height=3.4)
    dyn.plots.table(left, table, blocks, blocks)
    left.set(xlabel="q", ylabel="p", title="dim Hom(J_p, J_q)")
    few = [p for n in range(1, 4) for p in partitions(n)]
    dyn.plots.table(right, [[found[p, q] for q in few] for p in few], few, few)
    right.set(xlabel="X", ylabel="A", title="type of HOM(A, X)")


def tensors(report):
    """Types of X ⊗ (B, b) and of products of two nilpotent matrices"""
    types = [p for n in range(1, report.size(5, 6) + 1) for p in partitions(n)]
    cycle = np.roll(np.eye(3, dtype=int), 1, axis=1)
    invertible = [np.array([[1]]), np.diag([2, 3]), np.array([[1, 1], [0, 1]]), cycle]
    held = [dyn.nilpotent.jordan_type(np.kron(dyn.nilpotent.matrix(p), b)) == dyn.nilpotent.repeated(p, len(b))
            for p in types for b in invertible]
    report.claim("share of types of X ⊗ (B, b) that repeat each part dim B times, %d cases" % len(held), np.mean(held),
                 least=1)
    products, sums = [], []
    for p, q in itertools.product(range(1, 5), range(1, 5)):
        x, y = dyn.nilpotent.matrix([p]), dyn.nilpotent.matrix([q])
        products.append(dyn.nilpotent.jordan_type(np.kron(x, y)) == dyn.nilpotent.tensor([p], [q]))
        both = np.kron(x, np.eye(q, dtype=int)) + np.kron(np.eye(p, dtype=int), y)
        sums.append(dyn.nilpotent.jordan_type(both) == dyn.nilpotent.kronecker_sum([p], [q]))
    report.claim("share of J_p ⊗ J_q with the type of the formula, p, q ≤ 4", np.mean(products), least=1)
    report.claim("share of J_p ⊗ 1 + 1 ⊗ J_q with the type of the formula", np.mean(sums), least=1)


def natural_rank(b):
    """Largest rank of a natural transformation from - ⊗ b to - ⊗ b^-T at J_2, over the size: 1 for an isomorphism."""
    n, x = 2 * len(b), dyn.nilpotent.matrix([2])
    eye, endomorphism = np.eye(n), np.kron(x, np.eye(len(b)))
    left, right = np.kron(x, b), np.kron(x, np.linalg.inv(b).T)
    pairs = (endomorphism, endomorphism), (left, right)
    system = np.vstack([np.kron(eye, y) - np.kron(x.T, eye) for x, y in pairs])
    _, s, v = np.linalg.svd(system)
    null = v[(s > 1e-12).sum():]
    solution = (np.random.default_rng(1).normal(size=len(null)) @ null).reshape(n, n).T
    return np.linalg.matrix_rank(solution, 1e-9) / n


def adjoints(report):
    """Self-adjointness: sizes of Hom agree for every functor of the paper, naturality does not"""
    types = [p for n in range(1, report.size(3, 4) + 1) for p in partitions(n)]
    hom, twice = dyn.nilpotent.hom, dyn.nilpotent.repeated
    symmetric = [sum(hom(hom(a, x), y)) == sum(hom(x, hom(a, y))) for a in types for x in types for y in types]
    report.claim("share of triples with dim Hom(HOM(A, X), Y) = dim Hom(X, HOM(A, Y))", np.mean(symmetric), least=1)
    same = [sum(hom(twice(x, 2), y)) == sum(hom(x, twice(y, 2))) for x in types for y in types]
    report.claim("share of pairs with dim Hom(X ⊗ B, Y) = dim Hom(X, Y ⊗ B)", np.mean(same), least=1)
    for text, b in (("1", [[1.0]]), ("an involution", [[1, 0], [0, -1]]), ("unipotent", [[1, 1], [0, 1]]),
                    ("diag(2, 1/2)", [[2, 0], [0, .5]])):
        report.claim("- ⊗ (B, b), b = %s: rank of a natural isomorphism to its adjoint" % text,
                     natural_rank(np.array(b)), least=1)
    report.claim("the paper's claim for every invertible b, at b = diag(2, 2): the same rank",
                 natural_rank(np.diag([2.0, 2.0])), least=1, reason="the right adjoint of - ⊗ (B, b) is "
                 "- ⊗ (B*, b^-T), which is the same functor only if b is conjugate to 1/b")
    kernels = [sum(dyn.nilpotent.hom((1,), p)) for p in ((1,), (2,), (1,))]
    report.claim("HOM((K, 0), -) exact on J_1 → J_2 → J_1: defect of dimensions", kernels[0] + kernels[2] - kernels[1],
                 0, 0, reason="a self-adjoint functor is exact; HOM((A, a), -) is so only for a projective A, of which "
                 "there are none but 0")


if __name__ == "__main__":
    reproduction.main("2111.14656", "Nilpotent category, exact tables", [dimensions, tensors, adjoints])
