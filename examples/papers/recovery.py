# SPDX-License-Identifier: BSD-3-Clause
"""Zhang et al., "Linear stability hypothesis and rank stratification" (arXiv 2211.11623), "Optimistic estimate"
(2307.08921), "Local linear recovery guarantee" (2406.18035): the trainings.

From a tiny start, networks recover a function from as many samples as its model rank (model_rank.py) and not from
fewer, however many parameters they have: the test error falls there. Training by gradient descent on (1/n) Σ (f -
y)²."""
import functools

import numpy as np

import dyn
import reproduction


def error(run, x, y):
    return float(np.mean((run.predict(x) - y)**2))


def linear(g, x):
    return x @ g.parameter("w", (2, 1)) + g.parameter("b", (1,))


def factored(g, x):
    """θ0 + θ1 x1 + θ2 θ3 x2."""
    w, u, v = (g.parameter(name, (1, 1)) for name in "wuv")
    return x[:, 0:1] @ w + x[:, 1:2] @ (u @ v) + g.parameter("b", (1,))


TARGETS = {"1": (1, 0, 0), "x1": (0, 1, 0), "1 + x1": (1, 1, 0), "x2": (0, 0, 1), "1 + x2": (1, 0, 1),
           "x1 + x2": (0, 1, 1), "1 + x1 + x2": (1, 1, 1)}


def toy_error(model, c, n, trial):
    x = np.random.default_rng(trial).uniform(-1, 1, (1000 + n, 2))
    y = x @ c[1:] + c[0]
    net = dyn.Model.from_function({"linear": linear, "factored": factored}[model], (2,), dyn.init.normal(1e-12), trial)
    run = dyn.Run(net, x[:n], y[:n, None], optimizer=dyn.GD(.1), stop_loss=1e-10, record_every=10000)
    return error(run.train(10000), x[n:], y[n:, None])


def toy(report):
    """θ0 + θ1 x1 + θ2 θ3 x2 against the linear model: median test error for 1, 2, 3 samples"""
    axes = report.figure("toy", 1, 2, height=2.4)
    models = ["linear", "factored"]
    errors = report.grid("toy", toy_error, model=models, c=list(TARGETS.values()), n=[1, 2, 3],
                         trial=range(report.size(11, 100)))["value"]
    for ax, model, found in zip(axes, models, np.median(errors, 3)):
        image = ax.imshow(np.log10(found + 1e-16), vmin=-10, vmax=0, cmap="viridis_r", aspect="auto")
        ax.set(xticks=range(3), xticklabels=(1, 2, 3), xlabel="n", title=model)
        ax.set_yticks(range(len(TARGETS)), list(TARGETS))
        ax.grid(False)
        ax.figure.colorbar(image, ax=ax, label="log10 error")
        needs = [int(np.argmax(row < 1e-6)) + 1 if (row < 1e-6).any() else 4 for row in found]
        expected = [2 if model == "factored" and not c[2] else 3 for c in TARGETS.values()]
        report.claim("%s: targets recovered from exactly the expected number of samples" % model,
                     np.sum(np.array(needs) == expected), 7, 0)


def completion(matrix, n, seed, std, places, rate=.05):
    M = dyn.data.matrix(matrix)
    net = dyn.factorisation([4, 4, 4], init=dyn.init.normal(std), seed=seed)
    run = dyn.Run(net, places[:n], M.ravel()[places[:n]], optimizer=dyn.GD(rate), stop_loss=1e-10, record_every=100000)
    return float(np.linalg.norm(run.train(300000).predict(np.arange(16)).ravel() - M.ravel()) / 16)


def entries(report):
    """4 × 4 matrices from n entries in connected order: |AB - M| / 16, seeds 1 to 3"""
    order = dyn.data.observed(4, 4, "connected")
    ax = report.figure("entries", width=4.6)
    plan = [("N1", 1e-7, 7), ("N2", 1e-7, 12), ("M2", 1e-4, 7), ("M3", 1e-8, 12), ("M6", 1e-4, 15), ("M8", 1e-4, 16)]
    for name, std, need in plan:
        counts = sorted({need - 1, need}) if report.quick else range(4, 17)
        found = report.grid("entries-" + name, functools.partial(completion, name, std=std, places=order),
                            seed=report.seeds, n=counts)["value"]
        at = list(counts).index(need)
        report.claim("%s, std %g, n = %d: log10 error" % (name, std, need), np.log10(found[:, at]), most=-3.5)
        report.claim("%s, n = %d: log10 error" % (name, need - 1), np.log10(found[:, at - 1]), least=-2)
        ax.semilogy(counts, np.median(found, 0), "o-", label="%s, rank %d" % (name, need))
    ax.set(xlabel="entries n", ylabel="error")
    ax.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, .5))
    texts = ("31 43 21 13 24 41 11 12 42", "34 21 23 43 41 44 11 33 12 14", "44 23 42 12 14 32 41 31 11 34 13 22")
    for text, need in zip(texts, (8, 9, 11)):
        places = np.array([4 * (int(e[0]) - 1) + int(e[1]) - 1 for e in text.split()])
        for n, bounds in ((need, dict(most=-3.5)), (need - 1, dict(least=-2))):
            found = [np.log10(completion("M2", n, seed, 1e-4, places)) for seed in report.seeds]
            report.claim("M2, designed sequence with n_t = %d, n = %d: log10 error" % (need, n), found, **bounds)


def neuron_error(width, n, trial):
    x = np.random.default_rng(trial).uniform(-1, 1, (1000 + n, 1))
    net = dyn.mlp([1, width, 1], init=dyn.init.normal(1e-12), seed=trial, output_bias=False)
    run = dyn.Run(net, x[:n], np.tanh(x[:n] + 1), optimizer=dyn.Adam(.1), stop_loss=1e-8, record_every=10000)
    return error(run.train(10000), x[n:], np.tanh(x[n:] + 1))


# log10 of the median error from n samples, independent.py
TORCH = {2: {2: -2.240, 3: -3.607, 5: -6.938}, 20: {2: -1.682, 3: -2.913, 5: -5.654}}


def neuron(report):
    """tanh(x + 1) by 2 and 20 neurons, Adam: median test error against n"""
    ax = report.figure("neuron")
    counts = range(1, report.size(6, 10))
    errors = report.grid("neuron", neuron_error, width=[2, 20], n=counts, trial=range(15))["value"]
    for width, found in zip((2, 20), np.median(errors, 2)):
        ax.semilogy(counts, found, "o-", label="%d neurons" % width)
        for n, expected in TORCH[width].items():
            report.claim("width %d, n = %d: log10 of the median error; PyTorch's" % (width, n), np.log10(found[n - 1]),
                         expected, .1)
    ax.set(xlabel="n", ylabel="test error")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2211.11623, 2307.08921, 2406.18035", "Recovery from as many samples as the model rank",
                      [toy, entries, neuron])
