# SPDX-License-Identifier: BSD-3-Clause
"""Convolutional networks: from a small start all kernels turn to one direction, the first singular vector of the
data's patches, before the loss has moved (arXiv 2305.09947).

usage: cnn.py [PICTURE]"""
import numpy as np

import dyn
from show import show

random, k = np.random.default_rng(0), np.arange(8)
waves = random.uniform(0, 3, (40, 4))
images = np.array([np.outer(np.cos(a * k / 5 + p), np.cos(b * k / 5 + q)) for a, b, p, q in waves])
targets = images.mean((1, 2)) - images.mean()


def direction():
    """v1: of the mean over the images of y [patches, 1]."""
    patches = np.lib.stride_tricks.sliding_window_view(images, (3, 3), (1, 2)).reshape(40, 36, 9)
    patches = np.concatenate([patches, np.ones((40, 36, 1))], -1)
    return np.linalg.svd((targets[:, None, None] * patches).mean(0))[2][0]


def cosines(std):
    """Of 32 kernels with v1, when a tenth of the loss is gone."""
    net = dyn.cnn((8, 8, 1), [32], activation="tanh", padding="valid", init=dyn.init.normal(std), seed=2)
    run = dyn.Run(net, images[..., None], targets, optimizer=dyn.GD(2e-3), stop_loss=0.9 * (targets**2).mean())
    tensors = net.views(run.train(100_000).theta)
    kernels = np.concatenate([tensors["W1"].reshape(9, 32), tensors["b1"][None]])
    return np.abs(direction() @ kernels) / np.linalg.norm(kernels, axis=0)


def main(ax):
    found = {std: cosines(std) for std in (1e-2, 1e-4)}
    assert found[1e-2].mean() < 0.6 and found[1e-4].mean() > 0.95, found
    for std, values in found.items():
        ax.plot(np.sort(values), label=f"start of std {std:g}")
    ax.set(xlabel="kernel, sorted", ylabel="|cosine| with v1")
    ax.legend()
    large, small = (values.mean() for values in found.values())
    return f"mean |cosine| of the kernels with v1: {large:.2f} from std 1e-2, {small:.2f} from 1e-4"


if __name__ == "__main__":
    show(main)
