# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., on sample size and initialisation for a single-neuron target, arXiv 2405.13787.

f = a_1 tanh(w_1·x) + a_2 tanh(w_2·x) on the target tanh(x + 1), x = (x, 1), loss ½ Σ (f - y)². The minima that are
the target form Q¹ (both neurons at its weights) and Q² (one there, the other silent): separated from other minima
from 5 and 4 samples on, where 3 are the least for recovery. From a tiny start c̃ = min(|C_1/C_2|, |C_2/C_1|), C_k =
a_k |γ| + w_k·γ, decides: the trajectory, shifted by ln(1/α) / ln(1 + η|γ|) steps, depends on C / |C| alone. So it is
for two neurons, for a thousand, and for 500 inputs."""
import numpy as np

import dyn
import reproduction
from neurons import apart, descent, shifted, start


def scales(report):
    """Loss against time shifted by ln(1/α) / ln(1 + η|γ|), six samples, c = .5, starts of size α"""
    x, rate, off = np.linspace(-2, 2, 6), .01, []
    ax = report.figure("scales", width=3.8)
    for seed in report.seeds:
        curves = []
        for scale in (1e-15, 1e-10, 1e-8, 1e-6):
            theta, gamma = start(x, .5, scale, seed)
            run = descent(x, theta, rate, report.size(4000, 20000), every=1).train()
            curves.append(shifted(run, scale, rate, gamma))
            if seed == 1:
                ax.semilogy(*curves[-1], label="α = %g" % scale)
        off.append(apart(curves, np.linspace(-400, 2000, 500)))
    report.claim("largest difference of the shifted curves in log10 L, α = 1e-15 … 1e-6", off, most=.02)
    ax.set(xlabel="step - ln(1/α) / ln(1 + η|γ|)", ylabel="loss", xlim=(-600, 2000))
    ax.legend()


def rational(width):
    """a · u / (1 + u²) of a width, u = w x + b."""
    def build(g, x):
        u = x @ g.parameter("W1", (1, width)) + g.parameter("b1", (width,))
        return (u / (1 + u * u)) @ g.parameter("W2", (width, 1))
    return dyn.Model.from_function(build, (1,))


def wide(report):
    """1000 neurons u / (1 + u²), C_k / C_1 = 1.5 + .0015 (k - 1): loss of starts of size α, shifted"""
    x, m, steps = np.linspace(-2, 2, 6), 1000, report.size(6000, 100000)
    y, data, net = (x + 1) / (1 + (x + 1)**2), np.column_stack([x, np.ones(6)]), rational(m)
    gamma, ax, off = np.linalg.norm(y @ data), report.figure("wide", width=3.8), []
    for seed in report.seeds:
        R, curves = np.random.default_rng(seed), []
        a, w = R.normal(size=m), R.normal(size=(m, 2))
        wanted = np.append(1, 1.5 + .0015 * np.arange(m - 1)) * gamma
        move = (wanted - dyn.branches.imbalance(a, w, data, y)) / (2 * gamma**2)    # along (|γ|, γ)
        a, w = a + move * gamma, w + np.outer(move, y @ data)
        theta = net.theta({"W1": w[:, :1].T, "b1": w[:, 1], "W2": a[:, None]})
        for scale in report.size([1e-15, 1e-6], [1e-15, 1e-12, 1e-9, 1e-6]):
            run = dyn.Run(net, x, y, half=True, sum_samples=True, optimizer=dyn.GD(.01), theta=scale * theta,
                          steps=steps, record_every=1).train()
            curves.append(shifted(run, scale, .01, gamma))
            if seed == 1:
                ax.loglog(curves[-1][0] + 600, curves[-1][1], label="α = %g" % scale)
        off.append(apart(curves, np.linspace(-400, steps - 2000, 5000)))
    ax.set(xlabel="step - ln(1/α) / ln(1 + η|γ|) + 600", ylabel="loss", xlim=(100, None))
    ax.legend()
    report.claim("1000 neurons: largest difference of the shifted curves in log10 L, α = 1e-15 … 1e-6", off, most=.02)


def inputs(report):
    """500 inputs, 500 samples, η = .001: loss of starts of size α by c, shifted"""
    d, ax, rate = 500, report.figure("inputs", width=3.8), .001
    x = np.random.default_rng(0).uniform(-2, 2, (d, d))
    for k, c in enumerate((.2, .8, 2)):
        off = []
        for seed in report.seeds:
            theta, gamma = start(x, c, 1, seed)
            whole = np.log1p(rate * gamma)          # of whole steps apart
            alphas = [1e-20 * np.exp(whole * round(np.log(r) / whole)) for r in report.size((1, 1e14), (1, 1e7, 1e14))]
            curves = [shifted(descent(x, alpha * theta, rate, report.size(300, 10000), every=1).train(), alpha, rate,
                              gamma) for alpha in alphas]
            off.append(apart(curves, np.arange(-20, report.size(150, 9000))))
            if seed == 1:
                for mark, (t, loss) in zip(("-", "--", ":"), curves):
                    ax.loglog(t + 30, loss, mark, color="C%d" % k, label="c = %g" % c if mark == "-" else None)
        report.claim("c = %g: largest difference of the shifted curves in log10 L, α = 1e-20 … 1e-6" % c, off, most=.02)
    ax.set(xlabel="step - ln(1/α) / ln(1 + η|γ|) + 30", ylabel="loss")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2405.13787", "Single-neuron targets", [scales, wide, inputs])
