# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Jin, Luo, Zhang, Xu, "Empirical phase diagram for three-layer neural networks with infinite width",
arXiv 2205.12101.

f(x) = κ aᵀσ(W²(σ(W¹(x, 1)), 1)), all parameters N(0, 1), κ = m^-γ₃, both hidden layers of width m, ReLU. Each layer has
a regime of its own by the slope of ln RD(Wˡ) on ln m. From the balance of the layers at γ₂ = 0:
    S_W¹ = γ₃ - 3/2, S_W² = γ₃ - 2 for γ₃ ≤ 3/2;    S_W¹ = (γ₃ - 3/2)/3, S_W² = (γ₃ - 3/2)/3 - 1/2 above,
so that for 3/2 < γ₃ < 3 the first layer is condensed and the second linear. Four points of x², f minus its start."""
import numpy as np

import dyn
import reproduction

X = np.array([-1 / 2, -1 / 6, 1 / 6, 1 / 2])
Y = X**2


def train(m, gamma, seed):
    """(net, theta at the start, theta at the end); the output is centred: f - f(0) is what is fitted."""
    net = dyn.mlp([1, m, m, 1], "relu", dyn.init.normal(1.0), seed, output_bias=False, parametrisation="normalised",
                  gamma=gamma)
    start = net.initial()
    end = dyn.minimise(net, X, dyn.centred_targets(net, X, Y), half=True, theta=start, method=dyn.Monotone(1e-3),
                       stop_loss=1e-5, gradient_tolerance=0)
    return net, start, end.theta


def layers(net, start, end):
    """Relative distances of the input weights of both hidden layers."""
    pairs = [[dyn.condensation(net, theta, layer).features for theta in (start, end)] for layer in (1, 2)]
    return [dyn.relative_distance(w, w0) for w0, w in pairs]


def distances(seed, gamma, m):
    return dict(zip(("W1", "W2"), layers(*train(m, gamma, seed))))


def formula(gamma):
    """Slopes (S_W¹, S_W²) at γ₂ = 0."""
    first = gamma - 1.5 if gamma <= 1.5 else (gamma - 1.5) / 3
    return first, first - .5


def slopes(report):
    """Slopes of the relative distance of both layers against γ₃ (dashed: formulas)"""
    gammas = np.array(report.size([1, 1.5, 2], [.9, 1.2, 1.5, 1.8, 2.1, 3.0, 3.3]))
    widths = report.size([100, 200, 400], [100, 200, 400, 800])
    found = report.grid("slopes", distances, seed=report.seeds, gamma=gammas, m=widths)
    s = np.stack([reproduction.slopes(widths, found[name]) for name in ("W1", "W2")], 2)     # [seed, γ₃, layer]
    theory = np.array([formula(g) for g in gammas])
    below, above = gammas < 1.5, (gammas > 1.5) & (gammas < 3)
    report.claim("S_W¹ below γ₃ = 3/2: linear, largest", s[:, below, 0].max(1), most=-.1)
    report.claim("S_W¹ at γ₃ = 3/2: critical", s[:, gammas == 1.5, 0], 0, .05)
    report.claim("S_W¹ above γ₃ = 3/2: condensed, least", s[:, above, 0].min(1), least=.05)
    report.claim("S_W² below γ₃ = 3: linear, largest", s[:, gammas < 3, 1].max(1), most=-.1)
    report.claim("mixed regime, γ₃ = %g: least S_W¹ - S_W²" % gammas[above][0], s[:, above][:, 0] @ [1, -1], least=.3)
    report.claim("largest |S_W¹ - formula|, γ₃ ≥ 3/2", np.abs(s - theory)[:, gammas >= 1.5, 0].max(1), most=.1)
    report.claim("S_W¹ grows with γ₃: least step", np.diff(s[..., 0]).min(1), least=0)
    ax = report.figure("slopes", width=4)
    for layer, colour in enumerate((reproduction.style.BLUE, reproduction.style.ORANGE)):
        mean, sd = s[..., layer].mean(0), s[..., layer].std(0)
        ax.errorbar(gammas, mean, sd, fmt="o-", color=colour, label="W%d" % (layer + 1))
        fine = np.linspace(gammas[0], gammas[-1], 100)
        ax.plot(fine, [formula(g)[layer] for g in fine], "--", color=colour)
    ax.axhline(0, color="k", linewidth=.6)
    ax.set(xlabel="γ₃", ylabel="slope")
    ax.legend()


def scatter(report):
    """Weight and bias of first-layer neurons at the start (grey) and the end, and the function learned"""
    m = report.size(300, 1000)
    grid = np.linspace(-.6, .6, 300)
    axes = report.figure("scatter", 2, 3, height=2.3)
    top = {}
    for column, gamma in enumerate((1.0, 1.5, 2.0)):
        for seed in report.seeds[:1 if gamma == 1.5 else None]:
            net, start, end = train(m, gamma, seed)
            before, after = (dyn.condensation(net, theta).features for theta in (start, end))
            angles, moved = np.arctan2(after[:, 1], after[:, 0]), np.linalg.norm(after - before, axis=1)
            mass = np.histogram(angles, 64, (-np.pi, np.pi), weights=moved / moved.sum())[0]
            top.setdefault(gamma, []).append(np.sort(mass)[-4:].sum())
        for theta, colour in ((start, "#bbbbbb"), (end, reproduction.style.BLUE)):
            axes[0, column].plot(*dyn.condensation(net, theta).features.T, ".", color=colour, markersize=3)
        axes[0, column].set(title="γ₃ = %g" % gamma, xlabel="weight", ylabel="bias")
        axes[1, column].plot(grid, net(end, grid) - net(start, grid), X, Y, "ko", markersize=4)
    report.claim("share of all movement in 4 of 64 bins of angle, γ₃ = 1: spread", top[1.0], most=.25)
    report.claim("share of all movement in 4 of 64 bins of angle, γ₃ = 2: few orientations", top[2.0], least=.7)


if __name__ == "__main__":
    reproduction.main("2205.12101", "Three-layer phase diagram", [slopes, scatter])
