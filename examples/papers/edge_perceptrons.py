# SPDX-License-Identifier: BSD-3-Clause
"""Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability" (arXiv 2103.00065),
continued: other perceptrons, and the gradient flow.

Whatever the activation, the target and the depth, the sharpness comes to 2/η and stays; with cross-entropy it falls
at the end, where the loss is near 0. 64-200-200-10 on 300 digits (the paper: CIFAR-10), 20 linear layers of width 50,
Chebyshev polynomials of degree 3 to 5. Gradient descent follows the flow until the edge, then leaves it."""
import numpy as np

import dyn
import reproduction
from edge_of_stability import X, Y, network

#: activation, its rate with the mean square and with cross-entropy
ACTIVATIONS = (("tanh", .4, 1.0), ("relu", .3, .3), ("elu", .4, .8), ("softplus", .015, .1), ("hardtanh", .4, 1.0))


def perceptron(name, seed):
    """64-200-200-10 from the usual start."""
    if name != "hardtanh":
        return dyn.mlp([64, 200, 200, 10], name, seed=seed)

    def build(g, x):
        for layer, (inputs, outputs) in enumerate(((64, 200), (200, 200), (200, 10))):
            x = x @ g.parameter("W%d" % (layer + 1), (inputs, outputs)) + g.parameter("b%d" % (layer + 1), (outputs,))
            x = x if layer == 2 else dyn.maximum(dyn.minimum(x, 1.0), -1.0)
        return x
    return dyn.Model.from_function(build, 64, seed=seed)


def activations(report):
    """Five activations on digits: sharpness · η/2 with the mean square and with cross-entropy, and the losses"""
    x, y = (a[:300] for a in dyn.data.digits())
    x, steps = dyn.data.standardise(x)[0], report.size(600, 1500)
    axes = report.figure("activations", 2, 2, sharex=True)
    for name, *rates in ACTIVATIONS[:report.size(2, 5)]:
        for column, loss, rate in zip(axes.T, ("mse", "cross_entropy"), rates):
            run = dyn.Run(perceptron(name, 1), x, y, loss, dyn.GD(rate), **(dict(half=True) if loss == "mse" else {}))
            run.measure(dyn.Sharpness(tolerance=1e-2, search=False), every=10)
            found = run.train(steps)["sharpness"]
            edge = found.values[:, 0] / found.threshold
            if loss == "mse":
                report.claim("%s, mean square: mean of sharpness · η/2 over the last third" % name,
                             edge[2 * len(edge) // 3:].mean(), 1.0, .1)
            else:
                report.claim("%s, cross-entropy: sharpness at the end over its largest" % name, edge[-1] / edge.max(),
                             most=.7)
            column[0].plot(found.steps, edge, label=name, linewidth=.9)
            column[1].semilogy(run.history["loss"], linewidth=.9)
            column[0].set(title=loss.replace("_", " "), ylim=(0, 1.6))
            column[1].set_xlabel("step")
    axes[0, 0].set_ylabel("sharpness · η/2")
    axes[1, 0].set_ylabel("loss")
    axes[0, 1].legend()


def others(report):
    """20 linear layers of width 50 (left); Chebyshev polynomials of degree 3, 4, 5, η = .4 (right)"""
    axes, random = report.figure("others", 1, 2), np.random.default_rng(1)
    inputs = np.sqrt(50) * np.linalg.qr(random.normal(size=(50, 50)))[0]
    targets = inputs @ random.normal(size=(50, 50)).T / np.sqrt(50)
    for rate in (.003, .0015):
        net = dyn.mlp([50] * 21, "identity", bias=False, init=dyn.init.xavier(), seed=1)
        at, edge = measured(dyn.Run(net, inputs, targets, half=True, optimizer=dyn.GD(rate)), report.size(1000, 4000))
        report.claim("20 linear layers, η = %g: mean of sharpness · η/2 over the last half" % rate,
                     edge[len(edge) // 2:].mean(), 1.0, .05)
        axes[0].plot(at, edge, label="η = %g" % rate)
    for degree in (3, 4, 5):
        x, y = dyn.data.target("chebyshev_%d" % degree, 20)
        at, edge = measured(dyn.Run(network(1), x, y, half=True, optimizer=dyn.GD(.4)), report.size(10000, 20000))
        report.claim("degree %d: largest sharpness · η/2" % degree, edge.max(), least=1)
        report.claim("degree %d: mean of it over the last half" % degree, edge[len(edge) // 2:].mean(), 1.0, .05)
        axes[1].plot(at, edge, label="degree %d" % degree)
    for ax in axes:
        ax.set(xlabel="step", ylabel="sharpness · η/2", ylim=(0, 1.6))
        ax.legend()


def measured(run, steps):
    """Steps and sharpness over its threshold."""
    run.measure(dyn.Sharpness(tolerance=1e-3, search=False), every=25)
    found = run.train(steps)["sharpness"]
    return found.steps, found.values[:, 0] / found.threshold


def flow(report):
    """Gradient descent follows the gradient flow until the edge, then leaves it: distance, and sharpness of both"""
    rate, steps = .4, report.size(2500, 5000)
    objective = dyn.Objective(network(1), X, Y, half=True)
    run = dyn.Run(objective, optimizer=dyn.GD(rate))
    run.measure(lambda state: state.theta, name="theta", every=50)
    walk = run.train(steps)["theta"]
    smooth = dyn.flow(objective, theta=objective.initial(), times=rate * walk.steps[1:], rtol=1e-8, atol=1e-10)
    apart = np.linalg.norm(walk.values[1:] - smooth.states, axis=1)
    edge = np.array([dyn.eigh(objective.hessian(t), k=1).values[0] for t in smooth.states]) * rate / 2
    past = int(np.argmax(edge > 1))
    report.claim("distance at the crossing over the length of the flow's path there", apart[past] / np.linalg.norm(
        np.diff(smooth.states[:past + 1], axis=0), axis=1).sum(), most=.02)
    report.claim("distance 1000 steps later over that at the crossing", apart[past + 20] / apart[past], least=3)
    ax = report.figure("flow")
    ax.semilogy(walk.steps[1:], np.column_stack([apart, edge]), label=["distance", "sharpness of the flow · η/2"])
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2103.00065", "Edge of stability of perceptrons", [activations, others, flow])
