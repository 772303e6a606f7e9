# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Luo, Zhang, Xu, "Towards understanding the condensation of neural networks at initial training",
arXiv 2105.11686. An activation has multiplicity p if its derivatives 1 .. p-1 at 0 are 0 and the p-th is not: tanh has
1, x tanh x 2, x² tanh x 3. From a small start neurons first condense in at most 2p orientations, p lines;
with one input the output is a polynomial of degree p. Full-batch Adam, all parameters N(0, .005²)."""
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
    share, seen, tight, fall = {}, {}, {}, []
    for ax, (activation, rate) in zip(axes, RATES.items()):
        most = 2 * MULTIPLICITY.get(activation, 1)
        for seed in seeds:
            x = np.random.default_rng(seed).uniform(-4, 2, (80, 5))
            run = train([5, 50, 1], activation, x, (3.5 * np.sin(5 * x + 1)).sum(1), rate, 100, seed)
            found = run["condensation"][-1]
            sizes = np.sort(found.sizes)[::-1]
            share.setdefault(activation, []).append(sizes[:most].sum() / 50)
            seen.setdefault(activation, []).append((sizes >= 3).sum())
            tight.setdefault(activation, []).append(dyn.CondensationResult(found.features, threshold=.95).sizes)
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
                     reason="the pictures are of one seed: of six, one has .95; later more groups, not fewer")
    for activation, low, high in (("x_tanh", 7, 13), ("x2_tanh", 6, 11)):     # by an independent computation
        report.claim("clusters at D > .95, %s" % activation, [len(s) for s in tight[activation]], least=low, most=high)
    report.claim("orientations with 3 neurons or more, x_tanh, best of six seeds", min(seen["x_tanh"]), 4)
    report.claim("the same, x2_tanh, mean", seen["x2_tanh"], 6, .5)
    report.claim("neurons in the largest cluster at D > .95, softplus", [max(s) for s in tight["softplus"]], least=32,
                 most=45)


def notebook(report):
    """tanh without an output bias from std 50^-4, as in the authors' notebook: cosines after 100 epochs"""
    share = []
    for seed in report.seeds:
        x = np.random.default_rng(seed).uniform(-4, 2, (80, 5))
        net = dyn.mlp([5, 50, 1], "tanh", dyn.init.normal(50.0**-4), seed, output_bias=False)
        run = dyn.Run(net, x, (3.5 * np.sin(5 * x + 1)).sum(1), optimizer=dyn.Adam(1e-3)).train(100, progress=False)
        found = dyn.condensation(net, run.theta)
        share.append(found.sizes[:2].sum() / 50)
    ax = report.figure("notebook", width=2.6)
    ax.imshow(found.cosines(), vmin=-1, vmax=1, cmap="RdBu_r")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    report.claim("share of neurons in two orientations, std 50^-4", share, least=.95)


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


if __name__ == "__main__":
    reproduction.main("2105.11686", "Multiplicity of the activation", [blocks, notebook, polynomials])
