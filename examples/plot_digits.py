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
    "font.size": 10,
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


def title(part, text):
    part.suptitle(text, x=0.02, ha="left", fontsize=11, fontweight="bold")


def training(part, history, stages):
    """Loss, and Adam's sharpness with its threshold, on one time axis."""
    top, bottom = part.subplots(2, 1, sharex=True, height_ratios=(1, 1.3))
    title(part, "Training at the edge of stability")
    top.semilogy(history["step"], history["loss"], color=BLUE)
    top.set_ylabel("loss")
    measured = np.isfinite(history["sharpness_pre"])
    step, threshold = history["step"][measured], history["threshold"][measured]
    bottom.plot(step, history["lambda_grad_pre"][measured], color=ORANGE, linewidth=0.9, label="along the gradient")
    bottom.plot(step, history["sharpness_pre"][measured], ".-", color=BLUE, markersize=4, linewidth=1.0,
                label="sharpness under Adam")
    bottom.plot(step, threshold, "--", color=RED, linewidth=1.3, label=r"threshold $2/\eta$")
    bottom.set_ylim(0, 1.6 * threshold.max())       # at step 0 the moments are empty and the sharpness is far above
    bottom.set_ylabel("curvature")
    bottom.set_xlabel("step")
    bottom.legend(loc="upper right", ncols=2, columnspacing=1.0, handlelength=1.6)
    part.align_ylabels()


def condensation(part, history, stages):
    """Cosines between the neurons of layer 1, in the order that shows groups, and the number of directions."""
    grid = part.add_gridspec(2, len(stages), height_ratios=(1.5, 1))
    title(part, "Condensation of the 100 neurons of layer 1")
    for column, stage in enumerate(stages.values()):
        ax = part.add_subplot(grid[0, column])
        image = ax.imshow(stage["cosines"], cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        ax.set(xticks=[], yticks=[], xlabel=f"step {stage['step']}")
        ax.grid(False)
    part.colorbar(image, ax=part.axes, location="right", label="cosine", ticks=(-1, 0, 1), shrink=0.8, aspect=16)
    ax = part.add_subplot(grid[1, :])
    measured = np.isfinite(history["condensation.0"])
    ax.plot(history["step"][measured], history["condensation.0"][measured], ".-", color=BLUE, markersize=4,
            linewidth=1.0)
    for name, stage in stages.items():
        ax.plot(stage["step"], stage["directions"], "o", color=STAGES[name], markersize=6, markeredgecolor="white")
    ax.set_ylim(0, None)
    ax.set_ylabel("directions")
    ax.set_xlabel("step")


def rank(part, history, stages):
    """Singular values of the Jacobian of the outputs, and where the rank cuts them."""
    ax = part.subplots()
    title(part, "Rank of the Jacobian on 60 digits")
    for name, stage in stages.items():
        values, count = stage["singular_values"], int(stage["rank"])
        ax.semilogy(np.arange(1, len(values) + 1), values / values[0], color=STAGES[name],
                    label=f"step {stage['step']}: rank {count}")
        ax.plot(count, values[count - 1] / values[0], "o", color=STAGES[name], markersize=6, markeredgecolor="white")
    ax.axhline(stage["tolerance"], color=RED, linestyle="--", linewidth=1.2, label=f"cut at {stage['tolerance']:g}")
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
