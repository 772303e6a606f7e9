# SPDX-License-Identifier: BSD-3-Clause
"""The papers' transformers: the token behind an anchor is the answer. Two layers answer where a key never stood, one
layer only what it has seen (arXiv 2401.08309).

usage: transformer.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    (x, y), (new, keys) = (dyn.data.anchor("identity", n, split=s) for n, s in ((1000, "train"), (500, "test")))
    right = {}
    for layers in (2, 1):
        net = dyn.transformer(201, 9, layers=layers, width=128, key_width=32, hidden=64, seed=1)
        run = dyn.Run(net, x, y, "cross_entropy", dyn.AdamW(2e-3, clip_norm=1.0), batch=50, dtype="float32").train(300)
        right[layers] = np.mean(run.predict(new).argmax(1) == keys)
        losses(ax, run, f"{layers} layers")
    assert right[2] > 0.9 > 0.2 > right[1], right
    ax.legend()
    return f"keys at new places: {right[2]:.0%} by two layers, {right[1]:.0%} by one"


if __name__ == "__main__":
    show(main)
