# SPDX-License-Identifier: BSD-3-Clause
"""Residual networks: two stages of one block with batch norms read handwritten digits; what they measure with are the
running moments.

usage: resnet.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    digits, labels = dyn.data.digits()
    images, classes = digits.reshape(-1, 8, 8, 1), labels.argmax(1)
    net = dyn.resnet((1, 1), (8, 8, 1), base=8, seed=1)
    run = dyn.Run(net, images[:1500], classes[:1500], "cross_entropy", dyn.Adam(3e-3), batch=50, dtype="float32")
    run.train(200)
    right = np.mean(run.predict(images[1500:]).argmax(1) == classes[1500:])
    assert right > 0.9 and run.states["begin.norm.var"].shape == (8,), right
    losses(ax, run)
    return f"{right:.0%} of new digits"


if __name__ == "__main__":
    show(main)
