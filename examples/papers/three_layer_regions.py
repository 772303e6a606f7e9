# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Jin, Luo, Zhang, Xu, "Empirical phase diagram for three-layer neural networks with infinite width",
arXiv 2205.12101, continued: the four regions, and digits.

f(x) = (1/α) aᵀσ(W²(σ(W¹(x, 1)), 1)), W¹ ~ N(0, β₁²), W² ~ N(0, β₂²), a ~ N(0, β₃²). The paper's second exponent is not
known; here β₂ = m^-γ₂ and β₁ = β₃ = 1, and β₁β₂β₃/α = m^-γ₃. Layers that grow do so by equal amounts of their squared
norm, W² by a matrix of rank one, until f is of order 1. So W¹ is condensed where γ₃ - γ₂ > 3/2, and W² where
γ₃ + γ₂ > 5/2 while W¹ is linear, γ₃ + 2γ₂ > 3 while it is condensed. The lines meet at (γ₃, γ₂) = (2, 1/2)."""
import numpy as np

import dyn
import reproduction
import three_layer
from three_layer import X, Y
from two_layer_maps import digits

REGIONS = ["both linear", "W¹ condensed", "W² condensed", "both condensed"]


def condensed(third, second):
    """Whether W¹ and W² are, by the balance of the layers."""
    first = third - second > 1.5
    return first, np.where(first, third + 2 * second > 3, third + second > 2.5)


def distances(second, third, m):
    scales = [1.0, m**-second, 1.0]
    net = dyn.mlp([1, m, m, 1], "relu", dyn.init.normal(1.0).layers(scales), 1, output_bias=False,
                  output_scale=m**-(third - second))
    start = net.initial()
    end = dyn.minimise(net, X, dyn.centred_targets(net, X, Y), half=True, theta=start, method=dyn.Monotone(1e-3),
                       stop_loss=1e-5, gradient_tolerance=0)
    return dict(zip(("W1", "W2"), three_layer.layers(net, start, end.theta)))


def regions(report):
    """Slopes of the relative distance of both layers over (γ₃, γ₂) (dashed: the balance), and the four regions"""
    thirds = np.array(report.size([1, 2.25, 3], [1, 1.5, 2, 2.5, 3]))
    seconds, widths = np.array(report.size([0, 1], [0, .25, .5, .75, 1])), report.size([30, 100], [50, 100, 200])
    found = report.grid("regions", distances, second=seconds, third=thirds, m=widths)
    s = [reproduction.slopes(widths, found[name]) for name in ("W1", "W2")]
    theory = condensed(thirds, seconds[:, None])
    away = [np.abs(thirds - seconds[:, None] - 1.5) > .3, np.minimum(
        np.abs(thirds + seconds[:, None] - 2.5), np.abs(thirds + 2 * seconds[:, None] - 3)) > .3]
    for name, slope, says, clear in zip(("W¹", "W²"), s, theory, away):
        report.claim("share of (γ₃, γ₂) off the boundary where the slope of %s has the sign foretold" % name,
                     ((slope > 0) == says)[clear].mean(), least=.95)
    seen = (s[0] > 0) + 2 * (s[1] > 0)
    report.claim("regions that are seen", len(np.unique(seen)), 4)
    axes = report.figure("regions", 1, 3, width=3.6)
    for ax, slope, title in zip(axes, s, ("slope of W¹", "slope of W²")):
        image = ax.pcolormesh(thirds, seconds, slope, cmap="RdBu_r", vmin=-.6, vmax=.6, shading="nearest")
        ax.contour(thirds, seconds, slope, [0], colors="k")
        ax.set_title(title)
        ax.figure.colorbar(image)
    colours = reproduction.pyplot.get_cmap("Pastel1", 4)
    image = axes[2].pcolormesh(thirds, seconds, seen, cmap=colours, vmin=-.5, vmax=3.5, shading="nearest")
    axes[2].figure.colorbar(image, ticks=range(4)).ax.set_yticklabels(REGIONS)
    for ax in axes:
        ax.plot([1.5, 2.5], [0, 1], "k--", linewidth=.8)
        ax.plot([3, 2, 1.5], [0, .5, 1], "k--", linewidth=.8)
        ax.set(xlabel="γ₃", ylabel="γ₂", xlim=(thirds[0] - .2, thirds[-1] + .2), ylim=(-.1, 1.1))


def panels(report):
    """Relative distance of both layers against the width at γ₃ = .9, 1.5, 2.1"""
    gammas, widths = [.9, 1.5, 2.1], report.size([50, 100, 200], [100, 200, 400])
    found = report.grid("panels", three_layer.distances, seed=[1], gamma=gammas, m=widths)
    for ax, k in zip(report.figure("panels", 1, 3, width=2.6), range(3)):
        for name in ("W1", "W2"):
            ax.loglog(widths, found[name][0, k], "o-", label="%s, slope %.2f" % (
                name, reproduction.slopes(widths, found[name][0, k])))
        ax.set(title="γ₃ = %g" % gammas[k], xlabel="width m", ylabel="RD")
        ax.set_xticks(widths, map(str, widths), minor=False)
        ax.minorticks_off()
        ax.legend(fontsize="x-small")
    report.claim("slope of W¹ grows along the panels: least step",
                 np.diff(reproduction.slopes(widths, found["W1"][0])).min(), least=0)


def on_digits(gamma, m):
    """As three_layer.py, on 45 digits in the coordinates of their span: see two_layer_maps.py."""
    inputs, _, y = digits()
    net = dyn.mlp([45, m, m, 1], "relu", dyn.init.normal(1.0), 1, bias=[False, True, False],
                  parametrisation="normalised", gamma=gamma)
    start = net.initial()
    end = dyn.minimise(net, inputs, dyn.centred_targets(net, inputs, y), half=True, theta=start,
                       method=dyn.Monotone(1e-3), stop_loss=1e-3, gradient_tolerance=0)
    first, second = three_layer.layers(net, start, end.theta)
    return {"W1": first * np.sqrt(45 / 785), "W2": second}


def mnist(report):
    """Digits: slopes of both layers against γ₃"""
    gammas, widths = [1, 1.5, 2, 2.5], [50, 100, 200]
    found = report.grid("mnist", on_digits, gamma=gammas, m=widths)
    s = {name: reproduction.slopes(widths, found[name]) for name in ("W1", "W2")}
    ax = report.figure("mnist")
    for name, slope in s.items():
        ax.plot(gammas, slope, "o-", label=name)
    ax.axhline(0, color="k", linewidth=.6)
    ax.set(xlabel="γ₃", ylabel="slope")
    ax.legend()
    report.claim("digits: S_W¹ at γ₃ = 1: linear", s["W1"][0], most=-.1)
    report.claim("digits: S_W¹ grows with γ₃: least step", np.diff(s["W1"]).min(), least=0)
    report.claim("digits: S_W¹ at γ₃ = 2.5: condensed", s["W1"][-1], least=.05)
    report.claim("digits: S_W² there: linear, the mixed regime", s["W2"][-1], most=-.05)


if __name__ == "__main__":
    reproduction.main("2205.12101", "Three layers: four regions", [regions, panels], long=[mnist])
