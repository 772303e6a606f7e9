# SPDX-License-Identifier: BSD-3-Clause
"""Luo, Xu, Ma, Zhang, "Phase diagram for two-layer ReLU neural networks at infinite-width limit", arXiv 2007.07497.

f(x) = κ Σ_k a_k σ(w_k·(x, 1)) with a_k, w_k ~ N(0, 1), κ = m^-γ and κ' = m^-γ' (section 2): how the relative distance
RD = |w(end) - w(0)| / |w(0)| of the input weights goes with the width m says whether training is linear (slope S_w of
ln RD on ln m below 0), critical, or condensed (above). Four points of x², full batch, steps that never raise the loss,
to 1e-6."""
import numpy as np

import dyn
import reproduction

X = np.array([-1 / 2, -1 / 6, 1 / 6, 1 / 2])
Y = X**2
GAMMAS = np.array([.6, .7, .8, .9, .95, .98, 1, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4])
PRIMES = np.round(np.arange(-.4, .45, .1), 1)


def train(m, gamma, prime=0.0, seed=1, x=X, y=Y, stop=1e-6, antisymmetric=True):
    """(net, theta at the start, theta at the end)."""
    inputs = x.shape[1] if x.ndim > 1 else 1
    net = dyn.mlp([inputs, m, 1], "relu", dyn.init.normal(1.0), seed, output_bias=False, antisymmetric=antisymmetric,
                  parametrisation="normalised", gamma=gamma, gamma_prime=prime)
    end = dyn.minimise(net, x, y, half=True, method=dyn.Monotone(1e-2), stop_loss=stop, gradient_tolerance=0)
    return net, net.initial(), end.theta


def distance(width, gamma, seed, prime=0.0, **options):
    net, start, end = train(width, gamma, prime, seed, **options)
    w0, w = (dyn.condensation(net, theta).features for theta in (start, end))
    return {"RD": dyn.relative_distance(w, w0)}


def distances(report):
    """Relative distance against the width at γ' = 0"""
    widths = report.size([1000, 5000, 10000], [1000, 5000, 10000, 20000, 40000])
    printed = {.5: [.00883, .00375, .00274, .00192, .00135], 1: [.262, .270, .269, .263, .272]}
    ax = report.figure("distances")
    all_rd = report.grid("distances", distance, gamma=[.5, 1], seed=report.seeds, width=widths)["RD"]
    for rd, gamma, expected, tolerance, levels in zip(all_rd, (.5, 1), (-.506, .007), (.03, .03), (.0003, .02)):
        at = widths.index(10000)
        report.claim("RD at m = 10000, γ = %g" % gamma, rd[:, at], printed[gamma][2], levels)
        report.claim("S_w at γ = %g, γ' = 0" % gamma, reproduction.slopes(widths, rd), expected, tolerance)
        ax.loglog(widths, rd.mean(0), "o-", label="γ = %g" % gamma)
        ax.loglog(widths, printed[gamma][:len(widths)], "k+")
    ax.set(xlabel="width m", ylabel="RD", title="+ as printed")
    ax.legend()


def closed_form(gamma, prime):
    """S_w from conservation of κ'a² - |w|²/κ' and an output of order 1."""
    if prime <= 0:
        return gamma - 1 if gamma <= 1 or gamma + prime <= 1 else (gamma - 1 - prime) / 2
    return gamma - 1 - 2 * prime if gamma <= 1 else (gamma - 1 - prime) * (2 if prime > gamma - 1 else .5)


