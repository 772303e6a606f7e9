#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Analyses of parameters, beside NumPy, SciPy and JAX, on one core and on all.

python analyses.py [--only WORD] [--rounds 5]. libdyn and its peer in turn, medians of the rounds; a ratio is the peer's
time over libdyn's. For ranks the limit is told as well: the arithmetic of the triangle and of half the bidiagonal form at the
speed of NumPy's products, the other half at that of its product of matrix and vector. Growth: times of three widths, the slope
fitted to their logarithms (goal: at most quadratic), and over how many threads the work was spread, by CPU time. A peer that is not
installed is passed over. One core: `taskset`, and one thread everywhere."""
import argparse
import functools
import os
import statistics
import subprocess
import sys
import time

import numpy as np

import dyn

SIZES = {"model rank": (250, 500, 1000, 1020, 1030), "Jacobian": (250, 500, 1000, 2000),
         "cosine map": (300, 1000, 3000), "cosine map, ordered": (300, 1000, 3000), "condensation": (1000, 2000, 4000, 10000)}
GOALS = {"model rank": (1.2, 2.0), "Jacobian": (1.2, 1.2), "cosine map": (1.5, 1.5), "cosine map, ordered": (1.5, 1.5)}
WIDTHS, STEEPEST = (2500, 5000, 10000), 2.1
MICROSECONDS = {"new Run": 40, "new Objective": 40}


@functools.cache
def network(parameters):
    """tanh 3-m-1 without a bias at the output, of 5 m parameters; as many outputs twice."""
    net = dyn.mlp([3, parameters // 5, 1], activation="tanh", output_bias=False, seed=1)
    return net, net.initial(), np.random.default_rng(0).standard_normal((2 * parameters, 3))


def model_rank(p, threads):
    net, theta, x = network(p)
    J = dyn.jacobian(net, x, theta=theta)[:, 0]
    return lambda: dyn.model_rank(net, theta, x), lambda: np.linalg.svd(J, compute_uv=False)


def jacobian(p, threads):
    net, theta, x = network(p)
    objective = dyn.Objective(net, x, np.zeros((len(x), 1)))
    return lambda: objective.jacobian(theta), with_jax(net, theta, x)


def with_jax(net, theta, x):
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    width = len(theta) // 5

    def output(t, x):
        w, b, a = t[:3 * width].reshape(3, width), t[3 * width:4 * width], t[4 * width:]
        return jax.numpy.tanh(x @ w + b) @ a

    f = jax.jit(jax.vmap(jax.grad(output), (None, 0)))
    t, samples = jax.numpy.asarray(theta), jax.numpy.asarray(x)
    ours = dyn.jacobian(net, x, theta=theta)[:, 0]
    assert np.allclose(f(t, samples), ours, rtol=1e-10, atol=1e-12)
    return lambda: np.asarray(f(t, samples).block_until_ready())


@functools.cache
def features(m):
    net = dyn.mlp([9, m, 1], seed=1)
    return net, net.initial()


def cosines(m, threads, ordered=False):
    net, theta = features(m)
    result = dyn.condensation(net, theta)
    v = net.views(theta)
    rows = np.column_stack([v["W1"].T, v["b1"]])[result.order if ordered else slice(None)]

    def numpy():
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return np.clip(unit @ unit.T, -1, 1)

    return lambda: result.cosines(ordered), numpy


def condensation(m, threads):
    net, theta = features(m)
    try:
        from scipy.cluster.hierarchy import linkage
    except ImportError:
        return lambda: dyn.condensation(net, theta), None
    v = net.views(theta)
    rows = np.column_stack([v["W1"].T, v["b1"]])
    return lambda: dyn.condensation(net, theta), lambda: linkage(rows, "average", "cosine")


def cover(m, threads):
    net, theta = features(m)
    return dyn.condensation(net, theta).cover, None


def new_run(size, threads):
    objective = dyn.Objective(dyn.mlp([1, 10, 1], seed=1), [[0.0], [1.0]], [[1.0], [0.0]])
    return lambda: dyn.Run(objective), None


def new_objective(size, threads):
    net, x, y = dyn.mlp([1, 10, 1], seed=1), np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])
    dyn.Objective(net, x, y)
    return lambda: dyn.Objective(net, x, y), None


WORK = {"model rank": model_rank, "Jacobian": jacobian, "cosine map": cosines,
        "cosine map, ordered": functools.partial(cosines, ordered=True), "condensation": condensation,
        "new Run": new_run, "new Objective": new_objective}
GROWTH = {"growth of condensation": condensation, "growth of cover": cover}


def seconds(work, clock):
    """Least time of a call within a twentieth of a second, three calls at least."""
    best, spent, calls = float("inf"), 0.0, 0
    while calls < 3 or spent < 0.05:
        start = clock()
        work()
        took = clock() - start
        best, spent, calls = min(best, took), spent + took, calls + 1
    return best


def rank_limit(p, clock):
    """Seconds that the singular values of a matrix [2 p, p] take at least: 10/3 p^3 flops for its triangle, 4/3 p^3 in products
    and p/3 passes over the triangle for the bidiagonal form."""
    a = np.random.default_rng(0).standard_normal((p, p))
    product, one_pass = seconds(lambda: a @ a, clock), seconds(lambda: a @ a[0], clock)
    return 14 / 6 * product + p / 3 * one_pass


def row(name, size, threads, rounds):
    ours, peer = WORK[name](size, threads)
    clock = time.perf_counter if threads > 1 else time.process_time     # of one core: whatever else the machine does
    times = [(seconds(ours, clock), seconds(peer, clock) if peer else float("nan")) for _ in range(rounds)]
    mine, other = (statistics.median(t[i] for t in times) for i in (0, 1))
    verdict = ""
    if name in GOALS and peer:
        verdict = "ok" if other / mine >= GOALS[name][threads > 1] else "below %g" % GOALS[name][threads > 1]
        if name == "model rank":
            limit = rank_limit(size, clock)
            near = verdict != "ok" and mine <= 1.25 * limit
            verdict = f"{'ok, near the limit' if near else verdict}; limit {1e3 * limit:.1f} ms"
    elif name in MICROSECONDS:
        verdict = "ok" if mine <= 1e-6 * MICROSECONDS[name] else "above %d us" % MICROSECONDS[name]
    print(f"{name:20s} {size:6d} {threads:2d} core(s) {1e3 * mine:10.3f} ms {1e3 * other:10.3f} ms "
          f"{other / mine:6.2f} {verdict}", flush=True)


def spread(work):
    """CPU time of all threads over that of the calling one: on how many the work was done."""
    everywhere, here = time.process_time(), time.thread_time()
    work()
    return (time.process_time() - everywhere) / (time.thread_time() - here)


def growth(name, threads, rounds):
    clock = time.perf_counter if threads > 1 else time.process_time
    works = [GROWTH[name](m, threads)[0] for m in WIDTHS]
    times = [min(seconds(work, clock) for _ in range(rounds)) for work in works]
    slope = np.polyfit(np.log(WIDTHS), np.log(times), 1)[0]
    told = "  ".join(f"{m}: {1e3 * t:.1f} ms" for m, t in zip(WIDTHS, times))
    print(f"{name:26s} {threads:2d} core(s) {told}  slope {slope:.2f} {'ok' if slope <= STEEPEST else 'too steep'}"
          f"  spread over {statistics.median(spread(works[-1]) for _ in range(5)):.2f} threads", flush=True)


def measure(only, threads, rounds):
    with dyn.Context(threads=threads):
        for name in GROWTH:
            if only in name:
                growth(name, threads, rounds)
        for name in WORK:
            for size in SIZES.get(name, (0,)) if only in name else ():
                row(name, size, threads, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="measure in this process")
    o = parser.parse_args()
    if o.threads:
        return measure(o.only, o.threads, o.rounds)
    cores = sorted(os.sched_getaffinity(0))
    for count in sorted({1, len(cores)}):
        limits = {name: str(count) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        subprocess.run(["taskset", "-c", ",".join(map(str, cores[:count])), sys.executable, __file__, "--only", o.only,
                        "--rounds", str(o.rounds), "--threads", str(count)], env={**os.environ, **limits}, check=True)


if __name__ == "__main__":
    main()
