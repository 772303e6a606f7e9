# SPDX-License-Identifier: BSD-3-Clause
"""Bai et al., "Adaptive preconditioners trigger loss spikes in Adam", arXiv 2506.04805: one parameter, L = θ²/2.

Where gradients have become small v decays as β₂^t on its own, so that η/√v̂ grows as β₂^(-t/2) past the threshold
2(1 + β₁)/(1 - β₁), 38 at β₁ = .9, whatever η: there the loss turns round and spikes, while gradient descent goes on.
A spike has five stages: stable decrease; v decays; onset, where η/√v̂ is above the threshold while v still decays; v
grows; the loss decays."""
import itertools

import numpy as np

import dyn
import reproduction


def quadratic(rule, steps):
    """θ along a run on θ²/2 from 1."""
    parabola = dyn.Objective.from_functions(1, lambda t: t @ t / 2, lambda t: (t @ t / 2, t))
    run = dyn.Run(parabola, optimizer=rule, theta=[1.0])
    run.measure(lambda state: state.theta[0], name="theta", every=1)
    return run.train(steps)["theta"].values


def second_moment(theta, b2):
    """v_t of the step at each t, from the iterates: the gradient of θ²/2 is θ."""
    return np.array(list(itertools.accumulate((1 - b2) * theta**2, lambda v, g2: b2 * v + g2, initial=0)))[1:]


def effective(v, b1, b2, eta):
    """η/√v̂ with the bias of m."""
    t = np.arange(1, len(v) + 1)
    return eta / np.sqrt(v / (1 - b2**t)) / (1 - b1**t)


def envelope(loss):
    """Maximum over 40 steps."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(loss, (20, 19), "edge"), 40).max(1)


def one_parameter(report):
    """θ²/2: Adam spikes where η/√v̂ (dashed) passes 38 (dotted), with β₂ = .9 it does not; gradient descent (grey)"""
    axes, descent = report.figure("quadratic", 1, 2), quadratic(dyn.GD(.1), 400)
    for ax, b2 in zip(axes, (.99, .9)):
        theta = quadratic(dyn.Adam(.1, .9, b2, eps=0.0), report.size(1500, 4000))
        rate = effective(second_moment(theta, b2), .9, b2, .1)
        loss = envelope(theta**2 / 2)
        ax.semilogy(descent**2 / 2, color="grey", linewidth=.9)
        ax.semilogy(theta**2 / 2)
        ax.semilogy(rate, "--")
        ax.axhline(38, color="k", linestyle=":", linewidth=.9)
        ax.set(xlabel="step", ylabel="L, η/√v̂", title="β₂ = %g" % b2, ylim=(1e-44, 1e3))
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
    report.claim("gradient descent: largest θ²(t+1) - θ²(t)", np.diff(descent**2).max(), most=0)


def stages(report):
    """The first spike at β₂ = .99: loss and η/√v̂, v_t/v_(t-1), over the five stages (§2.2), divided by lines"""
    theta, b2 = quadratic(dyn.Adam(.1, .9, .99, eps=0.0), 1100), .99
    v = second_moment(theta, b2)
    rate, growth = effective(v, .9, b2, .1), np.r_[1, v[1:] / v[:-1]]
    fed = (1 - b2) * theta**2 / v                       # share of v that this gradient has brought
    decay = int(np.flatnonzero(fed[:800] > .1)[-1])     # 1 to 2: from here on v falls by itself
    onset = int(np.argmax(rate > 38))                   # 2 to 3
    refill = onset + int(np.argmax(growth[onset:] > 1))     # 3 to 4: the gradient is large enough to make v grow
    calm = onset + int(np.argmax(rate[onset:] < 38))        # 4 to 5
    slope = np.polyfit(np.arange(decay, onset), np.log(v[decay:onset]), 1)[0]
    report.claim("2: slope of ln v per step over ln β₂", slope / np.log(b2), 1, 1e-2)
    report.claim("3: v_t/v_(t-1) while the loss has begun to grow, largest", growth[onset:refill].max(), most=1)
    report.claim("3: decades that θ² grows in it", np.log10(envelope(theta**2)[refill] / envelope(theta**2)[onset]),
                 least=10)
    report.claim("4: largest v_t/v_(t-1)", growth[refill:calm + 20].max(), least=1.05)
    report.claim("5: η/√v̂ after it, 100 steps, largest", rate[calm + 5:calm + 105].max(), most=38)
    report.claim("order of stages: least length of 1 to 4, steps", min(np.diff([0, decay, onset, refill, calm])),
                 least=1)
    axes = report.figure("stages", 3, 1, width=5, height=1.5, sharex=True)
    for ax, series, name in zip(axes, (theta**2 / 2, rate, growth), ("L", "η/√v̂", "v_t/v_(t-1)")):
        ax.plot(series)
        ax.set_ylabel(name)
        for edge in (decay, onset, refill, calm):
            ax.axvline(edge, color="k", linewidth=.7, linestyle="--")
    axes[0].set_yscale("log")
    axes[2].set(xlabel="step", ylim=(.9, 1.3))


if __name__ == "__main__":
    reproduction.main("2506.04805", "Adam's loss spikes, one parameter", [one_parameter, stages])
