# SPDX-License-Identifier: BSD-3-Clause
"""Bai, Zhao, Zhou, Xu, Zhang, "Adam on highly degenerate polynomials", arXiv 2603.09581.

L = x^k / k, Adam without bias correction, eps = 0, v_0 = g_0²: in the states ω = m / x^(k-1), λ = x^(k-2) / √v the
step is x' = (1 - ηωλ) x with a fixed point of ratio r = β₂^(1/(2(k-2))) (section 3). It exists for β₁ < r^(k-1),
attracts for β₁ < r^k: exponential convergence (I), spikes (II), sign descent (III), where gradient descent goes as
t^(-1/(k-2))."""
import numpy as np

import dyn
import reproduction

ETA = 1e-3
NAMES = "least L", "last L", "median v/g²"


def loss(k):
    """L as an objective that is compiled, of one parameter."""
    return dyn.Objective(lambda net, x: net(x)[:, 0]**k / k, dyn.mlp([1, 1], bias=False), x=[[1.0]])


def log_loss(k, b1, b2, steps):
    """log10 of L along Adam's trajectory."""
    return (k * dyn.degenerate.run(k, b1, b2, rate=ETA, steps=steps).log_x - np.log(k)) / np.log(10)


def convergence(report):
    """Loss on x⁴/4: Adam exponentially at the rate of theory (dashed), gradient descent and momentum as powers"""
    t = dyn.degenerate.run(4, .9, .93, rate=ETA, steps=5000).log_x
    rule = dyn.Adam(ETA, .9, .93, eps=0.0, bias_correction=False, init_from_gradient=True)
    run = dyn.Run(loss(4), optimizer=rule, theta=[1.0])
    run.measure(lambda state: abs(state.theta[0]), name="x", every=1)
    x = run.train(5000)["x"].values
    report.claim("first step with |x| ≤ 1e-20, states", np.argmax(t <= np.log(1e-20)), 3384, 0)
    report.claim("first step with |x| ≤ 1e-20, the library's Adam", np.argmax(x <= 1e-20), 3384, 0)
    report.claim("x'/x", x[-1] / x[-2], .98202, 1e-5)
    report.claim("slope of ln L per step", np.polyfit(np.arange(3000, 5001), 4 * np.log(x[3000:]), 1)[0], -.07257, 1e-4)
    for b2, expected in ((.9, .974004), (.93, .982021), (.99, .997491), (.999, .999750)):
        steps = 200000 if b2 > .99 else 20000
        fall = np.diff(dyn.degenerate.run(4, 0, b2, rate=ETA, steps=steps).log_x)
        report.claim("RMSProp: x'/x at β₂ = %g" % b2, np.exp(fall[-100:].mean()), expected, 1e-6)
    ax = report.figure("convergence", width=3.8)
    ax.semilogy(x**4 / 4, label="Adam")
    steps = report.size(100000, 1000000)
    for k in (4, 6):
        for name, rule in (("descent", dyn.GD(.1)), ("momentum", dyn.HeavyBall(.1, ema=True))):
            slow = dyn.Run(loss(k), optimizer=rule, theta=[1.0], record_every=steps // 1000).train(steps)
            size = (k * slow.history["loss"]) ** (1 / k)
            fit = np.polyfit(np.log(slow.history["step"][-500:]), np.log(size[-500:]), 1)[0]
            report.claim("k = %d, %s: exponent of |x| in t" % (k, name), fit, -1 / (k - 2), report.size(.005, 3e-4))
            ax.semilogy(slow.history["step"][:50], slow.history["loss"][:50], label="%s, k = %d" % (name, k))
    ax.plot(x[3000]**4 / 4 * np.exp(-.07257 * (np.arange(5001) - 3000)), "k--", linewidth=.9)
    ax.set(xlim=(0, 5000), ylim=(1e-135, 1e5), xlabel="step", ylabel="L")
    ax.legend()


def regimes(report):
    """β₁ = .9, β₂ = .91, .895, .8: loss, and the orbit in (ω, λ) with the line ωλ = 2/η (dashed)"""
    high = log_loss(4, .9, .895, 20000)
    report.claim("I, β₂ = .91: log10 L at step 5000", log_loss(4, .9, .91, 5000)[-1], np.log10(1.6e-171), .02)
    report.claim("II, β₂ = .895: log10 of the least L", high.min(), -112, .05)
    report.claim("II: its step", high.argmin(), 3050, 5)
    report.claim("II: log10 of the peak after it", high[3050:].max(), np.log10(4.1e-15), .1)
    late = log_loss(4, .9, .8, 20000)[2000:]
    report.claim("III, β₂ = .8: log10 of the largest L after step 2000", late.max(), -15, 1)
    orbit = dyn.degenerate.run(4, .9, .895, rate=ETA, steps=20000)
    inside = abs(orbit.omega * orbit.lambda_ - 1 / ETA)[:-1] <= 1 / ETA
    report.claim("II: steps on which the loss rises with 0 ≤ ωλ ≤ 2/η", (np.diff(orbit.log_x)[inside] > 0).sum(), 0, 0)
    axes = report.figure("regimes", 2, 3, height=2.2)
    for column, b2 in enumerate((.91, .895, .8)):
        orbit = dyn.degenerate.run(4, .9, b2, rate=ETA, steps=5000)
        axes[0, column].plot(log_loss(4, .9, b2, 5000))
        axes[0, column].set(title="β₂ = %g" % b2, xlabel="step", ylabel="log10 L" if column == 0 else None)
        dyn.plots.states(axes[1, column], orbit, dyn.degenerate.theory(4, .9, b2, ETA), ETA)


def diagram(report):
    """Least and last L and median v/g² over (β₁, β₂), and where the fixed point exists (solid), is stable (dashed)"""
    grid, steps = np.linspace(.02, .98, report.size(16, 50)), report.size(30000, 100000)
    b1, b2 = np.meshgrid(grid, grid)
    axes = report.figure("diagram", 2, 3)
    for row, k in zip(axes, (4, 6)):
        found = dyn.degenerate.map(b1, b2, k, rate=ETA, steps=steps)
        regime = np.array([[dyn.degenerate.theory(k, p, q, ETA).regime for p in grid] for q in grid])
        fell = found.last < -100 * np.log(10)
        curve = b2**(k / (2 * (k - 2)))
        clear = abs(b1 - curve) > 1e-9          # on the curve itself theory says nothing
        report.claim("k = %d: share of (β₁, β₂) off the curve that converges just where β₁ is below it" % k,
                     (fell == (b1 < curve))[clear].mean(), least=1)       # as in NumPy, see independent.py
        sign = regime == "sign"
        ratio = np.exp(np.median(found.coupling[sign]))
        report.claim("k = %d, III: median of v/g² over the sign regime" % k, ratio, most=30)
        size = np.exp((np.median(found.last[sign]) + np.log(k)) / k)
        report.claim("k = %d, III: median of |x| at the end over η/2" % k, size / (ETA / 2), least=1 / 3, most=3)
        for ax, values, name, ends in zip(row, found, NAMES, ((-100, 0), (-100, 0), (0, 10))):
            dyn.plots.regimes(ax, b1, b2, values / np.log(10), k, "log10 of " + name, low=ends[0], high=ends[1])
            ax.set_title("k = %d" % k)


if __name__ == "__main__":
    reproduction.main("2603.09581", "Adam on flat minima", [convergence, regimes, diagram])
