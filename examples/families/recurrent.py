# SPDX-License-Identifier: BSD-3-Clause
"""Recurrent networks: the first number of a sequence, said at its end. A GRU and an LSTM carry it.

usage: recurrent.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    x, error = np.random.default_rng(0).standard_normal((400, 12, 1)), {}
    for cell in ("gru", "lstm"):
        net = dyn.recurrent(1, 12, width=24, cell=cell, seed=1)
        run = dyn.Run(net, x[:300], x[:300, 0], optimizer=dyn.Adam(1e-2), dtype="float32").train(800)
        error[cell] = np.mean((run.predict(x[300:]) - x[300:, 0])**2)
        losses(ax, run, cell)
    assert max(error.values()) < 0.1, error
    ax.legend()
    return f"error of variance 1: {error['gru']:.3f} by a GRU, {error['lstm']:.3f} by an LSTM"


if __name__ == "__main__":
    show(main)
