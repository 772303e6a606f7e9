# SPDX-License-Identifier: BSD-3-Clause
"""Figures of what examples/digits has measured.

usage: plot_digits.py [FOLDER]

Reads history.csv and <stage>.npz in FOLDER (results/digits) and writes digits.png there, and each of its three parts
as a picture of its own: training.png, condensation.png, rank.png."""
import csv
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot

STAGES = {"start": "#b8860b", "middle": "#2a9d8f", "end": "#1d3557"}
BLUE, ORANGE, RED, GREY = "#1d3557", "#e07a1f", "#c1121f", "#8a8a8a"
STYLE = {
    "font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "axes.labelcolor": "#333333",
    "axes.grid": True, "grid.color": "#ececec", "axes.axisbelow": True, "xtick.color": "#555555",
    "ytick.color": "#555555", "legend.frameon": False, "legend.fontsize": 9, "lines.linewidth": 1.5}


def read_history(path):
    """Columns of the table as arrays; nan where nothing was measured."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return dict(zip(rows[0], np.array(rows[1:], dtype=float).T))


def read_stages(folder):
    """The stages that were reached, in order."""
    return {name: np.load(folder / f"{name}.npz") for name in STAGES if (folder / f"{name}.npz").exists()}


def training(part, history, stages):
    """Loss, and Adam's sharpness with its threshold, on one time axis."""
    top, bottom = part.subplots(2, 1, sharex=True, height_ratios=(1, 1.25))
    top.semilogy(history["step"], history["loss"], color=BLUE)
    top.set_ylabel("loss")
    top.set_title("Training at the edge of stability")
    measured = np.isfinite(history["sharpness_pre"])
    step, threshold = history["step"][measured], history["threshold"][measured]
    bottom.semilogy(step, history["sharpness_pre"][measured], ".-", color=BLUE, markersize=4, linewidth=1.0,
                    label="sharpness under Adam")
    bottom.semilogy(step, history["sharpness"][measured], color=GREY, linewidth=1.0, label="of the Hessian itself")
    bottom.semilogy(step, threshold, "--", color=RED, linewidth=1.2, label=r"threshold $2/\eta$")
    bottom.set_ylim(1, 12 * threshold[0])
    bottom.set_ylabel("largest eigenvalue")
    bottom.set_xlabel("step")
    bottom.legend(loc="lower right")
    part.align_ylabels()


def condensation(part, history, stages):
    """Cosines between the neurons of layer 1, in the order that shows groups, and the number of directions."""
    grid = part.add_gridspec(2, len(stages), height_ratios=(2.1, 1))
    for column, stage in enumerate(stages.values()):
        ax = part.add_subplot(grid[0, column])
        order = by_cluster(stage)
        image = ax.imshow(stage["cosines"][np.ix_(order, order)], cmap="RdBu_r", vmin=-1, vmax=1,
                          interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.set_xlabel(f"step {stage['step']}: {stage['directions']} directions", fontsize=9)
        if column == 0:
            ax.set_title("Condensation of the 100 neurons of layer 1")
    part.colorbar(image, ax=part.axes, location="right", label="cosine", ticks=(-1, 0, 1), shrink=0.6, aspect=14)
    ax = part.add_subplot(grid[1, :])
    measured = np.isfinite(history["condensation.0"])
    ax.plot(history["step"][measured], history["condensation.0"][measured], ".-", color=BLUE, markersize=4,
            linewidth=1.0)
    ax.set_ylim(0, None)
    ax.set_ylabel("directions")
    ax.set_xlabel("step")


def by_cluster(stage):
    """Neurons of one cluster beside each other, the largest cluster first; w before -w within it."""
    sizes = np.bincount(stage["cluster"] + 1, minlength=1)
    place = np.argsort(stage["order"])
    return np.lexsort((place, stage["cluster"], -sizes[stage["cluster"] + 1]))


def rank(part, history, stages):
    """Singular values of the Jacobian of the outputs, and where the rank cuts them."""
    ax = part.subplots()
    for name, stage in stages.items():
        values, count = stage["singular_values"], int(stage["rank"])
        ax.semilogy(np.arange(1, len(values) + 1), values / values[0], color=STAGES[name],
                    label=f"step {stage['step']}: rank {count}")
        ax.plot(count, values[count - 1] / values[0], "o", color=STAGES[name], markersize=6, markeredgecolor="white")
    ax.axhline(1e-4, color=RED, linestyle="--", linewidth=1.2, label="cut")
    ax.set_title("Rank of the Jacobian")
    ax.set_xlabel("singular value")
    ax.set_ylabel("relative to the largest")
    ax.legend(loc="lower left")


PARTS = {"training": training, "condensation": condensation, "rank": rank}
WIDTHS = (4.4, 5.6, 4.0)


def main(folder):
    history, stages = read_history(folder / "history.csv"), read_stages(folder)
    pyplot.rcParams.update(STYLE)
    whole = pyplot.figure(figsize=(sum(WIDTHS), 4.3), layout="constrained")
    pictures = {"digits": whole}
    for part, width, (name, draw) in zip(whole.subfigures(1, 3, width_ratios=WIDTHS), WIDTHS, PARTS.items()):
        pictures[name] = pyplot.figure(figsize=(width, 4.3), layout="constrained")
        draw(part, history, stages)
        draw(pictures[name], history, stages)
    for name, figure in pictures.items():
        figure.savefig(folder / f"{name}.png", dpi=130)
    print("Figures: " + ", ".join(str(folder / f"{name}.png") for name in pictures))


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "results/digits"))
