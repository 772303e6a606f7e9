# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Luo, Zhang, Xu, "Towards understanding the condensation of neural networks at initial training",
arXiv 2105.11686: why p lines. A neuron ω = (w, b) with output weight a moves, up to a factor, by the field
    ω̇ = -a (1/n) Σ_i e_i (x_i, 1) σ'(ω·(x_i, 1)),     e_i = f(x_i) - y_i.
Close to 0 it turns until it lies on a line at whose slope û = w/b, a root of degree p,
    Σ (û x_i + 1)^(p-1) e_i x_i = û Σ (û x_i + 1)^(p-1) e_i,
and then grows along it. sin 3x + sin(6x)/2 at 40 points of [-1, 1.5], 100 neurons, all parameters N(0, .005²)."""
import numpy as np

import dyn
import reproduction
from multiplicity import LINE, MULTIPLICITY, train

SLOPE = {"tanh": lambda u: 1 - np.tanh(u)**2,
         "x_tanh": lambda u: np.tanh(u) + u * (1 - np.tanh(u)**2),
         "x2_tanh": lambda u: 2 * u * np.tanh(u) + u**2 * (1 - np.tanh(u)**2)}


def velocity(activation, error, w, b):
    """Field [2, *w.shape] of a neuron with a = 1."""
    x = LINE[0]
    pull = -error * SLOPE[activation](w[..., None] * x + b[..., None]) / len(x)
    return np.stack([(pull * x).sum(-1), pull.sum(-1)])


def stable_lines(activation, error, radius=.02):
    """Angles, modulo π, of the lines near 0 to which neurons of a = 1 or a = -1 turn and along which they grow."""
    angles = np.linspace(-np.pi, np.pi, 3601)
    w, b = radius * np.cos(angles), radius * np.sin(angles)
    dw, db = velocity(activation, error, w, b)
    turn, grow = -np.sin(angles) * dw + np.cos(angles) * db, np.cos(angles) * dw + np.sin(angles) * db
    at = np.flatnonzero(turn[:-1] * turn[1:] <= 0)
    found = sorted(angles[i] % np.pi for i in at if (turn[i] - turn[i + 1]) * grow[i] > 0)
    return [a for k, a in enumerate(found) if all(min(a - c, np.pi - a + c) > .02 for c in found[:k])]


def share_near(features, lines):
    """Share of the neurons whose angle is within .2 of a line."""
    off = np.abs(np.arctan2(features[:, 1], features[:, 0])[:, None] - lines) % np.pi
    return np.mean(np.minimum(off, np.pi - off).min(1) < .2)


def draw(ax, activation, error, features):
    size = 1.3 * np.abs(features).max()
    w, b = np.meshgrid(*[np.linspace(-size, size, 60)] * 2)
    ax.streamplot(w, b, *velocity(activation, error, w, b), color="#bbbbbb", density=.8, linewidth=.6, arrowsize=.7)
    for angle in stable_lines(activation, error):
        ax.axline((0, 0), (np.cos(angle), np.sin(angle)), color="k", linestyle="--", linewidth=.8)
    ax.plot(*features.T, ".", color=reproduction.style.BLUE, markersize=4)
    ax.set(xlabel="weight", ylabel="bias", xlim=(-size, size), ylim=(-size, size))


def field(report):
    """Direction field of a neuron at epochs 50 and 200, its stable lines near 0 (dashed), and the neurons there"""
    x, y = LINE
    axes = report.figure("field", 2, 3, height=3)
    for column, (activation, p) in zip(axes.T, MULTIPLICITY.items()):
        counts, near = [], []
        for seed in report.seeds:
            for ax, epoch in zip(column, (50, 200)):
                run = train([1, 100, 1], activation, x, y, 5e-4, epoch, seed)
                error, features = run.predict()[:, 0] - y, run["condensation"][-1].features
                if seed == report.seeds[0]:
                    draw(ax, activation, error, features)
                    ax.set_title("%s, epoch %d" % (activation, epoch))
                if epoch == 200:
                    counts.append(len(stable_lines(activation, error)))
                if epoch == (50 if p > 1 else 200):
                    near.append(share_near(features, stable_lines(activation, error if p > 1 else -y)))
        report.claim("stable lines of the field at epoch 200, %s" % activation, counts, p)
        at = "at epoch 50 within .2 radian of one" if p > 1 else "at epoch 200 within .2 radian of that of the start"
        report.claim("share of neurons %s, %s" % (at, activation), near, least=.85)


def directions(report):
    """Gradient flow, to 0.95 of the initial loss: neurons that grow lie on the lines of the closed form (dashed)"""
    x, y = LINE
    axes = report.figure("directions", 1, 3)
    for ax, (activation, p) in zip(axes, MULTIPLICITY.items()):
        angles, shares = [], []
        for seed in report.seeds:
            net = dyn.mlp([1, 100, 1], activation, dyn.init.normal(.005), seed, output_bias=False)
            loss = dyn.Objective(net, x, y)
            end = dyn.flow(loss, theta=net.initial(), stop_loss=.95 * loss.value(net.initial()))
            found = dyn.condensation(net, end.theta, join_opposite=True)
            angles.append(far(found.directions[:1], roots(x, -y, p)))
            shares.append(found.shares[0])
        report.claim("angle between the line that grows and a root, radian, %s" % activation, angles, most=.05)
        report.claim("share of amplitude on it, %s" % activation, shares, least=.9)
        ax.plot(*found.features.T, ".", markersize=4)
        for weight, bias in roots(x, -y, p):
            ax.axline((0, 0), slope=bias / weight, color="k", linestyle="--", linewidth=.8)
        ax.set(title=activation, xlabel="weight", ylabel="bias")


def roots(x, error, p):
    """Directions [lines, 2] (weight, bias), û = weight / bias, at which neurons rest."""
    inner = np.poly1d([0.0])
    for x_i, e_i in zip(x, error):
        inner = inner + np.poly1d([x_i, 1]) ** (p - 1) * np.poly1d([-1, x_i]) * float(e_i)
    u = inner.roots
    u = u[np.abs(u.imag) < 1e-9].real
    return np.stack([u, np.ones(len(u))], 1) / np.sqrt(1 + u**2)[:, None]


def far(directions, lines):
    """Largest angle between a direction and the line nearest to it."""
    return np.arccos(np.minimum(1, np.abs(directions @ lines.T).max(1))).max()


if __name__ == "__main__":
    reproduction.main("2105.11686", "Multiplicity: the field of a neuron", [field, directions])
