# SPDX-License-Identifier: BSD-3-Clause
"""Times at sizes that double, and the exponent from the first to the last. A bound is the exponent of the algorithm and
some more, for caches and noise; small times are not judged."""
import time

LEAST = .005       # seconds


def work():
    """[(what, bound on the exponent, sizes, function of a size that returns the function to time)]"""
    import numpy as np
    import dyn

    def chain(n):
        def build():
            g = dyn.Graph()
            x = g.input("x", (8,))
            for _ in range(n):
                x = dyn.tanh(x + .5)
            g.compile(x.sum())
        return build

    def inputs(n):
        def build():
            g = dyn.Graph()
            total = g.input("x0", (4,))
            for i in range(1, n):
                total = total + g.input("x%d" % i, (4,))
            g.compile(total)
        return build

    def eigh(n):
        a = np.sin(np.arange(float(n * n))).reshape(n, n)
        a = a + a.T
        return lambda: dyn.eigh(a, k=n // 4)

    def singular(n):
        a = np.sin(np.arange(2.0 * n * n)).reshape(2 * n, n)
        return lambda: dyn.singular_values(a)

    def clusters(n):
        net = dyn.mlp([9, n, 1], seed=1)
        return lambda: dyn.condensation(net, net.initial())

    return [("compile a chain of nodes", 1.7, (500, 1000, 2000), chain),
            ("compile many inputs", 2.0, (1000, 2000, 4000), inputs),
            ("eigenvalues, a quarter", 4.0, (200, 400, 800), eigh),
            ("singular values", 4.0, (150, 300, 600), singular),
            ("condensation of features", 3.0, (500, 1000, 2000), clusters)]


def seconds(function):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    import math
    bad = []
    for what, bound, sizes, make in work():
        times = [seconds(make(n)) for n in sizes]
        first = next((i for i, t in enumerate(times) if t > LEAST), len(times) - 1)
        ratio = math.log(sizes[-1] / sizes[first])
        exponent = math.log(times[-1] / times[first]) / ratio if ratio else 0.0
        print("    # %-28s %s  exponent %.2f, at most %.1f" % (what, " ".join("%.4f" % t for t in times), exponent, bound))
        if exponent > bound:
            bad.append("%s grows with exponent %.2f" % (what, exponent))
    assert not bad, "\n".join(bad)
