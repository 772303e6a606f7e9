# SPDX-License-Identifier: BSD-3-Clause
"""Wang et al., "Understanding the language model to solve the symbolic multi-step reasoning problem from the
perspective of buffer mechanism", arXiv 2405.15302.

Six shuffled edges a b of a chain and a query; the label is the node `steps` ahead. Edges of the test set (b - a mod 5
in 2, 3) never occur in training (0, 1, 4); out of distribution are ids of which most were never trained. Layer 0
copies the first node of an edge to its second through W_vo(0), a buffer; a later layer finds the edge whose buffer
holds what it seeks, and hands on its second node through a buffer of its own, W_vo(l): L layers make L - 1 steps. The
kernel Ker_1 = W_qk(1) W_vo(0)^T must act as the identity; the matching score is the mean diagonal of softmax(X Ker_1
X^T), X embeddings.

Post norm, one head; matrices and tables uniform in +-6/fan, the paper's small start; AdamW, decay .01, gradients cut
to norm 1. The paper's size: width 400, 270000 samples, batches of 1000; one_step: width 64, keys 32, feed-forward
192, 30000 samples, batches of 200, peak rate 2e-3."""
import numpy as np

import dyn
import reproduction

PAPER = dict(width=400, key_width=64, hidden=1200)


def network(layers, seed, width=64, key_width=32, hidden=192, **options):
    rule = dyn.init.uniform_power(1.0)
    return dyn.transformer(201, 13, layers=layers, width=width, key_width=key_width, hidden=hidden, embedding=rule,
                           weights=rule, seed=seed, **options)


def learn(net, steps, seed, updates, samples=30000, batch=200, rate=2e-3, every=50):
    """The run, with accuracies on trained edges, on others, and out of distribution, every so many updates."""
    sets = [dyn.data.chain(n, steps=steps, split=split, seed=seed + k)
            for k, (split, n) in enumerate((("train", samples), ("test", 1000), ("ood", 1000)))]
    if not isinstance(rate, dyn.Rate):
        rate = dyn.cosine(rate, 2400, floor=rate / 10).after_warmup(50, start=.25)
    run = dyn.Run(net, *sets[0], "cross_entropy", dyn.AdamW(rate, weight_decay=.01, clip_norm=1.0), batch=batch,
                  drop_last=True, dtype="float32", seed=seed, record_every=10)
    run.measure(lambda state: [right(state.run, x[:1000], y[:1000]) for x, y in sets], name="right", every=every)
    return run.train(updates, progress=False)


def right(run, x, y):
    return np.mean(run.predict(x).argmax(1) == y)


def matching(run, ids, theta, count=13, draws=200):
    """Mean diagonal of softmax(X Ker_1 X^T) over draws of that many tokens of ids."""
    p, rng = run.objective.model.views(theta), np.random.default_rng(0)
    kernel = p["layer2.Wq"] @ p["layer2.Wk"].T @ (p["layer1.Wv"] @ p["layer1.Wo"]).T
    scores = []
    for _ in range(draws):
        x = p["embedding"][rng.choice(ids, count, replace=False)]
        h = x @ kernel @ x.T
        h = np.exp(h - h.max(1, keepdims=True))
        scores.append(np.mean(np.diag(h / h.sum(1, keepdims=True))))
    return np.mean(scores)


def one_step(report):
    """One step ahead with two layers of width 64 and with one: loss, and accuracy on trained edges and on others"""
    updates, seeds = report.size(700, 2400), report.seeds[:report.size(2, 3)]
    axes = report.figure("one_step", 1, 2)
    runs = {layers: [learn(network(layers, seed), 1, seed, updates) for seed in seeds] for layers in (2, 1)}
    two, one = (np.array([run["right"].values[-1] for run in runs[layers]]) for layers in (2, 1))
    report.claim("2 layers: accuracy on trained edges", two[:, 0], least=.98)
    report.claim("2 layers: on edges never trained", two[:, 1], least=.9)
    report.claim("2 layers: out of distribution", two[:, 2], least=.85)
    report.claim("1 layer: on edges never trained (a guess among the second nodes: .17)", one[:, 1], most=.35)
    jump = [widest_rise(run["right"].values[:, 1]) for run in runs[2]]
    report.claim("2 layers, edges never trained: share of the rise within a fifth of the training", jump, least=.6)
    still = "embeddings that were never trained stay as small as they started, and their products with them"
    short = "at width 64 other nodes take half of the match, after 700 updates and after 2400"
    for name, ids, why in (("trained", range(1, 100), short), ("never trained", range(101, 200), still)):
        score = [[matching(run, list(ids), theta) for theta in (run.objective.model.initial(), run.theta)]
                 for run in runs[2]]
        report.claim("matching score of %s ids at the start (1/13 = .077)" % name, [s[0] for s in score], 1 / 13, .01)
        report.claim("matching score of %s ids at the end" % name, [s[1] for s in score], least=.5, reason=why)
    for layers, found in runs.items():
        axes[0].plot(found[-1].history["step"], found[-1].history["loss"], label="%d layers" % layers)
    for k, name in enumerate(("trained", "others", "out of distribution")):
        axes[1].plot(runs[2][-1]["right"].steps, runs[2][-1]["right"].values[:, k], label=name)
    axes[0].set(xlabel="update", ylabel="loss")
    axes[1].set(xlabel="update", ylabel="accuracy, 2 layers")
    for ax in axes:
        ax.legend(fontsize=7)


def widest_rise(values):
    """The largest rise within a fifth of the curve, as a share of the whole."""
    window = max(1, len(values) // 5)
    return max(values[window:] - values[:-window]) / (values.max() - values.min())


def two_steps(report):
    """Two steps ahead with three layers of the paper's size: the jump after a plateau"""
    rate = dyn.cosine(2e-4, 100, floor=2e-5, tick_steps=270).after_warmup(10, start=.25)
    run = learn(network(3, 1, **PAPER), 2, 1, 40 * 270, 270000, 1000, rate, every=270)
    values = run["right"].values
    report.claim("accuracy on trained edges on the plateau", values[15, 0], .238, .05)
    report.claim("accuracy on trained edges at the end", values[-1, 0], least=.99)
    report.claim("accuracy on other edges at the end", values[-1, 1], least=.99)
    report.claim("accuracy out of distribution at the end", values[-1, 2], .9, .06)
    ax = report.figure("two_steps")
    ax.plot(run["right"].steps / 270, values, label=("trained", "others", "out of distribution"))
    ax.set(xlabel="epoch", ylabel="accuracy")
    ax.legend()


if __name__ == "__main__":
    reproduction.main("2405.15302", "Multi-step reasoning", [one_step], long=[two_steps])
