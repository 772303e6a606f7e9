# SPDX-License-Identifier: BSD-3-Clause
"""Zhang, Wang, Yao, Zhou, Li, E, Xu, "Anchor function: a type of benchmark functions for studying language models",
arXiv 2401.08309.

A sequence `* * 3 x * ..` is answered with its key x, the token behind the anchor 3. Keys x with (x - place) mod 8 = 0
are never trained: whether these are answered tells apart a rule and a table. Two layers of attention find the rule, one
moving the anchor to its key (shifting), one reading it there from the last place (broadcasting); one layer cannot.

Decoder, post norm, one head; AdamW, decay .01, gradients cut to norm 1; warm-up, then a cosine. Unless a claim says
otherwise: width 128, keys 32, feed-forward 64, peak rate 2e-3, 400 steps (one layer: 800). The paper's: 400, 64, 1200,
2e-4, 4000 epochs, of which 100 suffice. Batches of 50."""
import numpy as np

import dyn
import reproduction

WIDTH, KEYS, HIDDEN = 128, 32, 64


def transformer(seed, **options):
    return dyn.transformer(201, 9, **{**dict(width=WIDTH, key_width=KEYS, hidden=HIDDEN), **options}, seed=seed)


def learn(net, seed, keys=1000, steps=400, rate=2e-3, batch=50, **options):
    """The run, trained, and its accuracy on keys that were never trained at these places."""
    x, y = dyn.data.anchor("identity", keys, seed=seed, **options)
    if not isinstance(rate, dyn.Rate):
        rate = dyn.cosine(rate, steps, floor=rate / 10).after_warmup(steps // 10, start=.1)
    run = dyn.Run(net, x, y, "cross_entropy", dyn.AdamW(rate, weight_decay=.01, clip_norm=1.0), batch=batch,
                  drop_last=True, dtype="float32", seed=seed, record_every=10)
    run.train(steps, progress=False)
    return run, accuracy(run, *dyn.data.anchor("identity", 500, split="test", seed=seed + 100, **options))


def accuracy(run, x, y):
    return np.mean(run.predict(x).argmax(1) == y)


def layers(report):
    """Loss of two layers and of one; accuracy on keys at new places against the number of samples"""
    axes = report.figure("layers", 1, 2)
    for count in (2, 1):
        steps = 400 if count == 2 else 800          # one layer learns its samples by heart, which takes longer
        runs = [learn(transformer(seed, layers=count), seed, steps=steps) for seed in report.seeds]
        axes[0].semilogy(runs[-1][0].history["step"], runs[-1][0].history["loss"], label="%d layers" % count)
        report.claim("%d layers, 1000 samples: accuracy on them" % count, [run.accuracy() for run, _ in runs],
                     least=.99)
        bound = dict(least=.95) if count == 2 else dict(most=.15)
        report.claim("%d layers, 1000 samples: on new keys" % count, [found for _, found in runs], **bound)
        if count == 2:
            attention(report, runs)
    found = {keys: [learn(transformer(seed), seed, keys=keys)[1] for seed in report.seeds] for keys in (200, 400)}
    report.claim("2 layers, 200 samples: on new keys", found[200], most=.3)
    axes[1].plot([200, 400], [np.mean(f) for f in found.values()], "o-", label="2 layers")
    axes[1].set(xlabel="samples", ylabel="accuracy on new keys")
    axes[0].set(xlabel="step", ylabel="loss")
    axes[0].legend()


def attention(report, runs):
    """Claims: layer 1 looks from the key at its anchor, layer 2 from the last place at the key."""
    shift, read = [], []
    for run, _ in runs:
        x, y = dyn.data.anchor("identity", 1000, split="test", seed=7)
        rows, place = np.arange(1000), (x == 3).argmax(1)
        maps = dyn.Objective(run.objective.model, x, y, loss="cross_entropy").inside(
            run.theta, "layer1.attention", "layer2.attention")
        first, second = (maps["layer%d.attention" % k][:, 0] for k in (1, 2))
        shift.append(np.mean(first[rows, place + 1, place] - 1 / (place + 2)))
        read.append(np.mean(second[rows, 8, place + 1]))
    report.claim("layer 1: attention of the key to its anchor, less what is even", shift, least=.2)
    report.claim("layer 2: attention of the last place to the key (even: .11)", read, least=.5)


def full_size(report):
    """Two layers and one of the paper's width, 150 epochs of its schedule, one seed"""
    rate = dyn.cosine(2e-4, 4000, floor=2e-5, tick_steps=20).after_warmup(400, start=.1)
    for count in (2, 1):
        net = transformer(1, layers=count, width=400, key_width=64, hidden=1200)
        run, found = learn(net, 1, steps=3000, rate=rate)
        report.claim("%d layers of width 400: accuracy on 1000 samples" % count, run.accuracy(), least=.99)
        bound = dict(least=.95) if count == 2 else dict(most=.15)
        report.claim("%d layers of width 400: on new keys" % count, found, **bound)


if __name__ == "__main__":
    reproduction.main("2401.08309", "Anchor functions", [layers], long=[full_size])
