# SPDX-License-Identifier: BSD-3-Clause
"""Zhang, Wang, Yao, Zhou, Li, E, Xu, "Anchor function: a type of benchmark functions for studying language models",
arXiv 2401.08309, continued: which parts of two layers the task of anchor_functions.py needs, and what other networks
do.

What one layer of attention lacks is precisely the shift: with values moved up by a row by hand it finds the rule,
too. The paper's accuracies are those of its sizes, five seeds each; here width 128 and 400 steps, and wide bounds
where they scatter. The quick form takes the first two of three seeds."""
import numpy as np

import dyn
import reproduction
from anchor_functions import KEYS, WIDTH, learn, transformer

BARE = dict(hidden=0, mix=False, key_width=WIDTH)
SQUARE = dict(BARE, width=201, key_width=201, project=False, output_bias=False)      # the last row is the logits


def shifted(seed):
    """One layer whose values are moved up by a row by hand, without a mask."""
    d, k = WIDTH, KEYS

    def build(g, tokens):
        x = dyn.embedding(tokens, g.parameter("embedding", (201, d), dyn.init.normal(1)))
        x = x + g.parameter("position", (9, d), dyn.init.normal(1))
        q, key, v = (x @ g.parameter(name, (d, k)) for name in ("Wq", "Wk", "Wv"))
        v = dyn.concatenate([v[:, 1:], v[:, :1]], axis=1)
        x = x + dyn.scaled_dot_product_attention(q, key, v) @ g.parameter("Wo", (k, d))
        gain, shift = g.parameter("gain", (d,), dyn.init.constant(1)), g.parameter("shift", (d,), dyn.init.zero())
        x = dyn.layer_norm(x, gain, shift)
        return x[:, 8] @ g.parameter("W", (d, 201)) + g.parameter("b", (201,))
    return dyn.Model.from_function(build, dyn.Indices(9), seed=seed)


#: configuration, its options, the paper's accuracies of five seeds, what is asked of the mean here
ABLATION = [
    ("no feed-forward", dict(hidden=0), "1 1 .976 1 .96", dict(least=.9)),
    ("no feed-forward, no norm", dict(hidden=0, norm="none"), ".994 .944 .98 .534 .964", dict(least=.5)),
    ("no feed-forward, no Wo", BARE, "1 1 .996 .992 .996", dict(least=.9)),
    ("no feed-forward, Wo, norm", dict(BARE, norm="none"), ".982 .89 .752 .048 .962", dict(least=.4)),
    ("no feed-forward, norm, residual", dict(hidden=0, norm="none", residual=False), ".044 .022 .046 .038 .028",
     dict(most=.1)),
    ("attention and projection alone", dict(BARE, norm="none", residual=False), ".152 .014 .042 .056 .078",
     dict(most=.25)),
    ("attention alone, no mask", dict(SQUARE, norm="none", residual=False, causal=False), ".04 .99 .936 .976 .358",
     dict(least=.3)),
    ("attention, norm and residual alone", SQUARE, ".868 .956 .732 .15 .802", dict(least=.4)),
]


def ablation(report):
    """Accuracy on new keys of two layers that lack parts, over seeds"""
    ax, seeds = report.figure("ablation", width=6), report.seeds[:report.size(2, 3)]
    for row, (name, options, paper, bound) in enumerate(ABLATION):
        found = [learn(transformer(seed, **options), seed)[1] for seed in seeds]
        report.claim("%s (paper: %s)" % (name, paper), found, **bound)
        ax.plot(found, [row] * len(found), "o")
    by_hand = [learn(shifted(seed), seed)[1] for seed in seeds]
    report.claim("1 layer whose values are shifted by hand (paper: 1)", by_hand, least=.9)
    ax.plot(by_hand, [len(ABLATION)] * len(by_hand), "o")
    ax.set_yticks(range(len(ABLATION) + 1), [a[0] for a in ABLATION] + ["1 layer, shifted by hand"])
    ax.set(xlabel="accuracy on new keys")


def baselines(report):
    """Accuracy on new keys of LSTMs of 40 (circles) and 128 numbers and of a fully connected network (squares)"""
    ax, seeds = report.figure("baselines"), report.seeds[:report.size(2, 3)]
    kinds = (("LSTM of 40, a width fitted to these", lstm, (.08, .23, .65), "o"),
             ("fully connected", dense, (.01, .01, .01), "s"))
    for name, make, expected, mark in kinds:
        for keys, paper in zip((200, 400, 1000), expected):
            found = [learn(make(seed), seed, keys=keys)[1] for seed in seeds]
            report.claim("%s, %d samples" % (name, keys), found, paper, max(.05, .3 * paper))
            ax.plot([keys] * len(found), found, mark, color="C1" if mark == "o" else "C0")
    larger = [learn(lstm(seed, 128), seed)[1] for seed in seeds]
    report.claim("LSTM of 128, 1000 samples: finds the rule, too", larger, least=.95)
    ax.plot([1000] * len(larger), larger, "^", color="C2")
    ax.set(xlabel="samples", ylabel="accuracy on new keys")


def lstm(seed, width=40):
    """The paper's is not known in its size: this one is as good as it at each number of samples."""
    return dyn.recurrent(WIDTH, 9, width, 201, vocabulary=201, seed=seed)


def dense(seed):
    def build(g, tokens):
        x = dyn.embedding(tokens, g.parameter("embedding", (201, WIDTH), dyn.init.normal(1))).reshape(-1, 9 * WIDTH)
        x = dyn.relu(x @ g.parameter("W1", (9 * WIDTH, 2 * WIDTH)) + g.parameter("b1", (2 * WIDTH,)))
        return x @ g.parameter("W2", (2 * WIDTH, 201)) + g.parameter("b2", (201,))
    return dyn.Model.from_function(build, dyn.Indices(9), seed=seed)


if __name__ == "__main__":
    reproduction.main("2401.08309", "Anchor functions: ablation and baselines", [ablation, baselines])
