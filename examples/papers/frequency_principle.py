# SPDX-License-Identifier: BSD-3-Clause
"""Xu, Zhang, Xiao, "Training behavior of deep neural network in frequency domain" (arXiv 1807.01251), and later
forms: the frequency principle.

Networks fit low frequencies first. In one dimension by the coefficients F(k) = (1/n) Σ y exp(-ikx) of output and
target, Δ(k) = ||F_net| - |F_target|| / |F_target|; in many along a direction, or by their parts below and above a
Gaussian filter: y_low = G y / G 1, G_ij = exp(-|x_i - x_j|² / (2δ)). The reason: a neuron tanh(wx + b) has the
transform (π/w) / sinh(πk / (2w)), which falls as exp(-πk / (2w)) for small w, and as 1/k only for large ones."""
import numpy as np

import dyn
import reproduction


def steps_to(found, error):
    """First step at which the error of each frequency is below a bound."""
    below = found.values < error
    return np.where(below.any(0), found.steps[below.argmax(0)], found.steps[-1])


def spectrum(report):
    """sin x + sin 4x: amplitudes of the target; error at its two peaks against the step, as curves and as a map"""
    x = np.linspace(-10, 10, 61)
    y = np.sin(x) + np.sin(4 * x)
    k = 2 * np.pi * np.arange(20) / (61 / 3)                # of the discrete transform
    size = abs(dyn.frequency.transform(x, y, k))
    peaks = k[1:-1][(size[1:-1] > size[:-2]) & (size[1:-1] > size[2:]) & (size[1:-1] > .2)]
    report.claim("peaks of the target's spectrum: k", peaks, most=4.1, least=.8)
    first = []
    for seed in report.seeds:
        net = dyn.mlp([1, 200, 200, 200, 100, 1], seed=seed, init=dyn.init.normal(.05))
        run = dyn.Run(net, x, y, dtype="float32", optimizer=dyn.Adam(report.size(2e-4, 2e-5)),
                      stop_loss=3e-3, record_every=1000)
        run.measure(dyn.frequency.FrequencyErrors(peaks), every=20)
        found = run.train(report.size(3000, 60000))["frequency_errors"]
        low, high = steps_to(found, .3)
        first.append(high / max(1, low))
    report.claim("steps to an error of .3 at the second peak over those at the first", first, least=2)
    axes = report.figure("spectrum", 1, 3, width=3)
    axes[0].plot(k, size, ".-")
    axes[0].plot(peaks, size[np.isin(k, peaks)], "o", color=reproduction.style.RED)
    axes[0].set(xlabel="k", ylabel="|F(k)| of the target")
    axes[1].semilogy(found.steps, found.values, label=["k = %.2g" % p for p in peaks])
    axes[1].set(xlabel="step", ylabel="Δ(k)", ylim=(1e-3, 2))
    axes[1].legend()
    dyn.plots.frequencies(axes[2], found, "Δ")
    axes[2].set_xlabel("step")


def projection(report):
    """500 digits along their first principal direction: relative error per frequency against the step, seed 1"""
    x, y = (a[:500] for a in dyn.data.digits())
    along = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][0]
    k, order = np.linspace(.3, 3, report.size(10, 19)), []
    for seed in report.seeds:
        run = dyn.Run(dyn.mlp([64, 100, 10], seed=seed), x, y, optimizer=dyn.Adam(1e-3))
        run.measure(dyn.frequency.FrequencyErrors(k, direction=along), every=5)
        found = run.train(500)["frequency_errors"]
        ranks = [np.argsort(np.argsort(v, kind="stable")) for v in (k, steps_to(found, .2))]
        order.append(np.corrcoef(ranks)[0, 1])
        if seed == 1:
            ax = report.figure("projection", width=4)
            dyn.plots.frequencies(ax, found)
            ax.set_xlabel("step")
    report.claim("digits, k ≤ 3: rank correlation of k with the step at which its error is .2", order, least=.8)


def filtering(report):
    """500 digits: relative errors of the low (solid) and the high part (dashed) of the output, filters of width √δ"""
    below = report.figure("filtering", width=3.8)
    x, y = (a[:500] for a in dyn.data.digits())
    deltas, order = (.3, 1.0, 3.0), []
    for seed in report.seeds:
        net = dyn.mlp([64, 100, 10], seed=seed)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(1e-3))
        run.measure(lambda s: np.ravel([dyn.frequency.relative_errors(x, y, net(s.theta, x), d) for d in deltas]),
                    name="parts", every=20)
        parts = run.train(400)["parts"]
        order.append((parts.values[1:, 0::2] < parts.values[1:, 1::2]).mean(0))
    for delta, found in zip(deltas, np.transpose(order)):
        report.claim("digits, δ = %g: share of rows with e_low < e_high" % delta, found, least=.95)
    for i, delta in enumerate(deltas):
        line = below.semilogy(parts.steps, parts.values[:, 2 * i], label="δ = %g" % delta)[0]
        below.semilogy(parts.steps, parts.values[:, 2 * i + 1], "--", color=line.get_color())
    below.set(xlabel="step", ylabel="relative error")
    below.legend()


def mechanism(report):
    """Two layers, tanh: how much faster k = 2 is learned than k = 8, over the size of input weights"""
    x, sizes = np.linspace(-15, 15, 601), np.geomspace(1, 1000, 10)
    net, falls = dyn.mlp([1, 4000, 1]), np.empty((len(report.seeds), len(sizes), 2))
    for at in np.ndindex(falls.shape):
        random, k = np.random.default_rng(report.seeds[at[0]]), (2, 8)[at[2]]
        theta = np.zeros(net.size)
        views = net.views(theta)
        views["W1"][:] = sizes[at[1]] * random.normal(size=views["W1"].shape)
        views["b1"][:] = -np.ravel(views["W1"]) * random.uniform(-15, 15, 4000)         # kinks are even
        run = dyn.Run(dyn.Objective(net, x, np.sin(k * x) * np.exp(-x**2 / 18)), optimizer=dyn.GD(1e-6), theta=theta)
        run.measure(dyn.frequency.FrequencyErrors([k], floor=0), every=1)
        falls[at] = -np.diff(run.train(1)["frequency_errors"].values[:, 0])[0]
    ratios = falls[..., 0] / falls[..., 1]
    report.claim("weights of size 1: rate at k = 2 over that at k = 8", ratios[:, 0], least=100)
    report.claim("least fall of it to the next size, as a factor", (ratios[:, :-1] / ratios[:, 1:]).min(1), least=1)
    report.claim("weights of size 1000: the same; of steps it is (8/2)²", ratios[:, -1], 16, 1)
    ax = report.figure("mechanism", width=3.6)
    ax.errorbar(sizes, ratios.mean(0), ratios.std(0), fmt="o-")
    ax.axhline(16, color="k", linestyle="--", linewidth=.9)
    ax.set(xlabel="size of input weights", ylabel="rate at k = 2 over k = 8", xscale="log", yscale="log")


if __name__ == "__main__":
    reproduction.main("1807.01251", "Frequency principle", [spectrum, projection, filtering, mechanism])
