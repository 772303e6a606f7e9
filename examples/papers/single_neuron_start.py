# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., on sample size and initialisation for a single-neuron target, arXiv 2405.13787: what the start decides.

The larger the start, the larger the error, most where samples are just enough (3 and 4). From a tiny one c̃ decides
between Q¹, both neurons at the target, and Q², one silent; of three samples only neurons with the largest |C_k| take
part, whatever the width. Gradient descent on ½ Σ (f - y)²."""
import functools

import numpy as np

import dyn
import reproduction
from neurons import GRID, NET, descent, drawn, network, point, start, target
from single_neuron_size import error, trained


def where(theta):
    """1 near Q¹, 2 near Q²: neurons that carry the target."""
    v = NET.views(theta)
    size = np.abs(v["W2"][:, 0])
    same = np.abs(np.abs(v["W1"][0]) - 1).max() < .1 and np.abs(np.abs(v["b1"]) - 1).max() < .1
    return 1 if same and size.min() > .05 else 2 if size.min() < .2 * size.max() else 0


def ratio(x, a, w):
    """c̃."""
    first, second = np.sort(np.abs(dyn.branches.imbalance(a, w, np.column_stack([x, np.ones(len(x))]), target(x))))
    return first / second


def weights(run):
    return np.sort(np.abs(NET.views(run.theta)["W2"][:, 0]))


def imbalance(report):
    """Where training ends over c̃, six even samples, α = 1e-8: |a| of both neurons, c set (lines) and drawn (dots)"""
    x, rate = np.linspace(-2, 2, 6), .05
    c = report.size(np.array([.3, .5, .66, .76, .9, 1]), np.linspace(.05, 1, 39))
    seeds = range(report.size(6, 100))
    runs = list(report.sweep("imbalance", lambda c: descent(x, start(x, c, 1e-8, 1)[0], rate, 1000000), c=c))
    natural_runs = list(report.sweep("drawn", lambda seed: descent(x, 1e-8 * point(*drawn(seed)), rate, 1000000),
                              seed=seeds))
    natural = np.array([ratio(x, *drawn(seed)) for seed in seeds])
    ax = report.figure("imbalance", width=3.6)
    for name, at, found, mark in (("c", c, runs, "-"), ("drawn c̃", natural, natural_runs, ".")):
        ends = np.array([where(run.theta) for run in found])
        report.claim("share of %s ≤ .66 that ends in Q²" % name, (ends[at <= .66] == 2).mean(), least=1)
        report.claim("share of %s ≥ .74 that ends in Q¹" % name, (ends[at >= .74] == 1).mean(), least=1)
        report.claim("%s: largest distance from the target, Q²" % name, max(
            abs(NET(run.theta, GRID)[:, 0] - target(GRID)).max() for run, end in zip(found, ends) if end == 2),
            most=1e-3)
        for k, sizes in enumerate(np.transpose([weights(run) for run in found])):
            ax.plot(at, sizes, mark, color="C%d" % k)
    curve = [np.interp(natural, c, sizes) for sizes in np.transpose([weights(run) for run in runs])]
    off = abs(np.transpose([weights(run) for run in natural_runs]) - curve).max(0)
    clear = (natural <= .66) & (natural >= c[0])
    report.claim("drawn c̃ ≤ .66: largest distance of |a| from the curve over c", off[clear].max(), most=.01)
    ax.axvline(.74, color="k", linestyle="--")
    ax.set(xlabel="c̃", ylabel="|a_1|, |a_2| at the end")


def sized(even, n, scale, seed):
    """Error from a start of a size, from even samples or normal ones."""
    R = np.random.default_rng(seed)
    x, test = (np.linspace(-2, 2, n), GRID) if even else (R.normal(size=n), R.normal(size=1000))
    theta = trained(x, scale * R.normal(size=network(1).size), .5, 400000)
    return np.nan if theta is None else error(theta, test) + 1e-16


def sizes(report):
    """Mean test error against the size of the start, from even samples and from normal ones"""
    scales = report.size([1e-8, 1], [1e-8, 1e-4, 1e-2, .1, .3, 1])
    for ax, even, most in zip(report.figure("sizes", 1, 2), (True, False), (6, 5)):
        counts = range(2, most + 1)
        found = report.grid("even" if even else "normal", functools.partial(sized, even), n=counts, scale=scales,
                            seed=range(report.size(10, 40 if even else 25)))["value"]
        mean = dict(zip(counts, np.nanmean(found, 2)))
        for n, row in mean.items():
            ax.loglog(scales, row, "o-", label="n = %d" % n, markersize=3)
        ax.set(xlabel="std of the start", ylabel="test error", title="even" if even else "normal")
        if even:
            ax.legend(fontsize=6)
            grown = {n: np.log10(row[-1] / row[0]) for n, row in mean.items()}
            for n in (3, 4):
                report.claim("even, n = %d: decades of error from std 1e-8 to 1" % n, grown[n], least=1)
            report.claim("the most for n = 2, 5, 6 less the least for 3 and 4",
                         max(grown[2], grown[5], grown[6]) - min(grown[3], grown[4]), most=0)
        else:
            fall = np.log10(mean[2] / mean[4])
            report.claim("normal, std 1e-8: decades of error from n = 2 to 4", fall[0], least=1)
            if not report.quick:        # of rare large errors
                report.claim("the same, less that of std 1", fall[0] - fall[-1], least=0)


def few(report):
    """Three even samples, α = 1e-20, widths 2 to 1000: |a_k| at the end against |C_k|, both over the largest"""
    x, ax = np.linspace(-2, 2, 3), report.figure("few", width=3.8)
    first, others, errors = [], [], []
    for k, width in enumerate(report.size((2, 10, 100), (2, 3, 10, 100, 1000))):
        for seed in report.seeds:
            R = np.random.default_rng(seed)
            a, w = R.normal(size=width), R.normal(size=(width, 2))
            C = abs(dyn.branches.imbalance(a, w, np.column_stack([x, np.ones(3)]), target(x)))
            run = descent(x, 1e-20 * point(a, w), .01, 400000).train()
            size, C = abs(run.objective.model.views(run.theta)["W2"][:, 0]), C / C.max()
            ax.semilogy(C, size / size.max(), ".", markersize=3, color="C%d" % k, zorder=9 - width / 999,
                        label="width %d" % width if seed == 1 else None)
            first.append(np.argmax(size) == np.argmax(C))
            others.append((size[C < .5] / size.max()).max(initial=0))
            errors.append(error(run.theta, GRID))
    ax.set(xlabel="|C_k| / max", ylabel="|a_k| / max")
    ax.legend()
    report.claim("share of widths and starts where the neuron of the largest |C| ends with the largest |a|",
                 np.mean(first), least=1)
    report.claim("neurons with |C_k| below half the largest: largest |a_k| / max", max(others), most=.2)
    report.claim("test error, largest", max(errors), most=1e-3)


if __name__ == "__main__":
    reproduction.main("2405.13787", "Single-neuron targets: what the start decides", [imbalance, sizes, few])
