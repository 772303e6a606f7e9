# SPDX-License-Identifier: BSD-3-Clause
"""What the programs of this folder share: main(ax) shows the point of a family, checks it, draws it, returns it in words."""
import pathlib
import sys

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402


def show(main):
    """Run main on the axes of a figure: PICTURE, by default the program's name."""
    paths = [word for word in sys.argv[1:] if not word.startswith("-")]
    figure, ax = pyplot.subplots(figsize=(4.4, 3.2), layout="constrained")
    print(main(ax))
    figure.savefig(paths[0] if paths else pathlib.Path(sys.argv[0]).stem + ".png", dpi=110)


def losses(ax, run, label=None):
    """The losses of a run against its steps."""
    ax.loglog(np.arange(1, len(run.history["loss"]) + 1), np.maximum(run.history["loss"], 1e-16), label=label)
    ax.set(xlabel="step", ylabel="loss")
