# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhang, Xu, "A rationale from frequency perspective for grokking in training neural network" (2405.17479).

Networks learn low frequencies first. Where on the training points a high frequency of the target passes for a low
one, in F(k) = (1/n) Σ y exp(-ikx) of the training set, that one is learned first: the test loss rises, and falls when
the true frequency comes. sin 6x from 65 points on which it is nearly sin x; equally spaced, or of 1000, none rises."""
import numpy as np

import dyn
import reproduction

CIRCLE = np.linspace(-np.pi, np.pi, 1000)
TEST = CIRCLE[:, None], np.sin(6 * CIRCLE)[:, None]
WAVES = np.linspace(0, 10, 201)


def amplitude(x, y, k):
    return np.abs(dyn.frequency.transform(np.ravel(x), np.ravel(y), k))


def learn(x, seed, steps, at=(), activation="sin"):
    """(network, run) on sin 6x at x, with the test loss every 100 epochs and the parameters at some of them."""
    net = dyn.mlp([1, 200, 200, 200, 100, 1], activation, seed=seed)
    run = dyn.Run(net, x, np.sin(6 * x), dtype="float32", optimizer=dyn.Adam(2e-6), validation=TEST,
                  validate_every=100, record_every=100)
    run.measure(lambda state: state.theta, name="theta", at=list(at) or "end")
    return net, run.train(steps)


def sine(report):
    """sin 6x from 65 points on which it is nearly sin x: losses over seeds, and the output at three epochs"""
    x = np.ravel(dyn.data.target("sin_6_aliased", 65)[0])
    for k, truth, expected in zip((1, 6), amplitude(x, np.sin(6 * x), [1, 6]), (.206, .537)):
        report.claim("target on the training set: |F(%d)|" % k, truth, expected, .002)
    times = [0, 2000, report.size(3000, 35000)]
    trained = [learn(x, seed, times[-1], times) for seed in range(1, report.size(3, 10) + 1)]
    losses = np.array([[run.history["loss"], run.history["validation_loss"]] for _, run in trained])
    outputs = np.array([[net(theta, CIRCLE)[:, 0] for theta in run["theta"].values] for net, run in trained])
    fits = np.array([[net(theta, x)[:, 0] for theta in run["theta"].values] for net, run in trained])
    report.claim("largest output at the start", abs(outputs[:, 0]).max(1), most=.3)
    for epoch, train, test in ((0, .525, .507), (2000, .452, .549)):
        report.claim("training loss at epoch %d" % epoch, losses[:, 0, epoch // 100], train, .05)
        report.claim("test loss at epoch %d" % epoch, losses[:, 1, epoch // 100], test, .05)
    report.claim("largest test loss over the first", losses[:, 1].max(1) / losses[:, 1, 0], least=1.05)
    cosines = outputs[:, 1] @ np.sin(CIRCLE) / np.linalg.norm(outputs[:, 1], axis=1) / np.linalg.norm(np.sin(CIRCLE))
    report.claim("epoch 2000 looks like sin x: cosine between the two", cosines, least=.9)
    low, high = np.moveaxis([[amplitude(CIRCLE, f, [1, 6]) for f in seed] for seed in outputs], 2, 0)
    report.claim("test |F(1)| at epoch 2000", low[:, 1], .182, .03)
    report.claim("test |F(6)| at epoch 2000", high[:, 1], .011, .02)
    if not report.quick:
        report.claim("training loss at the end", losses[:, 0, -1], most=1e-4)
        report.claim("test loss at the end", losses[:, 1, -1], most=1e-3)
        report.claim("test |F(1)| at the end", low[:, 2], most=.005)
        report.claim("test |F(6)| at the end", high[:, 2], .499, .005)
        kept = [amplitude(x, f[2], [1])[0] for f in fits]
        report.claim("training |F(1)| at the end, as that of the target", kept, .206, .005)
    axes = report.figure("sine", 1, 2)
    for row in (0, 1):
        middle, apart = np.log(losses[:, row]).mean(0), np.log(losses[:, row]).std(0)
        axes[0].semilogy(epochs := trained[0][1].history["step"], np.exp(middle))
        axes[0].fill_between(epochs, np.exp(middle - apart), np.exp(middle + apart), alpha=.2, linewidth=0)
    for time, found in zip(times, outputs[0]):
        axes[1].plot(CIRCLE, found, label="epoch %d" % time)
    axes[1].plot(x, np.sin(6 * x), "k.", markersize=3)
    axes[0].set(xlabel="epoch", ylabel="loss, training and test (orange)")
    axes[1].set(xlabel="x", ylim=(-1.1, 1.9))
    axes[1].legend()
    spectra(report, x, times, fits[0], outputs[0])


def spectra(report, x, times, fits, outputs):
    """Amplitudes of output and target, above on the training set, where a low one is spurious, below on the test."""
    axes = report.figure("spectra", 2, 3, height=2.2, sharex=True, sharey=True)
    for row, (name, at, found) in enumerate((("training set", x, fits), ("test set", CIRCLE, outputs))):
        for ax, time, f in zip(axes[row], times, found):
            ax.plot(WAVES, amplitude(at, f, WAVES), label="output")
            ax.plot(WAVES, amplitude(at, np.sin(6 * at), WAVES), "k--", label="target", linewidth=.9)
            ax.set_title("epoch %d" % time if row == 0 else "")
        axes[row, 0].set_ylabel("|F(k)|, %s" % name)
    axes[0, 0].legend()
    axes[1, 1].set_xlabel("k")


def rise(report):
    """How it begins (seed 2): losses, and |F(1)| and |F(6)| of the output on the test set; the low one comes first"""
    steps = report.size(3000, 18000)
    net, run = learn(dyn.data.target("sin_6_aliased", 65)[0][:, 0], 2, steps, range(0, steps + 1, 500))
    low, high = np.array([amplitude(CIRCLE, net(theta, CIRCLE)[:, 0], [1, 6]) for theta in run["theta"].values]).T
    test, epochs = run.history["validation_loss"], run.history["step"]
    report.claim("seed 2: |F(1)| over |F(6)| of the output on the test set, epoch 2000", low[4] / high[4], least=5)
    if not report.quick:
        report.claim("seed 2: the same, epoch %d" % steps, low[-1] / high[-1], most=.1)
    axes = report.figure("rise", 1, 2)
    axes[0].plot(epochs, np.column_stack([run.history["loss"], test]), label=["training", "test"])
    axes[1].plot(run["theta"].steps, np.column_stack([low, high]), label=["|F(1)|, alias", "|F(6)|, target"])
    for ax, name in zip(axes, ("loss", "amplitude, test set")):
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend()


def uniform(report):
    """Enough points, or equally spaced ones: test loss, which never rises"""
    ax = report.figure("uniform", width=3.8)
    cases = (("65 points", np.linspace(-np.pi, np.pi, 65), "sin", 1, 35000),
             ("65 points, ReLU", np.linspace(-np.pi, np.pi, 65), "relu", 3, 5000),
             ("1000 points", np.ravel(dyn.data.target("sin_6_aliased", 1000)[0]), "sin", 3, 5000))
    for name, x, activation, seeds, steps in cases:
        runs = [learn(x, seed, report.size(1500, steps), activation=activation)[1] for seed in range(1, seeds + 1)]
        test = [run.history["validation_loss"] for run in runs]
        report.claim("%s: largest test loss over the first" % name, [max(t) / t[0] for t in test], most=1.005)
        if name == "65 points":
            report.claim("65 points: test loss at epoch 1000", test[0][10], .480, .02)
            report.claim("65 points: test loss at the end", test[0][-1], most=report.size(.6, 1e-5))
        ax.semilogy(runs[0].history["step"], test[0], label=name)
    ax.set(xlabel="epoch", ylabel="test loss")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2405.17479", "Grokking as a matter of frequency", [sine, rise, uniform])
