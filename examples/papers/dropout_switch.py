# SPDX-License-Identifier: BSD-3-Clause
"""Zhang, Xu, "Implicit regularization of dropout", arXiv 2207.05952: a minimum of the loss is none of dropout's.

The networks of dropout.py, trained without dropout until they fit, spread over all angles; with dropout from there they
condense as they do from the start."""
import dyn
import reproduction
from dropout import DATA, DROP, top, train


def switch(report):
    """Share of amplitude on 4 angles against the steps with dropout, from minima that were found without"""
    before, after, lines, width = [], [], [], report.size(200, 1000)
    for seed in report.seeds:
        low = train(report, seed, steps=report.size(20000, 200000))
        run = dyn.Run(dyn.mlp([1, width, 1], "tanh", dropout=DROP), *DATA["tanh"], half=True, optimizer=dyn.Adam(1e-3),
                      theta=low.theta, record_every=100)
        run.measure(lambda state: top(state.run), name="top", every=2000)
        run.train(report.size(30000, 100000), progress=False)
        before.append(top(low))
        after.append(top(run))
        lines += [run["top"].steps, run["top"].values]
    ax = report.figure("switch", width=4)
    ax.plot(*lines)
    ax.set(xlabel="steps with dropout", ylabel="share on 4 angles", ylim=(0, 1))
    report.claim("share of amplitude on 4 of 64 angles at a minimum of R_S", before, most=.4)
    report.claim("the same with keep .9 from there", after, least=.8)


if __name__ == "__main__":
    reproduction.main("2207.05952", "Dropout leaves minima", [switch])
