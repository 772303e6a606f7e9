# SPDX-License-Identifier: BSD-3-Clause
"""Bai et al., "Adaptive preconditioners trigger loss spikes in Adam", arXiv 2506.04805.

v decays as β₂^t where gradients have become small, so that the eigenvalues of Ĥ = c_t D^½ H D^½, D = 1/(√v̂ + ε), c_t
= (1-β₁)/((1+β₁)(1-β₁^t)), grow past 2/η, and stay there while v is slow: the loss spikes. λ_max(Ĥ) > 2/η is a risk,
the curvature along the gradient λ_grad(Ĥ) = gᵀĤg/|g|² > 2/η the sign. Gradient descent, a large ε, a small β₂ have no
spikes."""
import itertools

import numpy as np

import dyn
import reproduction

ETA = .01


def quadratic(rule, steps):
    """θ along a run on θ²/2 from 1."""
    parabola = dyn.Objective.from_functions(1, lambda t: t @ t / 2, lambda t: (t @ t / 2, t))
    run = dyn.Run(parabola, optimizer=rule, theta=[1.0])
    run.measure(lambda state: state.theta[0], name="theta", every=1)
    return run.train(steps)["theta"].values


def denominator(theta, b2):
    """√v̂ of the step at each t, from the iterates: the gradient of θ²/2 is θ."""
    v = np.array(list(itertools.accumulate((1 - b2) * theta**2, lambda v, g2: b2 * v + g2)))
    return np.sqrt(v / (1 - b2**(np.arange(len(theta)) + 1)))


