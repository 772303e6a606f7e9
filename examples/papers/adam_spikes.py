# SPDX-License-Identifier: BSD-3-Clause
"""Bai et al., "Adaptive preconditioners trigger loss spikes in Adam", arXiv 2506.04805: networks.

v decays as β₂^t where gradients have become small, so that the eigenvalues of Ĥ = c_t D^½ H D^½, D = 1/(√v̂ + ε), c_t
= (1-β₁)/((1+β₁)(1-β₁^t)), grow past 2/η, and stay there while v is slow: the loss spikes. λ_max(Ĥ) > 2/η is a risk,
the curvature along the gradient λ_grad(Ĥ) = gᵀĤg/|g|² > 2/η the sign."""
import numpy as np

import dyn
import reproduction

ETA = .01


def network(rule, steps, seed):
    """(run, λ_max(Ĥ), λ_grad(Ĥ) over the threshold, spikes) of a 1-20-1 tanh network on sin x + sin 4x."""
    run = dyn.Run(dyn.mlp([1, 20, 1], seed=seed), *dyn.data.target("sin_4", 200), optimizer=rule)
    run.measure(dyn.Sharpness(tolerance=1e-3, search=False, raw=False), every=1)
    run.measure(lambda state: state.gradient, name="gradient", every=1)
    found = run.train(steps)["sharpness"]
    return run, found.values[:, 0] / found.threshold, found.directional / found.threshold, dyn.spikes(run)


def networks(report):
    """1-20-1 tanh on sin x + sin 4x: loss and its spikes, λ_max(Ĥ)η/2 and λ_grad(Ĥ)η/2"""
    steps = report.size(2500, 6000)
    count, told, crossed, leads = [], [], [], []
    for seed in report.seeds:
        run, top, along, spikes = network(dyn.Adam(ETA), steps, seed)
        episodes = [dyn.above(series, 1, steps=np.arange(len(series))) for series in (along, top)]
        for found, kept in zip(episodes, (told, crossed)):
            kept.append(found.predict(spikes, lead=50))
        count.append(len(spikes))
        leads.append(order(run, top, along, spikes))
        if seed == 1:
            whole(report, run, top, along, spikes)
            first_spike(report, run, top, along, spikes)
    report.claim("spikes in %d steps" % steps, count, least=1)
    report.claim("share of spikes with λ_grad(Ĥ) > 2/η up to 50 steps before",
                 sum(t.hits for t in told) / sum(count), least=1)
    report.claim("episodes of λ_max(Ĥ) > 2/η over the number of spikes",
                 sum(c.hits + c.false_alarms for c in crossed) / sum(count), least=1)
    report.claim("false alarms of λ_max(Ĥ) > 2/η", [c.false_alarms for c in crossed], least=1)
    for name, found in zip(("λ_max(Ĥ) crosses, then λ_grad(Ĥ)", "λ_grad(Ĥ) crosses, then the loss is at its peak"),
                           np.transpose(leads)):
        report.claim("first spike: steps from which %s" % name, found, least=1)


def order(run, top, along, spikes):
    """Steps between the last rise of λ_max over 1 before the first spike, that of λ_grad, and the peak."""
    peak, loss = spikes.peaks[0], run.history["loss"]
    low = peak - 60 + int(np.argmin(loss[peak - 60:peak]))          # where the loss begins to rise
    rises = [np.flatnonzero((series[1:peak] > 1) & (series[:peak - 1] <= 1)) + 1 for series in (top, along)]
    early, late = (r[r >= low - 100][0] for r in rises)
    return late - early, peak - late


def whole(report, run, top, along, spikes):
    ax, below = report.figure("network", 2, 1, width=4.5, height=2, sharex=True)
    ax.semilogy(run.history["loss"])
    ax.plot(spikes.peaks, run.history["loss"][spikes.peaks], "v", color=reproduction.style.RED, markersize=4)
    below.plot(np.column_stack([top, along]), label=["λ_max(Ĥ) η/2", "λ_grad(Ĥ) η/2"])
    below.axhline(1, color="k", linestyle="--")
    below.set(xlabel="step", ylim=(-.5, 3))
    below.legend()


def first_spike(report, run, top, along, spikes):
    """Figure and claims of the steps about the first spike: v decays as β₂^t until the gradient is large."""
    v = [np.zeros(run.objective.size)]
    for g in run["gradient"].values:
        v.append(.999 * v[-1] + .001 * g**2)
    size, peak = np.linalg.norm(v[1:], axis=1), spikes.peaks[0]
    report.claim("seed 1, 60 to 40 steps before the first peak: |v_t| / |v_(t-1)|",
                 (size[peak - 40] / size[peak - 60])**(1 / 20), .999, 5e-4)
    report.claim("seed 1, 20 steps about it: largest |v_t| / |v_(t-1)|",
                 (size[1:] / size[:-1])[peak - 11:peak + 9].max(), least=1.005)
    axes = report.figure("first_spike", 3, 1, width=4.5, height=1.5, sharex=True)
    steps = np.arange(peak - 120, peak + 60)
    axes[0].semilogy(steps, run.history["loss"][steps])
    axes[1].plot(steps, np.column_stack([top, along])[steps], label=["λ_max(Ĥ) η/2", "λ_grad(Ĥ) η/2"])
    axes[1].axhline(1, color="k", linestyle="--")
    axes[1].legend()
    axes[2].plot(steps, size[steps])
    for ax, name in zip(axes, ("loss", "", "|v|")):
        ax.set_ylabel(name)
    axes[2].set_xlabel("step")


def wide(report):
    """50 inputs, 1000 neurons: λ_max(H) stays while λ_max(Ĥ) grows like β₂^(-t/2) to 2/η, and the loss spikes after"""
    x, y = dyn.data.target("quadratic_50d", 200, seed=1)
    run = dyn.Run(dyn.mlp([50, report.size(200, 1000), 1], seed=1), x, y, optimizer=dyn.Adam(.02, beta2=.99))
    run.measure(dyn.Sharpness(tolerance=1e-3, search=False), every=2)
    found = run.train(report.size(400, 500))["sharpness"]
    spikes, top = dyn.spikes(run), found.values[:, 0] / found.threshold
    crossing = found.steps[found.steps > 50][np.argmax(top[found.steps > 50] > 1)]
    later = spikes.peaks[spikes.peaks > crossing][0]
    report.claim("steps from λ_max(Ĥ) = 2/η to the next spike's peak", later - crossing, least=1, most=60)
    alone = (found.steps > crossing - 80) & (found.steps < crossing)
    unbiased = np.log(top[alone]) - np.log(1 - .99**found.steps[alone]) / 2
    slope = np.polyfit(found.steps[alone], unbiased, 1)[0]
    report.claim("80 steps before it: slope of ln λ_max(Ĥ) √(v̂/v) over -½ ln β₂", slope / (-.5 * np.log(.99)), 1, .02)
    report.claim("and λ_max(H), largest over least", found.raw[alone].max() / found.raw[alone].min(), most=1.02)
    ax = report.figure("wide", width=4)
    ax.semilogy(run.history["loss"], label="loss")
    ax.semilogy(found.steps, np.column_stack([top, found.raw * .01]), label=["λ_max(Ĥ) η/2", "λ_max(H) η/2"])
    ax.set(xlabel="step")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2506.04805", "Adam's loss spikes", [networks, wide])
