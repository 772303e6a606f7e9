# SPDX-License-Identifier: BSD-3-Clause
"""Chen, Li, Luo, Zhou, Xu, "Phase diagram of initial condensation for two-layer neural networks", arXiv 2303.06561,
continued: the initial stage in time.

Networks, data and closed form of initial_condensation.py. Neurons grow along z as cosh |z|t, and the loss moves when
they are of size m^-1/2: the stage ends at a time of T = (1/|z|) ln(1/(√m max(ε, ν))), up to a constant, by when the
direction ratio is close to 1."""
import numpy as np

import dyn
import reproduction
from initial_condensation import Z, linear, start_at, train


def growth(report):
    """(γ, γ') = (2, 0): direction ratio and loss over time (dashed: closed form, T); when the stage ends, over T"""
    widths = report.size([100, 400, 1600], [100, 400, 1600, 6400])
    (left, middle, right), rate = report.figure("growth", 1, 3), np.linalg.norm(Z)
    off = []
    for m, colour in zip(widths, reproduction.style.COLOURS):
        net, loss = start_at(m, 2, 0, 1)
        times = np.linspace(0, (np.log(m) / 2 + 2) / rate, 60)
        states = dyn.flow(loss, theta=net.initial(), times=times, rtol=1e-5).states
        value = np.array([loss.value(theta) for theta in states])
        found = dyn.condensation(net, net.initial())
        w0, a0 = found.features, found.output_weights[:, 0]
        ratio = np.array([dyn.condensation(net, theta).alignment(Z).ratio for theta in states])
        theory = np.array([dyn.CondensationResult(linear(w0, a0, t)).alignment(Z).ratio for t in times])
        early = value > .7 * value[0]
        off.append(np.abs(ratio - theory)[early].max())
        left.plot(rate * times, ratio, color=colour, label="m = %d" % m)
        left.plot(rate * times[early], theory[early], "k--", linewidth=.8)
        middle.plot(rate * times, value / value[0], color=colour)
        middle.axvline(np.log(m) / 2, color=colour, linestyle="--", linewidth=.8)
    report.claim("largest |ratio - closed form| over the initial stage", max(off), most=.02)
    for corner in ((2, 0), (2, -.5)):
        foretold = [((corner[0] - abs(corner[1])) / 2 - .5) * np.log(m) for m in widths]
        ends = np.array([[train(m, *corner, seed)["time"] for m in widths] for seed in report.seeds])
        right.plot(foretold, ends.mean(0), "o-", label="(%g, %g)" % corner)
        report.claim("end of the stage over T: slope, (γ, γ') = (%g, %g)" % corner,
                     [np.polyfit(foretold, one, 1)[0] for one in ends], 1, .1)
    left.set(xlabel="|z| t", ylabel="direction ratio")
    left.legend(fontsize="x-small")
    middle.set(xlabel="|z| t", ylabel="loss, relative")
    right.set(xlabel="|z| T", ylabel="|z| t at 0.7 of the loss")
    right.legend(fontsize="x-small")


if __name__ == "__main__":
    reproduction.main("2303.06561", "Initial condensation in time", [growth])
