# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., on sample size and initialisation for a single-neuron target, arXiv 2405.13787.

f = a_1 tanh(w_1·x) + a_2 tanh(w_2·x) on the target tanh(x + 1), x = (x, 1), loss ½ Σ (f - y)². The minima that are
the target form Q¹ (both neurons at its weights) and Q² (one there, the other silent): separated from other minima
from 5 and 4 samples on, where 3 are the least for recovery. From a tiny start c̃ = min(|C_1/C_2|, |C_2/C_1|), C_k =
a_k |γ| + w_k·γ, decides."""
import numpy as np

import dyn
import reproduction

NET = dyn.mlp([1, 2, 1], output_bias=False)
GRID = np.linspace(-2, 2, 1000)


def target(x):
    return np.tanh(x + 1)


def point(a, w):
    """theta of output weights a [2] and weights with biases w [2, 2]."""
    return NET.theta({"W1": w[:, :1].T, "b1": w[:, 1], "W2": a[:, None]})


def start(x, c, scale, seed):
    R = np.random.default_rng(seed)
    data = np.column_stack([x, np.ones_like(x)])
    a, w = dyn.branches.set_imbalance(R.normal(size=2), R.normal(size=(2, 2)), data, target(x), c)
    return scale * point(a, w), np.linalg.norm(target(x) @ data)


def descent(x, theta, rate, steps, every=None):
    net = dyn.mlp([1, 2, 1], output_bias=False)     # of the context in which it is trained
    return dyn.Run(net, x, target(x), half=True, sum_samples=True, optimizer=dyn.GD(rate), theta=theta, steps=steps,
                   stop_loss=1e-15, record_every=every or steps)


def where(theta):
    """1 near Q¹, 2 near Q²: neurons that carry the target."""
    v = NET.views(theta)
    size = np.abs(v["W2"][:, 0])
    same = np.abs(np.abs(v["W1"][0]) - 1).max() < .1 and np.abs(np.abs(v["b1"]) - 1).max() < .1
    return 1 if same and size.min() > .05 else 2 if size.min() < .2 * size.max() else 0


def scales(report):
    """Loss against time shifted by ln(1/α) / ln(1 + η|γ|), six samples, c = .5, starts of size α"""
    x, rate = np.linspace(-2, 2, 6), .01
    ax = report.figure("scales", width=3.8)
    apart = []
    for seed in report.seeds:
        curves = []
        for scale in (1e-15, 1e-10, 1e-8, 1e-6):
            theta, gamma = start(x, .5, scale, seed)
            run = descent(x, theta, rate, report.size(4000, 20000), every=1).train()
            shift = np.log(1 / scale) / np.log1p(rate * gamma)
            curves.append((run.history["step"] - shift, run.history["loss"]))
            if seed == 1:
                ax.semilogy(*curves[-1], label="α = %g" % scale)
        at = np.linspace(-400, 2000, 500)
        logs = np.array([np.interp(at, t, np.log10(v)) for t, v in curves])
        apart.append(np.abs(logs - logs[0]).max())
    report.claim("largest difference of the shifted curves in log10 L, α = 1e-15 … 1e-6", apart, most=.02)
    ax.set(xlabel="step - ln(1/α) / ln(1 + η|γ|)", ylabel="loss", xlim=(-600, 2000))
    ax.legend()


def imbalance(report):
    """Where training ends over c, six even samples, α = 1e-8: output weights of the two neurons"""
    x = np.linspace(-2, 2, 6)
    c = report.size(np.array([.3, .5, .66, .76, .9, 1]), np.linspace(.05, 1, 39))
    runs = list(report.sweep("imbalance", lambda c: descent(x, start(x, c, 1e-8, 1)[0], .05, 1000000), c=c))
    ends = np.array([where(run.theta) for run in runs])
    report.claim("share of c ≤ .66 that ends in Q²", (ends[c <= .66] == 2).mean(), least=1)
    report.claim("share of c ≥ .74 that ends in Q¹", (ends[c >= .74] == 1).mean(), least=1)
    report.claim("largest distance from the target, Q²", max(
        abs(NET(run.theta, GRID)[:, 0] - target(GRID)).max() for run, end in zip(runs, ends) if end == 2), most=1e-3)
    ax = report.figure("imbalance", width=3.6)
    ax.plot(c, [np.sort(np.abs(NET.views(run.theta)["W2"][:, 0])) for run in runs], "o-")
    ax.axvline(.74, color="k", linestyle="--")
    ax.set(xlabel="c", ylabel="|a_1|, |a_2| at the end")


def recovery(report):
    """Normal inputs, α = 1e-20: samples of the target, c̃, and whether training recovers it (error below 1e-8)"""
    c = report.size([0, .5, 1], [0, .1, .25, .5, .75, .9, 1])
    counts = report.size([2, 3], [2, 3, 4, 5, 6])

    def trained(n, c, seed):
        x, test = np.random.default_rng(100 + seed).normal(size=n), np.random.default_rng(seed).normal(size=1000)
        rate = min(.5, 1 / (2 * np.sum(x**2 + 1)))
        run = descent(x, start(x, c, 1e-20, seed)[0], rate, report.size(1000000, 3000000)).train()
        if run.history["loss"][-1] > 1e-13:         # unconverged: close inputs
            return {"error": np.nan}
        return {"error": np.mean((run.predict(test)[:, 0] - target(test))**2)}
    error = report.grid("recovery", trained, n=counts, c=c, seed=range(5))["error"]
    report.claim("n = 2: share recovered", (error[0] < 1e-8).mean(), 0, 0)
    ends, middle = (e[np.isfinite(e)] for e in (error[1][[0, -1]], error[1][1:-1]))
    report.claim("n = 3, c̃ = 0 or 1: share of converged runs that recover it", (ends < 1e-8).mean(), least=.8)
    report.claim("n = 3, other c̃: the same", (middle < 1e-8).mean(), 0, 0)
    ax = report.figure("recovery", width=3.6)
    for i, n in enumerate(counts):
        ax.semilogy(c, np.nanmedian(error[i], axis=1), "o-", label="n = %d" % n)
    ax.set(xlabel="c̃", ylabel="median test error")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2405.13787", "Single-neuron targets", [scales, imbalance, recovery])
