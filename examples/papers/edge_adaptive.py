# SPDX-License-Identifier: BSD-3-Clause
"""Cohen et al., "Adaptive gradient methods at the edge of stability" (arXiv 2207.14484), continued: what it depends on.

λ_max(P⁻¹H) comes to 38/η at β₁ = .9 as well where P is frozen from some step on, so that Adam is heavy ball in scaled
coordinates, and with large mini-batches; where P moves, the raw sharpness may go on rising. A rate that warms up keeps
the curvature of the first part of a training lower. 1-20-1 tanh on sin x + sin 4x."""
import itertools

import numpy as np

import dyn
import reproduction

X, Y = dyn.data.target("sin_4", 200)
ETA = .01


def adam(seed, steps, rate=ETA, **options):
    """Steps, λ_max(P⁻¹H) over its threshold and λ_max(H) along a run by Adam."""
    run = dyn.Run(dyn.mlp([1, 20, 1], seed=seed), X, Y, optimizer=dyn.Adam(rate), seed=seed, **options)
    run.measure(dyn.Sharpness(tolerance=1e-3, search=False), every=20)
    found = run.train(steps)["sharpness"]
    return found.steps, found.values[:, 0] / found.threshold, found.raw[:, 0]


def frozen(report):
    """P frozen after 300 steps of Adam: λ_max(P⁻¹H) over its threshold, which it reaches as with P that moves"""
    ax, means, before, rate = report.figure("frozen", width=3.8), [], 300, .02
    for seed in report.seeds:
        objective = dyn.Objective(dyn.mlp([1, 20, 1], seed=seed), X, Y)
        run = dyn.Run(objective, optimizer=dyn.Adam(rate))
        run.measure(lambda state: state.gradient, name="gradient", every=1)
        gradients = run.train(before)["gradient"].values[:before]
        *_, v = itertools.accumulate(.001 * gradients**2, lambda v, g2: .999 * v + g2)
        scale = (np.sqrt(v / (1 - .999**before)) + 1e-8)**-.5           # P^-½

        def value(u, objective=objective, scale=scale):
            return objective.value(scale * u)

        def gradient(u, objective=objective, scale=scale):
            loss, slope = objective.gradient(scale * u)
            return loss, scale * slope
        scaled = dyn.Run(dyn.Objective.from_functions(objective.size, value, gradient), theta=run.theta / scale,
                         optimizer=dyn.HeavyBall(rate, .9, ema=True))
        scaled.measure(lambda s, objective=objective, scale=scale: np.linalg.eigvalsh(
            objective.hessian(scale * s.theta).dense() * np.outer(scale, scale))[-1] * rate / 38, name="edge", every=20)
        edge = scaled.train(report.size(3000, 12000))["edge"]
        means.append(edge.values[len(edge) // 2:].mean())
        ax.plot(before + edge.steps, edge.values, label="seed %d" % seed, linewidth=.8)
    report.claim("P frozen: mean of λ_max(P⁻¹H) η/38 over the second half", means, 1.0, .05)
    ax.axhline(1, color="k", linestyle="--", linewidth=.9)
    ax.set(xlabel="step", ylabel="λ_max(P⁻¹H) η/38")
    ax.legend()


def batches(report):
    """Mini-batches of 190 and of 100 of 200 samples: λ_max(P⁻¹H) over its threshold, and the raw sharpness"""
    steps, axes = report.size(8000, 12000), report.figure("batches", 1, 2)
    for size in (200, 190, 100):
        options = {} if size == 200 else dict(batch=size, drop_last=True)
        found = [adam(seed, steps, **options) for seed in report.seeds[:report.size(1, 3)]]
        late = [edge[at >= steps // 2].mean() for at, edge, _ in found]
        if size == 100:
            report.claim("batches of 100: mean of λ_max(P⁻¹H) η/38, second half: their noise is in P", late, most=.9)
            report.claim("batches of 100: λ_max(H) at the end over that at a fourth, goes on rising",
                         [raw[-1] / raw[len(raw) // 4] for *_, raw in found], least=1.1)
        else:
            report.claim("batches of %d: mean of λ_max(P⁻¹H) η/38, second half" % size, late, 1.0, .06)
        for ax, series in zip(axes, found[0][1:]):
            ax.plot(found[0][0], series, label="batch %d" % size, linewidth=.8)
    axes[0].set(xlabel="step", ylabel="λ_max(P⁻¹H) η/38", ylim=(0, 1.6))
    axes[1].set(xlabel="step", ylabel="λ_max(H)")
    axes[0].legend()


def warmup(report):
    """A rate that grows to η in 2000 steps, and one that does not: λ_max(P⁻¹H) η/38, and the raw sharpness"""
    axes, ratios, late = report.figure("warmup", 1, 2), [], []
    for seed in report.seeds:
        plain = adam(seed, 4000)
        slow = adam(seed, 4000, dyn.constant(ETA).after_warmup(2000, start=.01))
        middle = (plain[0] >= 200) & (plain[0] <= 2000)
        ratios.append((slow[2][middle] / plain[2][middle]).mean())
        late.append(slow[1][-50:].mean())
        if seed == 1:
            for ax, index in zip(axes, (1, 2)):
                ax.plot(plain[0], plain[index], slow[0], slow[index], linewidth=.9)
    report.claim("λ_max(H) with warm-up over that without, mean of steps 200 to 2000", ratios, most=.95)
    report.claim("λ_max(P⁻¹H) over its threshold at the end, with warm-up", late, 1.0, .06)
    axes[0].set(xlabel="step", ylabel="λ_max(P⁻¹H) over threshold", ylim=(0, 1.6))
    axes[1].set(xlabel="step", ylabel="λ_max(H), with warm-up (orange)")


if __name__ == "__main__":
    reproduction.main("2207.14484", "Edge of stability of Adam", [frozen, batches, warmup])
