# SPDX-License-Identifier: BSD-3-Clause
"""
Attention that shifts and finds
===============================

The token after a 3 is the answer, wherever the 3 stands. Two layers of a transformer learn it: the first moves the anchor
to its key, the second lets the last place find it (arXiv 2401.08309). Maps are tensors with names; with the loss's gradient
by them they are read in one pass.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn


def sequences(n, seed, length=9):
    random = np.random.default_rng(seed)
    tokens = random.integers(20, 101, (n, length))
    place, rows = random.integers(0, length - 1, n), np.arange(n)
    tokens[rows, place] = 3
    return tokens, tokens[rows, place + 1]


net = dyn.transformer(201, 9, layers=2, width=64, key_width=32, hidden=128, seed=1)
run = dyn.Run(net, *sequences(2000, 0), loss="cross_entropy", optimizer=dyn.AdamW(2e-3, weight_decay=0.01), batch=100,
              dtype="float32")
run.train(400)

tokens, labels = sequences(300, 1)
unseen = dyn.Objective(net, tokens, labels, loss="cross_entropy")
maps, slopes = unseen.inside(run.theta, "layer1.attention", "layer2.attention", gradient=True)
print(f"right on new sequences: {unseen.accuracy(run.theta):.0%}")
assert unseen.accuracy(run.theta) > 0.9

sample = int(np.argmax(tokens[:, 3] == 3))              # one with the anchor at place 3, the key at place 4
figure = Figure(figsize=(9.5, 4), layout="constrained")
panels = figure.subplots(1, 3)
for ax, (name, values, colours) in zip(panels, (
        ("layer 1", maps["layer1.attention"], "Greys"), ("layer 2", maps["layer2.attention"], "Greys"),
        ("gradient of the loss by layer 2", slopes["layer2.attention"], "RdBu_r"))):
    shown = values[sample, 0]
    top = np.abs(shown).max()
    ax.imshow(shown, cmap=colours, vmin=0 if colours == "Greys" else -top, vmax=top)
    ax.set(title=name, xticks=range(9), yticks=range(9), xticklabels=tokens[sample], xlabel="seen")
    ax.tick_params(axis="x", rotation=90)
panels[0].set_ylabel("place that looks")
