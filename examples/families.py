# SPDX-License-Identifier: BSD-3-Clause
"""Every family on a task of its own, each to the state it is known for; their losses in one figure.

usage: families.py [PICTURE]      default families.png"""
import sys

import matplotlib
import numpy as np

import dyn

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

random = np.random.default_rng(0)
digits, labels = dyn.data.digits()
images, classes = digits.reshape(-1, 8, 8, 1), labels.argmax(1)


def accuracy(run, x, y):
    """Share of rows that are classified rightly."""
    return np.mean(run.predict(x).argmax(1) == y)


def classified(net, steps):
    """A network of images on 1500 digits; right on the others."""
    run = dyn.Run(net, images[:1500], classes[:1500], loss="cross_entropy", optimizer=dyn.Adam(3e-3), batch=50, dtype="float32")
    run.train(steps)
    share = accuracy(run, images[1500:], classes[1500:])
    assert share > 0.9, share
    return run, f"{share:.0%} of new digits"


def perceptron():
    """Condensation: from a small start ReLU neurons gather in few directions."""
    x, y = dyn.data.target("four_relu", 20)
    run = dyn.Run(dyn.mlp([1, 50, 1], "relu", init=dyn.init.power(1.5), seed=1), x, y, optimizer=dyn.Adam(2e-3)).train(6000)
    directions = dyn.condensation(run.objective.model, run.theta, threshold=0.98, min_share=0.02).effective
    assert directions < 12 and run.history["loss"][-1] < 1e-2
    return run, f"{directions} directions of 50 neurons"


def cnn():
    return classified(dyn.cnn((8, 8, 1), [8, 0, 16, 0], outputs=10, seed=1), 400)


def resnet():
    return classified(dyn.resnet((1, 1), (8, 8, 1), base=8, seed=1), 200)


def transformer():
    """Two layers find the key behind an anchor, at places where it never stood."""
    (x, y), (tx, ty) = (dyn.data.anchor("identity", n, split=s) for n, s in ((1000, "train"), (500, "test")))
    net = dyn.transformer(201, 9, width=64, key_width=32, hidden=128, seed=1)
    run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.AdamW(1e-3), batch=100, dtype="float32").train(500)
    share = accuracy(run, tx, ty)
    assert share > 0.9, share
    return run, f"{share:.0%} of keys at new places"


def recurrent():
    """The first number of a sequence, said at its end."""
    x = random.standard_normal((400, 12, 1))
    net = dyn.recurrent(1, 12, width=24, cell="gru", seed=1)
    run = dyn.Run(net, x[:300], x[:300, 0], optimizer=dyn.Adam(5e-3), dtype="float32").train(1200)
    error = np.mean((run.predict(x[300:]) - x[300:, 0])**2)
    assert error < 0.05, error
    return run, f"error {error:.3f} of variance 1"


def factorisation():
    """2rd - r^2 entries and a tiny start give back a matrix of rank 1."""
    matrix = np.outer([1.0, 2, 2, 1.5], [4, 0.6, 1.8, 0.8])
    seen = np.array([0, 1, 2, 3, 4, 8, 12])
    net = dyn.factorisation([4, 4, 4], init=dyn.init.normal(1e-7), seed=1)
    run = dyn.Run(net, seen, matrix.ravel()[seen], optimizer=dyn.GD(0.02)).train(20000)
    a, b = net.views(run.theta).values()
    error = np.abs(a @ b - matrix).max()
    assert error < 1e-2
    return run, f"7 of 16 entries: error {error:.0e}"


def diagonal():
    """From a tiny start the sparse one of all solutions."""
    x, sparse = random.standard_normal((40, 100)), np.zeros(100)
    sparse[:3] = 1, -2, 1.5
    net = dyn.diagonal(100, difference=True, init=dyn.init.constant(1e-4))
    run = dyn.Run(net, x, x @ sparse, optimizer=dyn.GD(5e-3)).train(4000)
    a, b = (v.ravel() for v in net.views(run.theta).values())
    error = np.abs(a**2 - b**2 - sparse).max()
    assert error < 0.1, error
    return run, f"3 of 100 coefficients: error {error:.0e}"


def polynomial():
    """Linear in its parameters: the least squares of NumPy."""
    x = np.linspace(-1, 1, 30)
    net = dyn.polynomial(1, 3, init=dyn.init.zero())
    run = dyn.Run(net, x[:, None], np.sin(3 * x)[:, None], optimizer=dyn.HeavyBall(0.2)).train(4000)
    error = np.abs(np.sort(run.theta) - np.sort(np.polyfit(x, np.sin(3 * x), 3))).max()
    assert error < 1e-6, error
    return run, f"least squares to {error:.0e}"


def main():
    families = (perceptron, cnn, resnet, transformer, recurrent, factorisation, diagonal, polynomial)
    figure, axes = pyplot.subplots(2, 4, figsize=(11, 5), layout="constrained")
    for family, ax in zip(families, axes.ravel()):
        run, found = family()
        loss = run.history["loss"]
        ax.loglog(np.arange(1, len(loss) + 1), np.maximum(loss, 1e-16))
        ax.set_title(f"{family.__name__}\n{found}", fontsize="small")
        ax.set_xlabel("step")
        print(f"{family.__name__:14s} {found}", flush=True)
    axes[0, 0].set_ylabel("loss")
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "families.png", dpi=110)


if __name__ == "__main__":
    main()
