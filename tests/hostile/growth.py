# SPDX-License-Identifier: BSD-3-Clause
"""Times at sizes that double, and the exponent between the last two. A bound is the exponent of the algorithm and half
more for caches and noise; small times are not judged."""
import time

LEAST = .02        # seconds


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
        return lambda: dyn.dense_eigh(a)

    def singular(n):
        a = np.sin(np.arange(2.0 * n * n)).reshape(2 * n, n)
        return lambda: dyn.singular_values(a)

    def clusters(n):
        w = np.sin(np.arange(10.0 * n)).reshape(n, 10)
        return lambda: dyn.condensation(w)

    return [("compile a chain of nodes", 1.5, (500, 1000, 2000), chain),
            ("compile many inputs", 1.5, (1000, 2000, 4000), inputs),
            ("eigenvalues, dense", 3.5, (200, 400, 800), eigh),
            ("singular values", 3.5, (150, 300, 600), singular),
            ("condensation of features", 2.5, (500, 1000, 2000), clusters)]


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
        try:
            times = [seconds(make(n)) for n in sizes]
        except AttributeError as e:
            print("    # %s: passed over, %s" % (what, e))
            continue
        exponent = math.log2(times[-1] / times[-2])
        print("    # %-28s %s  exponent %.2f, at most %.1f" % (what, " ".join("%.4f" % t for t in times), exponent, bound))
        if times[-1] > LEAST and exponent > bound:
            bad.append("%s grows with exponent %.2f" % (what, exponent))
    assert not bad, "\n".join(bad)
