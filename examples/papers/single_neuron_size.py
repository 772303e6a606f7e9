# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., on sample size and initialisation for a single-neuron target, arXiv 2405.13787: how many samples.

f = a_1 tanh(w_1·x) + a_2 tanh(w_2·x) on the target tanh(Σ x_i + 1), D inputs with the 1 of the bias, ½ Σ (f - y)².
D + 1 samples are the least for recovery; from D + 2 on the minima Q² (one neuron silent) are separated from others, at
2D + 1 Q¹ (both at the target), from 2(D + 1) on there are no others. Between them the start decides, by c̃. Descent
ends with Levenberg-Marquardt steps, as close samples make it slow."""
import contextlib
import functools

import numpy as np

import dyn
import reproduction
from neurons import descent, network, point, rows, start, target


def rate(x, most):
    """At most 1 / the curvature of the loss where one neuron is the target."""
    inputs = rows(x).shape[1]
    J = dyn.jacobian(network(inputs, 1), x, theta=point(np.ones(1), np.ones((1, inputs + 1))))[:, 0]
    return min(most, np.linalg.norm(J, 2)**-2)


def trained(x, theta, most, steps):
    """theta at the end, or None where a zero of the loss was not reached."""
    run = descent(x, theta, rate(x, most), steps)
    with contextlib.suppress(dyn.NonFinite):        # from a large start
        run.train()
    if not run.history["loss"][-1] < 1e-6:
        return None
    end = dyn.branches.probe(run.objective.model, run.theta, x, target(x), 0, tolerance=1e-28)
    return end.theta if end.loss < 1e-20 else None


def error(theta, test):
    inputs = rows(test).shape[1]
    return np.mean((network(inputs, len(theta) // (inputs + 2))(theta, test)[:, 0] - target(test))**2)


def end(inputs, steps, n, c, seed):
    """Test error from n samples and c̃; |a| |(w, b)| of the weaker neuron, its size, how far the other is from 1."""
    R = np.random.default_rng(100 + seed)
    x = R.normal(size=n) if inputs == 1 else R.uniform(-2, 2, (n, inputs))
    test = R.normal(size=1000) if inputs == 1 else R.uniform(-2, 2, (1000, inputs))
    theta = trained(x, start(x, c, 1e-20, seed)[0], .5 if inputs == 1 else .25, steps)
    if theta is None:
        return {"error": np.nan, "weak": np.nan, "size": np.nan, "off": np.nan}
    v = network(inputs).views(theta)
    neurons = np.column_stack([v["W2"], v["W1"].T, v["b1"]])
    weak, strong = neurons[np.argsort(np.abs(v["W2"][:, 0]))]
    return {"error": error(theta, test), "weak": abs(weak[0]) * np.linalg.norm(weak[1:]), "size": np.linalg.norm(weak),
            "off": abs(strong * np.sign(strong[0]) - 1).max()}


def shares(ax, found, counts, c, most):
    """Share of converged data sets in which a target is recovered, drawn over (c̃, n); [n, c̃]."""
    known = np.isfinite(found)
    share = (found < most).sum(2) / np.maximum(known.sum(2), 1)
    image = ax.imshow(share, origin="lower", cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set(xticks=range(len(c)), yticks=range(len(counts)), yticklabels=counts, xlabel="c̃", ylabel="n")
    ax.set_xticklabels(["%g" % v for v in c], fontsize=6)
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label="recovered")
    return dict(zip(counts, share))


def samples(report):
    """Normal inputs, start of size 1e-20: share of five data sets recovered (error below 1e-8) over n and c̃"""
    c, counts = report.size([0, .5, 1], [0, .1, .25, .5, .75, .9, 1]), [2, 3, 4, 5, 6]
    found = report.grid("samples", functools.partial(end, 1, report.size(200000, 1000000)), n=counts, c=c,
                        seed=range(5))["error"]
    share, four = shares(report.figure("samples", width=4), found, counts, c, 1e-8), found[2, 1:-1] < 1e-8
    report.claim("n = 2: share recovered", share[2].max(), 0, 0)
    report.claim("n = 3, c̃ = 0 or 1: least share of converged runs recovered", share[3][[0, -1]].min(), least=.8)
    report.claim("n = 3, other c̃: largest share", share[3][1:-1].max(), 0, 0)
    report.claim("n = 4, other c̃: recovered for some data and c̃, of all", four.mean(), least=.01, most=.99)
    report.claim("n = 5: data sets recovered at all c̃", (found[3] < 1e-8).all(0).sum(), least=1)
    report.claim("n = 6: share of converged runs recovered", share[6].min(), 1, 0)


def dimension(report):
    """Three inputs, D = 4: share of data sets that are recovered (error below 1e-7) over n and c̃"""
    c = report.size([0, .05, .5, 1], [0, .01, .05, .1, .25, .5, .75, .9, 1])
    counts, sets = report.size([4, 5, 7, 9, 10], range(4, 11)), report.size(3, 10)
    found = report.grid("dimension", functools.partial(end, 3, report.size(100000, 1000000)), n=counts, c=c,
                        seed=range(sets))
    share = shares(report.figure("dimension", width=4), found["error"], counts, c, 1e-7)
    report.claim("n = 4, below the optimistic size: share recovered", share[4].max(), 0, 0)
    report.claim("n = 5, c̃ = 0 or 1: share of converged runs recovered", share[5][[0, -1]].mean(), least=.5)
    report.claim("n = %d: the same" % counts[2], share[counts[2]][[0, -1]].mean(), 1, 0)
    middle = np.array([share[n][1:-1].mean() for n in counts])
    report.claim("other c̃: share recovered, n = 5", middle[1], most=.1)
    report.claim("other c̃: least growth of that share with n", np.diff(middle).min(), least=0)
    for n in (9, 10):
        report.claim("n = %d, from N(Q¹) on: share of converged runs recovered" % n, share[n].min(), 1, 0)
    weak = found["weak"][-1]
    report.claim("n = 10, c̃ ≤ .05: largest |a| |(w, b)| of the weaker neuron (Q²)", np.nanmax(weak[:2]), most=1e-3)
    report.claim("n = 10, c̃ = 1: the same, least (Q¹)", np.nanmin(weak[-1]), least=.9)


def origin(report):
    """Seven samples of three inputs: size of the weaker neuron (a, w, b) at the end over c̃, a dot for each data set"""
    c, sets = report.size([1e-10, .1], [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, .1]), report.size(8, 10)
    found = report.grid("origin", functools.partial(end, 3, report.size(100000, 1000000)), n=[7], c=c,
                        seed=range(sets))
    size, off = np.nanmedian(found["size"][0], 1), np.nanmedian(found["off"][0], 1)
    ax = report.figure("origin", width=3.6)
    ax.loglog(c, found["size"][0] + 1e-16, ".", color="C0")
    ax.loglog(c, size + 1e-16, "k-", label="median")
    ax.set(xlabel="c̃", ylabel="|(a, w, b)| of the weaker neuron")
    ax.legend()
    at = list(c).index(1e-10)
    report.claim("c̃ = .1: median |(a, w, b)| of the weaker neuron", size[-1], least=.1)
    report.claim("c̃ = 1e-10: the same, the origin of Q²", size[at], most=.01)
    report.claim("c̃ = 1e-10: median distance of the stronger neuron from the target", off[at], most=.01)


if __name__ == "__main__":
    reproduction.main("2405.13787", "Single-neuron targets: how many samples", [samples, dimension, origin])
