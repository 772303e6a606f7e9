# SPDX-License-Identifier: BSD-3-Clause
"""
A spectrum along a run
======================

The Hessian of a network on digits has a bulk at 0 and about as many outliers as there are classes. Its largest eigenvalues
and the trace, with its standard error over the probes, are measured every 20 steps; the density at start and end shows how
outliers leave the bulk.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 20, 10], activation="tanh", seed=1)
run = dyn.Run(net, x[:300], y[:300], loss="cross_entropy", optimizer=dyn.Adam(3e-3))
run.measure(dyn.Spectrum(k=10, probes=4, lanczos=40), every=20, at="end")
run.measure(dyn.Kronecker(columns="sampled"), at=("start", 50, "end"))
run.train(120)

found = run["spectrum"]
edge = dyn.bulk(run.objective.ggn(run.theta), most=16)
print(f"{edge.outliers} outliers beyond {edge.edge:.2g}; {run.costs['spectrum'].share:.0%} of the time")

figure = Figure(figsize=(8.5, 3.2), layout="constrained")
line, left, right = figure.subplots(1, 3)
dyn.plots.curvature(line, found)
line.set_xlabel("step")
line.legend(loc="center right", fontsize="small")
for ax, row in ((left, 0), (right, -1)):
    low, high = found.nodes[row].min(), found.nodes[row].max()
    bins = np.linspace(low, high, 60)
    for nodes, weights in zip(found.nodes[row], found.weights[row]):
        ax.hist(nodes, bins, weights=weights / 4, color="C0", alpha=0.4)
    ax.set(yscale="log", xlabel="eigenvalue", title=f"step {found.steps[row]}", ylim=(1e-5, 1.5))
left.set_ylabel("density")
