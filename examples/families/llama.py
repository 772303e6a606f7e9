# SPDX-License-Identifier: BSD-3-Clause
"""LLaMA style: rotary positions tell distances alone. Trained to say the token of three places ago on sequences of
12, the same parameters do so on sequences of 18.

usage: llama.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def net(length):
    return dyn.llama(16, length, layers=1, heads=2, width=32, seed=1)


def sequences(n, length, seed):
    x = np.random.default_rng(seed).integers(1, 16, (n, length))
    return x, np.concatenate([np.zeros((n, 3), int), x[:, :-3]], axis=1)


def main(ax):
    run = dyn.Run(net(12), *sequences(1000, 12, 0), "cross_entropy", dyn.AdamW(1e-2), batch=50, dtype="float32")
    run.train(500)
    x, y = sequences(200, 18, 1)
    right = np.mean(net(18)(run.theta, x).argmax(-1)[:, 12:] == y[:, 12:])
    assert right > 0.9, right
    losses(ax, run)
    return f"{right:.0%} right at places that training never had"


if __name__ == "__main__":
    show(main)
