# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhang, Xu, "A rationale from frequency perspective for grokking in training neural network", arXiv
2405.17479: parity.

The product of 10 signs has F(k) = |sin k|^10 along (1, …, 1), with nothing at low k; a part of all 1024 points has
spurious low frequencies, the more the smaller it is. They are learned first: the test loss rises, and falls again where
the part is large enough for the true frequency to come."""
import numpy as np

import dyn
import reproduction

X, Y = dyn.data.parity(10)
ALONG = dyn.frequency.project(X, np.ones(10))
WAVES = np.linspace(0, np.pi, 65)
FEW = "the reference is a mean of few draws: the central limit gives .0499 at k = 0, and so do 1000 draws here"


def amplitude(values, k=WAVES, rows=slice(None)):
    return np.abs(dyn.frequency.transform(ALONG[rows], np.ravel(values), k))


def subsets(report):
    """Spectra of random parts of all points along (1, …, 1), mean over draws: low frequencies that the whole lacks"""
    full = amplitude(Y)
    report.claim("largest | |F(k)| - |sin k|^10 | of all points", abs(full - np.sin(WAVES)**10).max(), most=1e-12)
    report.claim("|F(.5)| of all points", amplitude(Y, [.5])[0], .0006, 1e-4)
    ax, random = report.figure("subsets", width=3.8), np.random.default_rng(1)
    for fraction, expected in ((.2, (.040, .059, .063)), (.5, (.025, .029, .028))):
        parts = [random.permutation(1024)[:int(1024 * fraction)] for _ in range(1000)]
        at = np.array([amplitude(Y[rows], [0, .3, .5], rows) for rows in parts])
        for k, found, wanted in zip((0, .3, .5), at.T, expected):
            report.claim("a fraction %g: mean |F(%g)|" % (fraction, k), found.mean(), wanted, .1 * wanted,
                         reason=FEW if fraction == .2 and k != .3 else "")
        report.claim("a fraction %g: mean |F(0)| by the central limit, √(2 (1/f - 1) / (1024 π))" % fraction,
                     at[:, 0].mean(), np.sqrt(2 * (1 / fraction - 1) / (1024 * np.pi)), .001)
        ax.plot(WAVES, np.mean([amplitude(Y[rows], WAVES, rows) for rows in parts[:100]], 0), label=str(fraction))
    ax.plot(WAVES, full, "k--", label="all points")
    ax.set(xlabel="k", ylabel="|F(k)|")
    ax.legend()


def learn(fraction, seed, epochs=1000):
    """(run, test loss, test accuracy, outputs on all points at epochs 0, 200 and the last, rows trained on)"""
    order = np.random.default_rng(seed).permutation(1024)
    train, test = np.split(order, [int(1024 * fraction)])
    net = dyn.mlp([10, 1000, 1], "relu", seed=seed)
    run = dyn.Run(net, X[train], Y[train], dtype="float32", optimizer=dyn.Adam(2e-4), validation=(X[test], Y[test]),
                  validate_every=10, record_every=10)
    run.measure(lambda state: state.theta, name="theta", at=[0, 200, epochs])
    loss = run.train(epochs).history["validation_loss"]
    outputs = [net(theta, X)[:, 0] for theta in run["theta"].values]
    return run, loss, (np.sign(outputs[-1][test]) == np.ravel(Y)[test]).mean(), outputs, train


def parity(report):
    """Product of 10 signs from a fraction of all points: training (dotted) and test loss; half of them: spectra"""
    axes = report.figure("parity", 1, 2, width=3.6)
    seeds, falls = range(1, report.size(3, 10) + 1), {}
    for fraction in (.2, .5, .8):
        trained = [learn(fraction, seed) for seed in seeds]
        epochs, losses = trained[0][0].history["step"], np.array([loss for _, loss, *_ in trained])
        falls[fraction] = [epochs[np.argmax(loss < .7)] if loss.min() < .7 else 2000 for loss in losses]   # or never
        line = axes[0].semilogy(epochs, np.exp(np.log(losses).mean(0)), label="fraction %g" % fraction)[0]
        axes[0].semilogy(epochs, trained[0][0].history["loss"], ":", color=line.get_color(), linewidth=.8)
        rates = [rate for _, _, rate, *_ in trained]
        if fraction == .2:
            report.claim("a fraction .2: test accuracy at epoch 1000, no grokking", rates, most=.7)
            report.claim("a fraction .2: training loss at epoch 1000, which is learned by heart",
                         [run.history["loss"][-1] for run, *_ in trained], most=1e-2)
        if fraction == .5:
            half(report, axes[1], epochs, losses, rates, trained)
    for smaller, larger in ((.2, .5), (.5, .8)):
        report.claim("epoch at which the test loss falls below .7: fraction %g less %g" % (smaller, larger),
                     np.subtract(falls[smaller], falls[larger]), least=20)
    axes[0].set(xlabel="epoch", ylabel="loss", ylim=(1e-3, 3))
    axes[0].legend(loc="lower left")


def half(report, ax, epochs, losses, rates, trained):
    """Claims on half of the points: the test loss rises and falls, a spurious low frequency comes and goes."""
    report.claim("a fraction .5: epoch at which the test loss peaks", epochs[losses.argmax(1)], 200, 60)
    report.claim("largest test loss over the first", losses.max(1) / losses[:, 0], least=1.05)
    report.claim("test accuracy at epoch 1000", rates, least=.99)
    report.claim("test loss at epoch 1000, does not reach 0", losses[:, -1], least=.01, most=.5)
    low = np.array([[amplitude(f, [.3])[0] for f in outputs] for *_, outputs, _ in trained])
    torch = np.mean([.5146, .2250, .5062])      # the same starts in double precision, independent.py
    report.claim("|F(.3)| of all points, epoch 1000 over 200, first three seeds: a spurious low frequency goes; "
                 "PyTorch's", low[:3, 2] / low[:3, 1], torch, .02)
    *_, outputs, train = trained[0]
    for epoch, f in zip((0, 200, 1000), outputs):
        ax.plot(WAVES, amplitude(f), label="output, epoch %d" % epoch)
    ax.plot(WAVES, amplitude(Y), "k--", label="target")
    ax.plot(WAVES, amplitude(Y[train], WAVES, train), "k:", label="target, training set")
    ax.set(xlabel="k", ylabel="|F(k)|, all points", yscale="log", ylim=(1e-4, 100))
    ax.legend(loc="upper center", ncols=2, fontsize="x-small")


if __name__ == "__main__":
    reproduction.main("2405.17479", "Grokking of parity", [subsets, parity])
