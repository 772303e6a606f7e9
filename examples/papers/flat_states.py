# SPDX-License-Identifier: BSD-3-Clause
"""Bai, Zhao, Zhou, Xu, Zhang, "Adam on highly degenerate polynomials", arXiv 2603.09581, continued: why it converges.

RMSProp (β₁ = 0) on x^k / k: v outlives g², so that u = ηλ = η x^(k-2) / √v obeys u' = Γ u (1 - u)^(k-2), Γ = β₂^(-1/2),
with a stable fixed point just where Γ < (k/(k-2))^(k-2): the rate grows as the gradient falls. Where v is g² (sign
descent) nothing converges. The same holds for L (1 + h(x)); not for k = 2, where λ = 1/√v grows without bound."""
import numpy as np

import dyn
import reproduction
from flat_minimum import ETA, loss


def decoupling(report):
    """RMSProp on x⁴/4: 1/√v grows on its own and v/g² with it (dashed: theory); sign descent, where v is g², stalls"""
    t = dyn.degenerate.run(4, 0, .99, rate=ETA, steps=20000)
    rate = -np.log(t.lambda_) + 2 * t.log_x             # ln √v
    report.claim("slope of ln(η/√v) per step over -½ ln β₂", np.diff(rate)[-1000:].mean() / (.5 * np.log(.99)), 1, 1e-3)
    ratio = -2 * (np.log(t.lambda_) + t.log_x)
    report.claim("slope of ln(v/g²) over -ln β₂ / (k - 2)", np.diff(ratio)[-1000:].mean() / (-np.log(.99) / 2), 1, 1e-3)
    run = dyn.Run(loss(4), optimizer=dyn.SignGD(ETA), theta=[1.0003])
    run.measure(lambda state: abs(state.theta[0]), name="x", every=1)
    sign = run.train(3000)["x"].values
    report.claim("sign descent: largest |x|/η over the last 1000 of 3000 steps", sign[-1000:].max() / ETA, most=1)
    falls = [np.diff(dyn.degenerate.run(4, 0, .99, rate=ETA, x=x, steps=20000).log_x)[-1] for x in (.01, .1, 1, 10)]
    report.claim("from x = .01, .1, 1, 10: x'/x at the end", np.exp(falls), .99**.25, 1e-6)
    axes, steps = report.figure("decoupling", 1, 3, width=2.8), np.arange(5001)
    axes[0].plot(t.log_x[:5001] / np.log(10), label="RMSProp")
    axes[0].plot(np.log10(sign), label="sign descent")
    axes[0].legend()
    for ax, values, slope in ((axes[1], -rate, -.5 * np.log(.99)), (axes[2], ratio, -.5 * np.log(.99))):
        ax.plot(steps, values[:5001] / np.log(10))
        ax.plot(steps, (values[5000] + slope * (steps - 5000)) / np.log(10), "k--", linewidth=.9)
    for ax, label in zip(axes, ("log10 |x|", "log10 1/√v", "log10 v/g²")):
        ax.set(xlabel="step", ylabel=label)


def bifurcation(report):
    """u = ηλ of RMSProp after many steps against β₂, k = 4 and 6: a fixed point above ((k - 2)/k)^(2(k-2)) (dashed)"""
    axes, rates = report.figure("bifurcation", 1, 2, width=3.6), np.geomspace(.01, .9, report.size(100, 300))
    for ax, k in zip(axes, (4, 6)):
        edge, orbits = ((k - 2) / k)**(2 * (k - 2)), []
        for b2 in rates:
            t = dyn.degenerate.run(k, 0, b2, rate=ETA, steps=6000)
            orbits.append(ETA * t.lambda_[-64:])
        settled = np.ptp(orbits, axis=1) < 1e-3 * np.mean(orbits, axis=1)
        report.claim("k = %d: largest β₂ at which u does not settle over ((k-2)/k)^(2(k-2))" % k,
                     rates[~settled].max() / edge, 1, .1)
        u = ETA * dyn.degenerate.run(k, 0, .9, rate=ETA, steps=4000).lambda_[-1000:]
        step = abs(u[1:] / (.9**-.5 * u[:-1] * (1 - u[:-1])**(k - 2)) - 1)
        report.claim("k = %d, β₂ = .9: largest |u' / (Γ u (1 - u)^(k-2)) - 1|" % k, step.max(), most=1e-9)
        report.claim("k = %d, β₂ = .9: u at the end over 1 - β₂^(1/(2(k-2)))" % k,
                     u[-1] / (1 - .9**(.5 / (k - 2))), 1, 1e-6)
        ax.semilogx(np.repeat(rates, 64), np.ravel(orbits), ",", color=reproduction.style.BLUE)
        ax.axvline(edge, color="k", linestyle="--", linewidth=.9)
        ax.set(xlabel="β₂", ylabel="u", title="k = %d" % k, ylim=(0, 1.2))
    found = dyn.degenerate.theory(4, .9, .91, ETA)
    t = dyn.degenerate.run(4, .9, .91, rate=ETA, steps=20000)
    report.claim("β₁ = .9, β₂ = .91: ω and λ at the end over (1 - β₁)/(1 - β₁ r^-(k-1)) and (1 - r)/(ηω)",
                 [t.omega[-1] / found.omega, t.lambda_[-1] / found.lambda_], 1, 1e-6)