def envelope(loss):
    """Maximum over 40 steps."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(loss, (20, 19), "edge"), 40).max(1)


def one_parameter(report):
    """θ²/2: Adam spikes where η/√v̂ (dashed) passes 38; gradient descent does not; with β₂ = .9 neither does Adam"""
    axes = report.figure("quadratic", 1, 2)
    for ax, b2 in zip(axes, (.99, .9)):
        theta = quadratic(dyn.Adam(.1, .9, b2, eps=0.0), report.size(1500, 4000))
        rate = .1 / (denominator(theta, b2) * (1 - .9**(np.arange(len(theta)) + 1)))
        loss = envelope(theta**2 / 2)
        ax.semilogy(theta**2 / 2)
        ax.semilogy(rate, "--")
        ax.set(xlabel="step", title="β₂ = %g" % b2)
        if b2 == .99:
            crossing = int(np.argmax(rate > 38))
            report.claim("first step with η/√v̂ > 38", crossing, 888, 1)
            report.claim("v_t / v_(t-1) there", (rate[crossing - 1] / rate[crossing])**2, .99, 1e-4)
            least = int(np.argmin(loss[:1000]))
            report.claim("step of the loss minimum (envelope) - crossing", least - crossing, 0, 25)
            report.claim("log10 of that loss", np.log10(loss[least]), np.log10(6e-39), .3)
            report.claim("log10 of the peak after it", np.log10(loss[least:1100].max()), np.log10(4.6e-4), .1)
            report.claim("steps in violation", np.argmax(rate[crossing:] < 38), 61, 1)
            report.claim("largest η/√v̂", rate[:1100].max(), 50.8, .1)
        else:
            report.claim("β₂ = .9: largest η/√v̂", rate[20:].max(), most=38)
            report.claim("β₂ = .9: spikes of the envelope", len(dyn.spikes(loss[500:], ratio=10)), 0, 0)
    report.claim("gradient descent: largest θ²(t+1) - θ²(t)", np.diff(quadratic(dyn.GD(.1), 400)**2).max(), most=0)


def network(rule, steps, seed):
    """(run, λ_max, λ_grad over the threshold, spikes) of a 1-20-1 tanh network on sin x + sin 4x."""
    x = np.linspace(-np.pi, np.pi, 200)
    run = dyn.Run(dyn.mlp([1, 20, 1], seed=seed), x, np.sin(x) + np.sin(4 * x), optimizer=rule)
    run.measure(dyn.Sharpness(tolerance=1e-3, search=False, raw=False), every=1)
    found = run.train(steps)["sharpness"]
    return run, found.values[:, 0] / found.threshold, found.directional / found.threshold, dyn.spikes(run)


def networks(report):
    """1-20-1 tanh on sin x + sin 4x: loss and its spikes, λ_max(Ĥ)η/2 and λ_grad(Ĥ)η/2"""
    steps = report.size(2500, 6000)
    hits, count, alarms, quiet, violations = ([] for _ in range(5))
    for seed in report.seeds:
        run, top, along, spikes = network(dyn.Adam(ETA), steps, seed)
        told, crossed = (dyn.above(series, 1, steps=np.arange(len(series))) for series in (along, top))
        hits.append(told.predict(spikes, lead=50).hits)
        count.append(len(spikes))
        alarms.append(len(crossed))
        if seed == 1:
            ax, below = report.figure("network", 2, 1, width=4.5, height=2, sharex=True)
            ax.semilogy(run.history["loss"])
            ax.plot(spikes.peaks, run.history["loss"][spikes.peaks], "v", color=reproduction.style.RED, markersize=4)
            below.plot(np.column_stack([top, along]), label=["λ_max(Ĥ) η/2", "λ_grad(Ĥ) η/2"])
            below.axhline(1, color="k", linestyle="--")
            below.set(xlabel="step", ylim=(-.5, 3))
            below.legend()
        run, _, along, spikes = network(dyn.Adam(ETA, eps=.1), steps // 2, seed)
        quiet.append(len(spikes) + (along > 1).sum())
        _, _, along, spikes = network(dyn.Adam(ETA, beta2=.9), steps // 2, seed)
        violations.append(np.mean(np.subtract(*(getattr(dyn.above(along, 1), end) for end in ("ends", "starts")))))
    report.claim("spikes in %d steps" % steps, count, least=1)
    report.claim("share of spikes with λ_grad(Ĥ) > 2/η up to 50 steps before", sum(hits) / sum(count), least=1)
    report.claim("episodes of λ_max(Ĥ) > 2/η over the number of spikes", sum(alarms) / sum(count), least=1)
    report.claim("ε = .1: spikes and steps with λ_grad(Ĥ) > 2/η", quiet, 0, 0)
    report.claim("β₂ = .9: mean length of a violation of λ_grad(Ĥ), steps", violations, most=2)
    report.claim("gradient descent, η = .05: spikes", len(network(dyn.GD(.05), steps // 2, 1)[3]), 0, 0)


def wide(report):
    """50 inputs, 1000 neurons: λ_max(H) stays while λ_max(Ĥ) grows like β₂^(-t/2) to 2/η, and the loss spikes after"""
    x, y = dyn.data.target("quadratic_50d", 200, seed=1)
    run = dyn.Run(dyn.mlp([50, report.size(200, 1000), 1], seed=1), x, y, optimizer=dyn.Adam(.02, beta2=.99))
    run.measure(dyn.Sharpness(tolerance=1e-3, search=False), every=2)
    found = run.train(report.size(400, 1000))["sharpness"]
    spikes, top = dyn.spikes(run), found.values[:, 0] / found.threshold
    crossing = found.steps[found.steps > 50][np.argmax(top[found.steps > 50] > 1)]
    later = spikes.peaks[spikes.peaks > crossing][0]
    report.claim("steps from λ_max(Ĥ) = 2/η to the next spike's peak", later - crossing, least=1, most=60)
    ax = report.figure("wide", width=4)
    ax.semilogy(run.history["loss"], label="loss")
    ax.semilogy(found.steps, np.column_stack([top, found.raw * .01]), label=["λ_max(Ĥ) η/2", "λ_max(H) η/2"])
    ax.set(xlabel="step")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2506.04805", "Adam's loss spikes", [one_parameter, networks, wide])
