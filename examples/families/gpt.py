# SPDX-License-Identifier: BSD-3-Clause
"""GPT-2 style: the next token of walks by 1 or 2 on a circle of 16 places. No model can do better than ln 2 at each
place.

usage: gpt.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    random = np.random.default_rng(0)
    walks = np.cumsum(random.integers(1, 3, (400, 13)), axis=1) % 16
    net = dyn.gpt(16, 12, layers=1, heads=2, width=32, seed=1)
    run = dyn.Run(net, walks[:, :-1], walks[:, 1:], "cross_entropy", dyn.AdamW(1e-2), batch=50, dtype="float32")
    run.train(300)
    loss = run.objective.value(run.theta)
    assert np.log(2) - 0.03 < loss < np.log(2) + 0.03, loss
    losses(ax, run)
    ax.axhline(np.log(2), color="grey", linestyle=":")
    return f"loss {loss:.3f}, ln 2 = {np.log(2):.3f}"


if __name__ == "__main__":
    show(main)