def diagram(report):
    """Slope S_w over (γ, γ'): its zero (solid) and the boundary of the theory (dashed)"""
    gammas, primes = report.size(GAMMAS[[2, 3, 6, 9, 10, 12]], GAMMAS), report.size(PRIMES[[0, 4, 6]], PRIMES)
    widths = report.size([1000, 8000], [1000, 5000, 10000, 20000, 40000])
    s = reproduction.slopes(widths, report.grid("diagram", distance, seed=report.seeds[:report.size(1, 3)],
                                   prime=primes, gamma=gammas, width=widths)["RD"])
    theory = np.array([[closed_form(g, p) for g in gammas] for p in primes])
    boundary = np.array([max(1.0, 1 + p) for p in primes])
    apart = np.abs([dyn.crossings(gammas, one) - boundary for one in s])[:, boundary < gammas[-1]]
    clear = np.abs(theory) >= .03
    report.claim("share of (γ, γ') with the sign of the closed form, where |S_w| ≥ .03",
                 [(np.sign(one) == np.sign(theory))[clear].mean() for one in s], least=1,
                 reason=report.size("", "one point beside the boundary, in one seed"))
    report.claim("largest |zero of S_w - boundary|, rows that have it before their end", apart.max(1), most=.05)
    if not report.quick:        # narrow networks deviate more
        why = "the closed form is that of infinite width; it errs most near γ' = .2, as against the paper's own map"
        off = np.abs(s - theory)
        report.claim("largest mean |S_w - closed form| of a row", off.mean(2).max(1), most=.07, reason=why)
        report.claim("largest |S_w - closed form|", off.max((1, 2)), most=.13, reason=why)
    ax = report.figure("diagram", width=4.2, height=3.4)
    image = ax.pcolormesh(gammas, primes, s.mean(0), cmap="RdBu_r", vmin=-.6, vmax=.6, shading="nearest")
    ax.contour(gammas, primes, s.mean(0), [0], colors="k")
    ax.plot(boundary, primes, "k--")
    ax.set(xlabel="γ", ylabel="γ'", title="S_w")
    ax.figure.colorbar(image)


def features(report):
    """Amplitude against angle of neurons at the start (grey) and the end, m = 1000, and the function learned"""
    grid = np.linspace(-.6, .6, 200)
    axes = report.figure("features", 2, 3, height=2.2)
    top = {}
    for column, gamma in enumerate((.5, 1, 1.75)):
        for seed in report.seeds:
            net, start, end = train(1000, gamma, seed=seed)
            found = dyn.condensation(net, end)
            top.setdefault(gamma, []).append(found.histogram(32, 4))
        before = dyn.condensation(net, start)
        for c, colour in ((before, "#bbbbbb"), (found, reproduction.style.BLUE)):
            axes[0, column].plot(c.orientation(), c.amplitudes / c.amplitudes.max(), ".", color=colour, markersize=3)
        axes[0, column].set(title="γ = %g" % gamma, xlabel="angle", xlim=(-np.pi, np.pi))
        axes[1, column].plot(grid, net(end, grid)[:, 0], X, Y, "ko", markersize=4)
    linear, critical = np.array([mass for mass, _ in top[.5]]), np.array([mass for mass, _ in top[1]])
    report.claim("largest share of amplitude in one of 32 bins of angle, γ = .5", linear.max(1), most=.055)
    report.claim("smallest share in one of 32 bins, γ = .5", linear.min(1), least=.005)
    report.claim("share in the first bin and the two around 0, γ = 1", critical[:, [0, 15, 16]].sum(1), .37, .03)
    report.claim("share in the four largest bins, γ = 1.75", [t for _, t in top[1.75]], least=.9)


def mnist(report):
    """Slopes for 45 images of MNIST, the digit as target; widths 250, 1000, 4000 (paper: up to 250000)"""
    x, y = (a[np.random.default_rng(0).permutation(5000)[:45]] * 1.0 for a in dyn.data.mnist5k(one_hot=False))
    gammas, widths = [.7, 1, 1.3], [250, 1000, 4000]

    def on_mnist(gamma, seed, width):
        return distance(width, gamma, seed, x=x, y=y, stop=1e-4, antisymmetric=False)
    rd = report.grid("mnist", on_mnist, gamma=gammas, seed=report.seeds, width=widths)["RD"]
    expected = dict(most=-.1), dict(least=-.1, most=.1), dict(least=.1)
    for gamma, s, bound in zip(gammas, reproduction.slopes(widths, rd), expected):
        report.claim("S_w at γ = %g, γ' = 0, MNIST" % gamma, s, **bound)


if __name__ == "__main__":
    reproduction.main("2007.07497", "Two-layer phase diagram", [distances, diagram, features], long=[mnist])
