# SPDX-License-Identifier: BSD-3-Clause
"""Bai et al., "Adaptive preconditioners trigger loss spikes in Adam", arXiv 2506.04805: what prevents spikes, and
a CNN.

A large ε bounds 1/(√v̂ + ε); a small β₂ lets v follow the gradient, so that λ_grad(Ĥ) > 2/η for single steps only and
the loss oscillates instead of spiking. Gradient descent stays below 2/η. CNN: 8 × 8 digits, 4 and 8 channels, tanh;
the paper's is larger, on CIFAR-10."""
import numpy as np

import dyn
import reproduction
from adam_spikes import ETA, network


def remedies(report):
    """A large ε and a small β₂ have no large spikes, gradient descent none: losses (seed 1)"""
    steps, ax = report.size(2500, 3000), report.figure("remedies", width=3.8)
    rules = {"Adam": dyn.Adam(ETA), "ε = .1": dyn.Adam(ETA, eps=.1), "β₂ = .9": dyn.Adam(ETA, beta2=.9),
             "gradient descent, η = .05": dyn.GD(.05)}
    seeds = report.seeds[:report.size(2, 3)]
    runs = {name: [network(rule, steps, seed) for seed in seeds] for name, rule in rules.items()}
    for name, found in runs.items():
        ax.semilogy(found[0][0].history["loss"], label=name, linewidth=.9)
    above = {name: [(along > 1).sum() for *_, along, _ in found] for name, found in runs.items()}
    lengths = [np.mean(np.subtract(e.ends, e.starts)) for e in (dyn.above(a, 1) for *_, a, _ in runs["β₂ = .9"])]
    report.claim("ε = .1: spikes and steps with λ_grad(Ĥ) > 2/η", [above["ε = .1"][i] + len(r[3]) for i, r in enumerate(
        runs["ε = .1"])], 0, 0)
    last = {name: [r[0].history["loss"][-200:].min() for r in found] for name, found in runs.items()}
    report.claim("ε = .1: loss at the end over Adam's, slower", np.divide(last["ε = .1"], last["Adam"]), least=10)
    report.claim("β₂ = .9: mean length of a violation of λ_grad(Ĥ), steps", lengths, most=2)
    report.claim("β₂ = .9: largest spike over the least loss before", [tallest(r) for r in runs["β₂ = .9"]], most=2)
    report.claim("Adam: the same", [tallest(r) for r in runs["Adam"]], least=2)
    gd = runs["gradient descent, η = .05"]
    report.claim("gradient descent, η = .05: spikes", [len(r[3]) for r in gd], 0, 0)
    report.claim("gradient descent: largest λ_max(H) η/2", [r[1].max() for r in gd], most=1)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend()


def tallest(found):
    """Largest loss over the least of 50 steps before, from step 500 on."""
    loss = found[0].history["loss"][450:]
    before = np.lib.stride_tricks.sliding_window_view(loss, 50)[:-1].min(1)
    return (loss[50:] / before).max()


def cnn(report):
    """A small CNN on 200 digits, full batch: loss and spikes, λ_max(Ĥ)η/2 and λ_grad(Ĥ)η/2; β₂ = .9 (grey) has none"""
    x, y = (a[:200] for a in dyn.data.digits())
    told, count, quiet = [], [], []
    axes = report.figure("cnn", 2, 1, width=4.5, height=2, sharex=True)
    for seed in report.seeds[:report.size(1, 3)]:
        for b2 in (.999, .9):
            net = dyn.cnn((8, 8, 1), channels=[4, 0, 8], outputs=10, activation="tanh", seed=seed)
            run = dyn.Run(net, x.reshape(-1, 8, 8, 1), y, optimizer=dyn.Adam(ETA, beta2=b2))
            run.measure(dyn.Sharpness(tolerance=1e-2, search=False, raw=False), every=1)
            found = run.train(report.size(900, 1500))["sharpness"]
            if b2 == .9:
                quiet.append(len(dyn.spikes(run)))
                axes[0].semilogy(run.history["loss"], color="grey", linewidth=.8)
                continue
            top, along = found.values[:, 0] / found.threshold, found.directional / found.threshold
            spikes = dyn.spikes(run)
            told.append(dyn.above(along, 1, steps=found.steps).predict(spikes, lead=50).hits / len(spikes))
            count.append(len(spikes))
            if seed == 1:
                axes[0].semilogy(run.history["loss"])
                axes[0].plot(spikes.peaks, run.history["loss"][spikes.peaks], "v", color="C3", markersize=4)
                axes[1].plot(np.column_stack([top, along]), label=["λ_max(Ĥ) η/2", "λ_grad(Ĥ) η/2"], linewidth=.9)
    report.claim("CNN: spikes in %d steps" % report.size(900, 1500), count, least=report.size(2, 3))
    report.claim("CNN: share of spikes with λ_grad(Ĥ) > 2/η up to 50 steps before", told, least=1)
    report.claim("CNN, β₂ = .9: spikes", quiet, 0, 0)
    axes[0].set_ylabel("loss")
    axes[1].axhline(1, color="k", linestyle="--")
    axes[1].set(xlabel="step", ylim=(-.2, 2))
    axes[1].legend()


if __name__ == "__main__":
    reproduction.main("2506.04805", "Adam's loss spikes: remedies, a CNN", [remedies, cnn])