def work(report):
    """Steps to |x| ≤ ε on x⁴/4: gradient descent as ε^(-(k-2)), Adam as ln 1/ε (dashed: theory)"""
    ax, eps = report.figure("work", width=3.8), np.geomspace(.5, report.size(.02, .004), 6)
    run = dyn.Run(loss(4), optimizer=dyn.GD(.1), theta=[1.0], record_every=1)
    x = (4 * run.train(int(6 / eps[-1]**2)).history["loss"])**.25
    steps = np.array([np.argmax(x <= e) for e in eps])
    theory = (eps**-2 - 1) / (2 * .1)
    report.claim("descent: steps to %.3g over those of the flow" % eps[-1], steps[-1] / theory[-1], 1, .05)
    t, small = dyn.degenerate.run(4, .9, .93, rate=ETA, steps=20000).log_x, np.geomspace(1e-5, 1e-50, 6)
    adam = np.array([np.argmax(t <= np.log(e)) for e in small])
    law = 4 / -np.log(.93) * np.log(1 / small)
    report.claim("Adam: steps from 1e-5 to 1e-50 over theory's", (adam[-1] - adam[0]) / (law[-1] - law[0]), 1, .01)
    ax.loglog(1 / eps, steps, "o-", label="descent")
    ax.loglog(1 / eps, theory, "k--", 1 / small, law + adam[0] - law[0], "k--", linewidth=.9)
    ax.loglog(1 / small, adam, "o-", label="Adam, β₂ = .93")
    ax.set(xlabel="1/ε", ylabel="steps")
    ax.legend()


def beyond(report):
    """Beyond x⁴: L(1 + h) and x²/2 by Adam; a loss that is flat in one direction only, (x - y)²/4 + (x + y)⁴/16"""
    rule = dyn.Adam(ETA, .9, .93, eps=0.0, bias_correction=False, init_from_gradient=True)
    axes, one = report.figure("beyond", 1, 2, width=3.6), dyn.mlp([1, 1], bias=False)
    forms = {"x⁴/4 (1 + x/2 + x²)": lambda x: x**4 / 4 * (1 + x / 2 + x**2), "x²/2": lambda x: x**2 / 2}
    for name, form in forms.items():
        run = dyn.Run(dyn.Objective(lambda net, x, form=form: form(net(x)[:, 0]), one, x=[[1.0]]), optimizer=rule,
                      theta=[1.0])
        run.measure(lambda state: state.theta[0], name="x", every=1)
        x = abs(run.train(5000)["x"].values)
        axes[0].semilogy(run.history["loss"], label=name, linewidth=.9)
        if name != "x²/2":
            report.claim("%s: x'/x at the end" % name, x[-1] / x[-2], .98202, 1e-5)
        else:
            report.claim("x²/2: log10 of the largest |x| of the last 1000 steps over the least of all",
                         np.log10(x[-1000:].max() / x[x > 0].min()), least=1)
    run = dyn.Run(loss(4), optimizer=rule, theta=[1.0], record_every=1000).train(100000)
    report.claim("x⁴/4 in double precision: log10 |x| after 1e5 steps, where g² underflows",
                 np.log10(abs(run.theta[0])), np.log10(1.8e-82), .1)
    plane = dyn.Objective(lambda net, x: (net(x)[:, 0] - net(x)[:, 1])**2 / 4 + (net(x)[:, 0] + net(x)[:, 1])**4 / 16,
                          dyn.mlp([1, 2], bias=False), x=[[1.0]])
    reach, steps = {}, report.size(30000, 100000)
    slower = dyn.Adam(ETA, .9, .99, eps=0.0, bias_correction=False, init_from_gradient=True)
    for name, how in (("Adam", slower), ("descent", dyn.GD(.1)), ("momentum", dyn.HeavyBall(.1, ema=True))):
        run = dyn.Run(plane, optimizer=how, theta=[1.0, .5])
        run.measure(lambda state: abs(state.theta.sum()), name="flat", every=1)
        reach[name] = int(np.argmax(run.train(steps)["flat"].values < report.size(.02, .012)))
        axes[1].loglog(run.history["loss"], label=name, linewidth=.9)
        if name == "Adam":
            report.claim("plane, Adam: spikes by two decades", len(dyn.spikes(run, ratio=100, window=200)), least=1)
    report.claim("plane: steps of gradient descent along the flat direction over Adam's",
                 reach["descent"] / reach["Adam"], least=5)
    for ax in axes:
        ax.set(xlabel="step", ylabel="loss")
        ax.legend(loc="lower left")


if __name__ == "__main__":
    reproduction.main("2603.09581", "Adam on flat minima: states", [decoupling, bifurcation, work, beyond])
