# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Luo, Zhang, Xu, "Towards understanding the condensation of neural networks at initial training",
arXiv 2105.11686: each layer of a deep network condenses by the multiplicity p of its own activation, in p lines.

h_(l+1) = σ_l(h_l W_l + b_l) + h_l, five hidden layers of 18 with x² tanh x, x tanh x, sigmoid, tanh, softplus, all
parameters N(0, .01²), full-batch Adam at 4e-5; y = Σ_k 4 sin(12 x_k + 1) at 80 points of [-4, 2]³. And what a target of
low frequency does to x² tanh x: fewer directions than 2p."""
import numpy as np

import dyn
import peers
import reproduction

LAYERS = [("x2_tanh", 3, 1000), ("x_tanh", 2, 900), ("sigmoid", 1, 900), ("tanh", 1, 1400), ("softplus", 1, 1400)]
WIDTHS = [3] + [18] * 5 + [1]


def train(seed):
    """(net, {step: theta}, loss at the end over that at the start)."""
    x = np.random.default_rng(seed).uniform(-4, 2, (80, 3))
    y = (4 * np.sin(12 * x + 1)).sum(1)
    net = dyn.mlp(WIDTHS, [name for name, _, _ in LAYERS] + ["identity"], dyn.init.normal(.01), seed, skip=True)
    run, at = dyn.Run(net, x, y, optimizer=dyn.Adam(4e-5)), {}
    run.measure(lambda state: at.update({state.step: state.theta}), name="theta", at=(900, 1000, 1400))
    run.train(1400, progress=False)
    return net, at, run.history["loss"][-1] / run.history["loss"][0]


def layers(report):
    """Cosines between the neurons of each of five layers, at the epochs of the paper"""
    axes = report.figure("layers", 1, 5, width=2.2, height=2.2)
    runs = [train(seed) for seed in range(1, 7)]
    for i, (ax, (activation, p, step)) in enumerate(zip(axes, LAYERS), 1):
        found = [dyn.condensation(net, at[step], i, threshold=.9, join_opposite=True, amplitude="norm")
                 for net, at, _ in runs]
        shares = [f.shares[:p].sum() for f in found]
        claim = "layer %d, %s: share of the norm on %d line%s, median of 6 seeds" % (i, activation, p, "s"[:p - 1])
        lag = ".82 to .97 over seeds: of the 18 neurons two to five lag behind, at cosines below .9"
        report.claim(claim, np.median(shares), least=.9, reason=lag if activation == "softplus" else "")
        ax.imshow(found[1].cosines(), vmin=-1, vmax=1, cmap="RdBu_r")
        ax.set(title=activation, xticks=[], yticks=[])
        ax.grid(False)
    report.claim("loss at epoch 1400 over that at the start: the initial stage", [loss for *_, loss in runs], least=.7)


def low_frequency(report):
    """x² tanh x on y = Σ 3.5 sin(2 x_k + 1): cosines between neurons with |w| of .04 and more"""
    counts, shares = [], []
    for seed in range(1, 7):
        x = np.random.default_rng(seed).uniform(-4, 2, (80, 5))
        net = dyn.mlp([5, 50, 1], "x2_tanh", dyn.init.normal(.005), seed)
        run = dyn.Run(net, x, (3.5 * np.sin(2 * x + 1)).sum(1), optimizer=dyn.Adam(1e-3)).train(100, progress=False)
        features = dyn.condensation(net, run.theta).features
        found = dyn.CondensationResult(features[np.linalg.norm(features, axis=1) >= .04], threshold=.9, min_share=.05)
        counts.append(found.effective)
        shares.append(found.shares[:3].sum())
    ax = report.figure("low_frequency", width=2.6)
    ax.imshow(found.cosines(), vmin=-1, vmax=1, cmap="RdBu_r")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    report.peer("PyTorch", lambda: 6 * peers.torch_seconds([5, 50, 1], "x2_tanh", x, x[:, 0], "Adam", 1e-3, 100))
    why = "the picture is of one seed; over seeds there are 3 to 8 directions, three of them large"
    report.claim("directions of the large neurons, low frequency", counts, 3, .5, reason=why)
    report.claim("share of their norm in three directions", shares, least=.9, reason=why)


if __name__ == "__main__":
    reproduction.main("2105.11686", "Multiplicity, deep and at low frequency", [layers, low_frequency])
