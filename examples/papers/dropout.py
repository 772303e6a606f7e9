# SPDX-License-Identifier: BSD-3-Clause
"""Zhang, Xu, "Implicit regularization of dropout", arXiv 2207.05952. keep = chance that a neuron is kept.

Dropout before a linear output adds to the expected loss R_S = (1/2n) Σ (f - y)² the penalty
    R₁ = (1 - keep)/(2 n keep) Σ_i Σ_j |W_j|² h_j(x_i)²,
which does not vanish with the step and makes neurons condense; a step ε adds R₂ = (ε/4) E|∇R^drop|². Networks of two
layers and width m, θ ~ N(0, m^-0.2), full-batch Adam at 1e-3; tanh(x - 6) + tanh(x + 6) at 15 points of [-12, 12]: with
keep = .9 nearly all amplitude |a||w| on four angles, without dropout spread over all."""
import numpy as np

import dyn
import peers
import reproduction

DROP, SLOW = .1, "inputs unknown, here N(0, 1): neurons still merge at step 400000, how far depends on the seed"
TANH = np.linspace(-12, 12, 15)
RELU = np.array([-5, -3, -1, 1, 3, 5]) / 3
DATA = {"tanh": (TANH, np.tanh(TANH - 6) + np.tanh(TANH + 6)),
        "relu": (RELU, .5 * np.maximum(-RELU - 1 / 3, 0) + .5 * np.maximum(RELU - 1 / 3, 0))}


def train(report, seed, drop=0.0, activation="tanh", widths=None, batch=None, data=None, steps=None):
    widths = widths or [1, report.size(200, 1000), 1]
    net = dyn.mlp(widths, activation, dyn.init.normal(widths[1]**-.1), seed, dropout=drop)
    run = dyn.Run(net, *(data or DATA[activation]), half=True, optimizer=dyn.Adam(1e-3), batch=batch, record_every=100)
    return run.train(steps or report.size(30000, 100000), progress=False)


def top(run, angles=4):
    """Share of the amplitude in that many of 64 bins of angle."""
    return dyn.condensation(run.objective.model, run.theta).histogram(64, angles)[1]


def condenses(report):
    """Amplitude against angle at the end, and the function learned: with dropout, without, and with batches of 2"""
    grid = np.linspace(-12, 12, 300)
    axes = report.figure("condenses", 2, 3, height=2.2)
    cases = {"keep .9": dict(drop=DROP), "no dropout": {}, "batches of 2": dict(batch=2)}
    for column, (name, options) in enumerate(cases.items()):
        runs = [train(report, seed, **options) for seed in report.seeds]
        found = dyn.condensation(runs[-1].objective.model, runs[-1].theta)
        axes[0, column].plot(found.orientation(), found.amplitudes / found.amplitudes.max(), ".", markersize=4)
        axes[0, column].set(title=name, xlabel="angle", xlim=(-np.pi, np.pi))
        axes[1, column].plot(grid, runs[-1].predict(grid), *DATA["tanh"], "k.")
        bound = dict(least=.8) if options.get("drop") else dict(most=.4)
        report.claim("share of amplitude on 4 of 64 angles, tanh, %s" % name, [top(r) for r in runs], **bound)
        if options.get("drop"):
            dead = [dyn.condensation(r.objective.model, r.theta, dead=.01).dead for r in runs]
            report.claim("share of dead neurons, tanh, keep .9", np.array(dead) / report.size(200, 1000), least=.5)
    cases, m = [("tanh", DROP), ("tanh", 0), ("tanh", 0), ("relu", DROP), ("relu", 0)], report.size(200, 1000)
    report.peer("PyTorch", lambda: sum(3 * peers.torch_seconds([1, m, 1], a, *DATA[a], "Adam", 1e-3, report.size(
        30000, 100000), drop) for a, drop in cases))
    kinked = [[top(train(report, seed, drop, "relu")) for seed in report.seeds] for drop in (DROP, 0.0)]
    report.claim("share of amplitude on 4 of 64 angles, ReLU, keep .9", kinked[0], least=.6)
    report.claim("share of amplitude on 4 of 64 angles, ReLU, no dropout", kinked[1], most=.4)


