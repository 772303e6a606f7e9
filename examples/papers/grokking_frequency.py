# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhang, Xu, "A rationale from frequency perspective for grokking in training neural network", arXiv
2405.17479.

Networks learn low frequencies first. Where on the training points a high frequency of the target passes for a low
one, in F(k) = (1/n) Σ y exp(-ikx) of the training set, that one is learned first: the test loss rises, and falls when
the true frequency comes."""
import numpy as np

import dyn
import reproduction

CIRCLE = np.linspace(-np.pi, np.pi, 1000)
TEST = CIRCLE[:, None], np.sin(6 * CIRCLE)[:, None]


def amplitude(x, y, k):
    return np.abs(dyn.frequency.transform(np.ravel(x), np.ravel(y), k))


def sine(report):
    """sin 6x from 65 points on which it is nearly sin x: losses, and the output at three epochs"""
    x, y = dyn.data.target("sin_6_aliased", 65)
    report.claim("target on the training set: |F(1)|", amplitude(x, y, [1]), .206, .002)
    report.claim("target on the training set: |F(6)|", amplitude(x, y, [6]), .537, .002)
    steps = report.size(3000, 35000)
    axes = report.figure("sine", 1, 2)
    spectra = {0: [], 2000: [], steps: []}
    test = []
    for seed in report.seeds:
        net = dyn.mlp([1, 200, 200, 200, 100, 1], "sin", seed=seed)
        run = dyn.Run(net, x, y, dtype="float32", optimizer=dyn.Adam(2e-6), validation=TEST, validate_every=100,
                      record_every=100)
        run.measure(lambda state: state.theta, name="theta", at=list(spectra))
        test.append(run.train(steps).history["validation_loss"])
        for step, theta in zip(run["theta"].steps, run["theta"].values):
            spectra[step].append(net(theta, CIRCLE)[:, 0])
    rise = [np.nanmax(t) / t[0] for t in test]
    report.claim("largest test loss over the first", rise, least=1.05)
    report.claim("test |F(1)| at epoch 2000", [amplitude(CIRCLE, f, [1])[0] for f in spectra[2000]], .182, .03)
    report.claim("test |F(6)| at epoch 2000", [amplitude(CIRCLE, f, [6])[0] for f in spectra[2000]], .011, .02)
    if not report.quick:
        report.claim("test |F(1)| at the end", [amplitude(CIRCLE, f, [1])[0] for f in spectra[steps]], most=.005)
        report.claim("test |F(6)| at the end", [amplitude(CIRCLE, f, [6])[0] for f in spectra[steps]], .499, .005)
        report.claim("test loss at the end", [t[-1] for t in test], most=1e-3)
    axes[0].semilogy(run.history["step"], run.history["loss"], label="training")
    axes[0].semilogy(run.history["step"], test[-1], label="test")
    axes[0].set(xlabel="epoch", ylabel="loss")
    axes[0].legend()
    for step, found in spectra.items():
        axes[1].plot(CIRCLE, found[-1], label="epoch %d" % step)
    axes[1].plot(x, y, "k.", markersize=3)
    axes[1].legend()


def uniform(report):
    """The same net on 65 equally spaced points: the test loss never rises"""
    x = np.linspace(-np.pi, np.pi, 65)
    worst = []
    for seed in report.seeds:
        net = dyn.mlp([1, 200, 200, 200, 100, 1], "sin", seed=seed)
        run = dyn.Run(net, x, np.sin(6 * x), dtype="float32", optimizer=dyn.Adam(2e-6), validation=TEST,
                      validate_every=100, record_every=100)
        test = run.train(report.size(1500, 5000)).history["validation_loss"]
        worst.append(np.nanmax(test) / test[0])
    report.claim("largest test loss over the first, uniform points", worst, most=1.005)


def parity(report):
    """Product of 10 signs from half of all points: losses; spectra along (1, …, 1) near the peak of the test loss"""
    x, y = dyn.data.parity(10)
    k = np.linspace(0, np.pi, 65)
    along = dyn.frequency.project(x, np.ones(10))
    full = amplitude(along, y, k)
    report.claim("largest | |F(k)| - |sin k|^10 | of all points", abs(full - np.abs(np.sin(k))**10).max(), most=1e-12)
    axes = report.figure("parity", 1, 2)
    peaks, finals, accuracy, lows = [], [], [], []
    for seed in report.seeds:
        order = np.random.default_rng(seed).permutation(1024)
        train, test = order[:512], order[512:]
        net = dyn.mlp([10, 1000, 1], "relu", seed=seed)
        run = dyn.Run(net, x[train], y[train], dtype="float32", optimizer=dyn.Adam(2e-4), validation=(x[test], y[test]),
                      validate_every=10, record_every=10)
        run.measure(lambda state: state.theta, name="theta", at=[200])
        loss = run.train(1000).history["validation_loss"]
        peaks.append(run.history["step"][np.nanargmax(loss)])
        finals.append(loss[-1])
        accuracy.append((np.sign(net(run.theta, x[test])) == y[test]).mean())
        middle, end = (amplitude(along, net(t, x), [.3])[0] for t in (run["theta"].values[0], run.theta))
        lows.append(end / middle)
    report.claim("epoch at which the test loss peaks", peaks, 200, 60)
    report.claim("test accuracy at epoch 1000", accuracy, least=.99)
    report.claim("test loss at epoch 1000, does not reach 0", finals, least=.01, most=.5)
    axes[0].semilogy(run.history["step"], np.column_stack([run.history["loss"], loss]), label=["training", "test"])
    axes[0].set(xlabel="epoch", ylabel="loss")
    axes[0].legend()
    for theta, name in ((run["theta"].values[0], "epoch 200"), (run.theta, "epoch 1000")):
        axes[1].plot(k, amplitude(along, net(theta, x), k), label=name)
    axes[1].plot(k, full, "k--", label="target")
    axes[1].set(xlabel="k", ylabel="|F(k)|, all points")
    axes[1].legend()
    torch = np.mean([.5146, .2250, .5062])      # the same starts in double precision, independent.py
    report.claim("|F(.3)| of all points, epoch 1000 over 200: a spurious low frequency goes; PyTorch's", lows, torch,
                 .02)


if __name__ == "__main__":
    reproduction.main("2405.17479", "Grokking as a matter of frequency", [sine, uniform, parity])
