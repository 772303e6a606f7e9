# SPDX-License-Identifier: BSD-3-Clause
"""All programs of this folder, their figures in one.

usage: gallery.py [PICTURE]"""
import importlib
import sys

from show import pyplot

FAMILIES = ("perceptron", "cnn", "resnet", "transformer", "gpt", "llama", "recurrent", "factorisation", "tensor",
            "diagonal", "polynomial", "neurons", "functions", "embedding")

if __name__ == "__main__":
    figure, axes = pyplot.subplots(4, 4, figsize=(12, 11), layout="constrained")
    for ax in axes.ravel()[len(FAMILIES):]:
        ax.remove()
    for name, ax in zip(FAMILIES, axes.ravel()):
        found = importlib.import_module(name).main(ax)
        ax.set_title(name, fontsize="medium")
        print(f"{name:14s} {found}", flush=True)
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "gallery.png", dpi=80)