def penalised(m, seed, drop):
    """A network whose second output is the variance that dropout would give the first, and the loss R_S + R₁ on it."""
    def build(g, x):
        h = dyn.tanh(x @ g.parameter("W1", (1, m)) + g.parameter("b1", (m,)))
        a = g.parameter("W2", (m, 1))
        f = h @ a + g.parameter("b2", (1,))
        return dyn.concatenate([f, dyn.dropout_variance(h, a, drop).reshape(*f.shape)], axis=1)
    net = dyn.Model.from_function(build, (1,), dyn.init.normal(m**-.1), seed)
    return net, lambda f, y: ((f[:, 0] - y)**2 + f[:, 1]) / 2


def penalty(report):
    """Trained on R_S + R₁: share of amplitude on 4 angles against the steps from minima of R_S, which it leaves"""
    m, x, y, fresh, before, after, ratio, lines = report.size(200, 1000), *DATA["tanh"], [], [], [], [], []
    for seed in report.seeds:
        net, loss = penalised(m, seed, DROP)
        run = dyn.Run(net, x, y, loss, dyn.Adam(1e-3), record_every=100)
        fresh.append(top(run.train(report.size(30000, 100000), progress=False)))
        found = dyn.Objective(dyn.mlp([1, m, 1], "tanh", dropout=DROP), x, y, half=True)
        noise = found.noise(run.theta, draws=4000)
        r1 = net(run.theta, x)[:, 1].mean() / 2
        ratio.append((noise.loss - found.value(run.theta)) / r1)
        low = train(report, seed)
        before.append(top(low))
        run = dyn.Run(net, x, y, loss, dyn.Adam(1e-3), theta=low.theta, record_every=100)
        run.measure(lambda state: top(state.run), name="top", every=2000)
        after.append(top(run.train(report.size(30000, 100000), progress=False)))
        lines += [run["top"].steps, run["top"].values]
    ax = report.figure("penalty", width=4)
    ax.plot(*lines)
    ax.set(xlabel="steps of R_S + R₁", ylabel="share on 4 angles", ylim=(0, 1))
    report.claim("share of amplitude on 4 angles, trained on R_S + R₁", fresh, least=.8)
    report.claim("share of amplitude on 4 angles at a minimum of R_S", before, most=.4)
    report.claim("the same after R_S + R₁ from there", after, least=.8)
    report.claim("(E R^drop - R_S)/R₁ by 4000 draws", ratio, 1, .1)


def layers(report):
    """Dropout behind both of two hidden layers: amplitude of the first against angle"""
    m = report.size(200, 1000)
    shares = [top(train(report, report.seeds[0], drop, widths=[1, m, m, 1])) for drop in (DROP, 0.0)]
    report.claim("share of amplitude on 4 angles, three layers, keep .9", shares[0], least=.5)
    report.claim("share of amplitude on 4 angles, three layers, no dropout", shares[1], most=.4)


def many_inputs(report):
    """tanh(Σ x_i) in 10 dimensions, 30 points, keep = .5: cosines between the living neurons"""
    axes = report.figure("many_inputs", 1, 2, width=2.6)
    for ax, drop in zip(axes, (.5, 0.0)):
        shares = []
        for seed in report.seeds:
            x = np.random.default_rng(seed).standard_normal((30, 10))
            run = train(report, seed, drop, widths=[10, 100, 1], data=(x, np.tanh(x.sum(1))), steps=400_000)
            found = dyn.condensation(run.objective.model, run.theta)
            shares.append(found.shares[:2].sum())
        ax.imshow(found.cosines(), vmin=-1, vmax=1, cmap="RdBu_r")
        ax.set(title="keep %g" % (1 - drop), xticks=[], yticks=[])
        report.claim("share of amplitude in two orientations, 10-D, keep %g" % (1 - drop), shares,
                     **(dict(least=.8, reason=SLOW) if drop else dict(most=.3)))


if __name__ == "__main__":
    reproduction.main("2207.05952", "Dropout condenses", [condenses, penalty], long=[layers, many_inputs])
