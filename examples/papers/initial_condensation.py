# SPDX-License-Identifier: BSD-3-Clause
"""Chen, Li, Luo, Zhou, Xu, "Phase diagram of initial condensation for two-layer neural networks", arXiv 2303.06561.

f(x) = Σ_k a_k tanh(w_k·x), a_k ~ N(0, ν²), w_k ~ N(0, ε²) with ν ε = m^-γ, ν / ε = m^-γ'. While f is small, the input
weights obey da_k/dt = w_k·z, dw_k/dt = a_k z with z = (1/n) Σ_i y_i x_i, so that
    w_k·ẑ (t) = w_k·ẑ (0) cosh |z|t + a_k(0) sinh |z|t,     the rest of w_k stays:
they grow along z alone. Condensed, by the end of the initial stage, where γ > 1 and γ' < γ - 1: the relative distance
RD goes as m^((γ-γ'-1)/2), and the direction ratio |(w_k·ẑ)_k| / |w| tends to 1. Where γ > 1 and γ' > γ - 1
only the output weights move. Gradient flow to 0.7 of the initial loss; the data of the paper are not known: n = 40
points of [-1, 1]^5, y = Σ_j sin 3x_j."""
import numpy as np

import dyn
import reproduction

draw = np.random.default_rng(0)
X = draw.uniform(-1, 1, (40, 5))
Y = np.sin(3 * X).sum(1)
Z = dyn.data_direction(X, Y, bias=False)


def linear(w, a, time):
    """Input weights [m, 5] at a time, by the closed form of the linear stage."""
    unit, rate = Z / np.linalg.norm(Z), np.linalg.norm(Z)
    along = w @ unit
    return w + np.outer(along * (np.cosh(rate * time) - 1) + a * np.sinh(rate * time), unit)


def start_at(m, gamma, prime, seed):
    """(network, objective) of a corner of the diagram."""
    scales = [m**(-(gamma - prime) / 2), m**(-(gamma + prime) / 2)]
    net = dyn.mlp([5, m, 1], "tanh", dyn.init.normal(1.0).layers(scales), seed, bias=False, antisymmetric=True)
    return net, dyn.Objective(net, X, Y, half=True)


def train(m, gamma, prime, seed):
    """At 0.7 of the initial loss: RD of input and output weights, ratio, that of the closed form, time |z|."""
    net, loss = start_at(m, gamma, prime, seed)
    end = dyn.flow(loss, theta=net.initial(), stop_loss=0.7 * loss.value(net.initial()), rtol=1e-5)
    start, found = (dyn.condensation(net, theta) for theta in (net.initial(), end.theta))
    w0, a0 = start.features, start.output_weights[:, 0]
    foretold = dyn.CondensationResult(linear(w0, a0, end.time)).alignment(Z).ratio
    return {"RD": dyn.relative_distance(found.features, w0), "ratio": found.alignment(Z).ratio, "foretold": foretold,
            "RD_a": dyn.relative_distance(found.output_weights[:, 0], a0), "time": end.time * np.linalg.norm(Z)}


def at_corner(corner, seed, m):
    return train(m, *corner, seed)


def regimes(report):
    """Direction ratio against the width: tends to 1 where the theory says condensed, stays at 1/√5 elsewhere"""
    widths = report.size([100, 400, 1600], [100, 400, 1600, 6400])
    ax = report.figure("ratio", width=5)
    corners = [(.5, 0), (1, 0), (1.5, 1), (1.5, 0), (2, 0), (2, -.5)]
    found = report.grid("regimes", at_corner, corner=corners, seed=report.seeds, m=widths)
    for (gamma, prime), rd, ratio, foretold in zip(corners, found["RD"], found["ratio"], found["foretold"]):
        at = "(γ, γ') = (%g, %g)" % (gamma, prime)
        ax.semilogx(widths, ratio.mean(0), "o-", label=at)
        if gamma > 1 and prime < gamma - 1:
            report.claim("slope of RD positive, %s" % at, reproduction.slopes(widths, rd), least=0.2)
            report.claim("ratio rises with m, least step, %s" % at, np.diff(ratio).min(1), least=0)
            exponent = (gamma - prime - 1) / 2
            report.claim("slope of RD at the larger m, %s" % at, reproduction.slopes(widths[-2:], rd[:, -2:]),
                         exponent, .1)
        else:
            report.claim("slope of RD not positive, %s" % at, reproduction.slopes(widths, rd), most=0.05)
            report.claim("ratio at m = %d, %s" % (widths[-1], at), ratio[:, -1], 5**-.5, .02)
        if gamma == 2:
            report.claim("|ratio - closed form| at the largest m, %s" % at, np.abs(ratio - foretold)[:, -1], most=.01)
            report.claim("ratio at m = 1600, %s" % at, ratio[:, 2], least={0: .975, -.5: .994}[prime])
    for (gamma, prime), rd in zip(corners, found["RD_a"]):
        if (gamma, prime) in ((.5, 0), (1.5, 1)):
            report.claim("slope of RD of the output weights, (γ, γ') = (%g, %g)" % (gamma, prime),
                         reproduction.slopes(widths, rd), gamma - 1, .1)
    ax.axhline(5**-.5, color="k", linestyle=":")
    ax.set(xlabel="width m", ylabel="direction ratio", ylim=(.3, 1.02))
    ax.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, .5))


def diagram(report):
    """Slope of RD and direction ratio over (γ, γ') where the initial stage ends, its zero (solid), the regimes"""
    gammas = np.linspace(.5, 2.5, report.size(6, 11))
    primes = np.linspace(-1, 1, report.size(5, 9))
    widths = report.size([50, 400], [100, 400, 1600])
    seeds = report.seeds[:1] if report.quick else report.seeds
    found = report.grid("diagram", train, seed=seeds, prime=primes, gamma=gammas, m=widths)
    s = reproduction.slopes(widths, found["RD"])
    condensed = (gammas > 1) & (primes[:, None] < gammas - 1)
    distance = np.where(condensed, np.minimum(gammas - 1, (gammas - 1 - primes[:, None]) / 1.5),
                        np.maximum(1 - gammas, primes[:, None] - gammas + 1))
    clear = distance > .15
    report.claim("share of (γ, γ') away from the boundary with the slope's sign as in theory",
                 [((one > 0) == condensed)[clear].mean() for one in s], least=1)
    axes = report.figure("diagram", 1, 2, width=4, height=3.2)
    images = [(s.mean(0), "slope of RD", "RdBu_r", (-1, 1)),
              (found["ratio"][..., -1].mean(0), "ratio", "viridis", (.4, 1))]
    axes[0].contour(gammas, primes, s.mean(0), [0], colors="k")
    for ax, (values, title, colours, (low, high)) in zip(axes, images):
        image = ax.pcolormesh(gammas, primes, values, cmap=colours, vmin=low, vmax=high, shading="nearest")
        ax.plot([1, 1, 2], [-1, 0, 1], "k--")
        ax.plot([1, 1], [0, 1], "k:")
        ax.set(xlabel="γ", ylabel="γ'", title=title)
        ax.figure.colorbar(image)


if __name__ == "__main__":
    reproduction.main("2303.06561", "Initial condensation", [regimes, diagram])
