# SPDX-License-Identifier: BSD-3-Clause
"""Zhang, Lin, Wang, Zhang, Xu, "Initialization is critical to whether transformers fit composite functions by reasoning
or memorizing", arXiv 2405.05409.

Noise, a key x and two anchors of 1..4, which shift by +5, +1, -2, -8; the label is x with both shifts. 14 of 16 ordered
pairs are trained so, (3, 4) with x - 6 instead of x - 10, and (4, 3) never. What is answered on (4, 3): x - 10, by its
parts (inferential), or x - 6, like its mirror (symmetric)? Matrices N(0, d^-2γ): large ones (γ = .5) lead to the
symmetric answer, small ones (γ = .8) to the inferential.

Two layers, one head, post norm; AdamW, decay .01, gradients cut to norm 1, a warm-up, then a cosine. The paper's size:
width 400, keys 200, feed-forward 1200, 900000 samples, batches of 2048, peak rate 2.5e-4; γ = .5 ends after 6 epochs,
γ = .8 after 24. Reduced here in both forms to width 64, keys 32, feed-forward 192, 96000 samples, batches of 500, peak
rate 1e-3; γ log 400 / log 64 in the place of γ gives the same standard deviation."""
import numpy as np

import dyn
import reproduction

WIDTH, KEYS, HIDDEN = 64, 32, 192
EXPONENT = np.log(400) / np.log(WIDTH)


def learn(gamma, seed, updates):
    """The run, and its data."""
    data = dyn.data.composite(96000, seed=seed)
    rate = dyn.cosine(1e-3, 30000, floor=1e-5).after_warmup(300, start=.04)
    net = dyn.transformer(201, 9, width=WIDTH, key_width=KEYS, hidden=HIDDEN, seed=seed,
                          embedding=dyn.init.normal(400**-gamma), weights=dyn.init.power(gamma * EXPONENT))
    run = dyn.Run(net, data.x[data.trained], data.y[data.trained], "cross_entropy",
                  dyn.AdamW(rate, weight_decay=.01, clip_norm=1.0), batch=500, drop_last=True, dtype="float32",
                  seed=seed, record_every=20)
    run.measure(lambda state: answers(state.run, data), name="answers", every=updates // 20)
    return run.train(updates, progress=False), data


def pair(data, a, b):
    """1000 samples of an ordered pair, keys with x mod 9 != place."""
    rows = data.group == 2 * (4 * (a - 1) + b - 1) + 1
    return data.x[rows][:1000], data.y[rows][:1000]


def answers(run, data):
    """Shares: trained pairs right on new keys, (3, 4) as trained, (4, 3) inferential, (4, 3) symmetric."""
    new = np.isin(data.group, [g for g in range(0, 32, 2) if g not in (22, 28)])
    x, y = data.x[new][:1000], data.y[new][:1000]
    (x34, y34), (x43, y43) = pair(data, 3, 4), pair(data, 4, 3)
    found = run.predict(x43).argmax(1)
    return [np.mean(run.predict(x).argmax(1) == y), np.mean(run.predict(x34).argmax(1) == y34),
            np.mean(found == y43), np.mean(found == y43 + 4)]


def phases(report):
    """What is answered on the pair (4, 3), in training: large start and small"""
    axes = report.figure("phases", 1, 2)
    seeds, large, small = report.seeds[:report.size(1, 3)], report.size(1300, 3000), report.size(1450, 7000)
    runs = {gamma: [learn(gamma, seed, updates)[0] for seed in seeds] for gamma, updates in ((.5, large), (.8, small))}
    for ax, (gamma, found) in zip(axes, runs.items()):
        ax.plot(found[0]["answers"].steps, found[0]["answers"].values,
                label=("trained pairs", "(3, 4) as trained", "(4, 3) inferential", "(4, 3) symmetric"))
        ax.set(xlabel="update", title="γ = %g" % gamma, ylim=(-.03, 1.03))
    axes[0].legend(fontsize=7)
    last = {gamma: np.array([run["answers"].values[-1] for run in found]) for gamma, found in runs.items()}
    report.claim("γ = .5: trained pairs, new keys", last[.5][:, 0], least=.9)
    report.claim("γ = .5: (4, 3) symmetric", last[.5][:, 3], least=.95)
    report.claim("γ = .5: (4, 3) inferential", last[.5][:, 2], most=.05)
    if report.quick:        # on its way: it takes five times as long
        ratio = (last[.8][:, 2] + .001) / (last[.8][:, 3] + .001)
        report.claim("γ = .8, on its way: (4, 3) inferential over symmetric", ratio, least=3)
    else:
        report.claim("γ = .8: trained pairs, new keys", last[.8][:, 0], least=.9)
        report.claim("γ = .8: (4, 3) inferential", last[.8][:, 2], least=.8)
    report.claim("γ = .8: (4, 3) symmetric", last[.8][:, 3], most=.1)


if __name__ == "__main__":
    reproduction.main("2405.05409", "Composite anchors: reasoning or memorising", [phases])
