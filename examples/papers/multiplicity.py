# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Luo, Zhang, Xu, "Towards understanding the condensation of neural networks at initial training",
arXiv 2105.11686. An activation has multiplicity p if its derivatives 1 .. p-1 at 0 are 0 and the p-th is not: tanh has
1, x tanh x 2, x² tanh x 3. From a small start neurons first condense in at most 2p orientations, p lines;
with one input the slopes û of the lines are roots of Σ (û x_i + 1)^(p-1) e_i x_i = û Σ (û x_i + 1)^(p-1) e_i, and
the output is a polynomial of degree p. Full-batch Adam, all parameters N(0, .005²)."""
import numpy as np

import dyn
import peers
import reproduction

MULTIPLICITY = {"tanh": 1, "x_tanh": 2, "x2_tanh": 3}
LINE = np.linspace(-1, 1.5, 40), np.sin(3 * np.linspace(-1, 1.5, 40)) + np.sin(6 * np.linspace(-1, 1.5, 40)) / 2
RATES = {"tanh": 1e-3, "x_tanh": 1e-3, "x2_tanh": 1e-3, "relu": 1e-3, "sigmoid": 8e-4, "softplus": 2.5e-4}


def train(widths, activation, x, y, rate, steps, seed):
    net = dyn.mlp(widths, activation, dyn.init.normal(.005), seed)
    run = dyn.Run(net, x, y, optimizer=dyn.Adam(rate))
    run.measure(dyn.Condensation(threshold=.9, amplitude="norm"), at="end")
    return run.train(steps, progress=False)


def blocks(report):
    """Cosines between 50 neurons after 100 epochs on y = Σ 3.5 sin(5 x_k + 1), 80 points of [-4, 2]^5"""
    seeds = range(1, 7)
    axes = report.figure("blocks", 2, 3, width=2.4, height=2.4).ravel()
    share, seen, fall = {}, {}, []
    for ax, (activation, rate) in zip(axes, RATES.items()):
        most = 2 * MULTIPLICITY.get(activation, 1)
        for seed in seeds:
            x = np.random.default_rng(seed).uniform(-4, 2, (80, 5))
            run = train([5, 50, 1], activation, x, (3.5 * np.sin(5 * x + 1)).sum(1), rate, 100, seed)
            found = run["condensation"][-1]
            sizes = np.sort(found.sizes)[::-1]
            share.setdefault(activation, []).append(sizes[:most].sum() / 50)
            seen.setdefault(activation, []).append((sizes >= 3).sum())
            fall.append(1 - run.history["loss"][-1] / run.history["loss"][0])
        ax.imshow(found.cosines(), vmin=-1, vmax=1, cmap="RdBu_r")
        ax.set(title=activation, xticks=[], yticks=[])
        ax.grid(False)
    report.peer("PyTorch", lambda: sum(6 * peers.torch_seconds([5, 50, 1], a, x, x[:, 0], "Adam", 1e-3, 100)
                                       for a in RATES))
    report.claim("largest fall of the loss: still the initial stage", max(fall), most=.3)
    for activation in ("tanh", "sigmoid"):
        most = np.mean(np.array(share[activation]) >= .95)
        report.claim("share of seeds with 95 %% of neurons in two orientations, %s" % activation, most, least=.6)
    report.claim("share of neurons in two orientations, softplus", share["softplus"], least=.8)
    report.claim("orientations with 3 neurons or more, ReLU", seen["relu"], 3, .5,
                 reason="it depends on the seed: three large groups, and up to three small ones beside them")
    for activation, p in (("x_tanh", 2), ("x2_tanh", 3)):
        report.claim("share of neurons in %d orientations, %s" % (2 * p, activation), share[activation], least=.95,
                     reason="the pictures are of one seed; over seeds stragglers are still on their way at epoch 100")


def polynomials(report):
    """Output after 1000 epochs on sin 3x + sin(6x)/2, and the neurons at epoch 200"""
    x, y = LINE
    axes = report.figure("polynomials", 2, 3, height=2.3)
    for column, (activation, p) in enumerate(MULTIPLICITY.items()):
        fits, lines = [], []
        for seed in report.seeds:
            run = train([1, 100, 1], activation, x, y, 5e-4, 200, seed)
            features = run["condensation"][-1].features
            found = dyn.CondensationResult(features, join_opposite=True, min_share=.05, amplitude="norm")
            lines.append(found.effective)
            run.train(800, progress=False)
            f = run.predict()[:, 0]
            fits.append([1 - np.var(f - np.polyval(np.polyfit(x, f, d), x)) / np.var(f) for d in (p - 1, p)])
        report.claim("lines at epoch 200, %s" % activation, lines, p, .5)
        report.claim("R² of a polynomial of degree %d, %s" % (p, activation), np.array(fits)[:, 1], least=.98)
        if p > 1:
            report.claim("R² of a polynomial of degree %d, %s" % (p - 1, activation), np.array(fits)[:, 0], most=.5)
        axes[0, column].plot(x, y, "k.", x, f)
        axes[0, column].set(title="%s, degree %d" % (activation, p))
        axes[1, column].plot(*features.T, ".", markersize=4)
        axes[1, column].set(xlabel="weight", ylabel="bias")
    report.peer("PyTorch", lambda: sum(3 * peers.torch_seconds([1, 100, 1], a, x, y, "Adam", 5e-4, 1000)
                                       for a in MULTIPLICITY))


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
    reproduction.main("2105.11686", "Multiplicity of the activation", [blocks, polynomials, directions])
