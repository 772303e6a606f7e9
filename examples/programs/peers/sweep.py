# SPDX-License-Identifier: BSD-3-Clause
"""sweep.py in PyTorch: a pool of processes, a store of a row per training, ranks by singular values of the Jacobian."""
import itertools
import multiprocessing
import os
import sqlite3
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas
import torch
from torch.func import functional_call, jacrev, vmap

from pair import agree, ours, quick

TAKE = {"start": "{'%d,%.6g,%d' % tuple(m.point.values()): experiment(**m.point).theta for m in sweep}",
        "losses": "[m.history['loss'][-1] for m in sweep]", "ranks": "[m['rank'].rank[0] for m in sweep]",
        "work": "3000 * len(sweep)"}
SIZE = "--quick"
store = os.path.join(tempfile.mkdtemp(), "ranks.sqlite")
# ---- program ----
torch.set_num_threads(1)
x = torch.linspace(-1, 1, 40).double().reshape(-1, 1)
y, probes = torch.sin(3 * x), torch.tensor(np.random.default_rng(0).normal(0, 4, (200, 1)))
def experiment(point):
    width, scale, seed = point
    net = torch.nn.Sequential(torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(ours["start/%d,%.6g,%d" % point]), net.parameters())
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(3000):
        optimizer.zero_grad()
        loss = ((net(x) - y)**2).mean()
        loss.backward()
        optimizer.step()
    theta = {name: p.detach() for name, p in net.named_parameters()}
    rows = vmap(jacrev(lambda theta, x: functional_call(net, theta, x)[0]), (None, 0))(theta, probes)
    jacobian = torch.cat([part.flatten(1) for part in rows.values()], 1)
    singular = torch.linalg.svdvals(jacobian / jacobian.norm(dim=0))
    return *point, ((net(x) - y)**2).mean().item(), int((singular > 1e-9 * singular[0]).sum())
def train(points):
    with sqlite3.connect(store) as db:
        db.execute("create table if not exists runs (width, scale, seed, loss, rank, primary key (width, scale, seed))")
        done = set(db.execute("select width, scale, seed from runs"))
        with multiprocessing.get_context("fork").Pool() as pool:
            for row in pool.imap_unordered(experiment, [p for p in points if p not in done]):
                db.execute("insert into runs values (?, ?, ?, ?, ?)", row)
                db.commit()
        return pandas.read_sql("select * from runs", db)
scales = [float(s) for s in np.geomspace(1e-3, 1, 3 if quick else 17)]
points = list(itertools.product([10, 20, 40], scales, range(3 if quick else 10)))
frame = train(points).sort_values(["width", "scale", "seed"])
plt.imshow(frame.pivot_table(values="rank", index="width", columns="scale"))

# ---- check ----
work = 3000 * len(points)
agree("logarithms of the final losses", np.log(frame["loss"]), np.log(ours["losses"]), atol=2.0)
agree("mean rank", frame["rank"].mean(), ours["ranks"].mean(), atol=1.0)
