# SPDX-License-Identifier: BSD-3-Clause
"""averages.py in PyTorch. Batches come in another order, so the barriers agree only roughly."""
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pair import agree, digits, ours, start

TAKE = {"start1": "net.views(net.initial(1))", "start2": "net.views(net.initial(2))", "mean1": "net.views(first.mean)",
        "mean2": "net.views(second.mean)", "barrier": "barrier", "work": "400"}
# ---- program ----
x, y = (torch.tensor(a)[:400] for a in digits())
def mlp():
    return torch.nn.Sequential(torch.nn.Linear(64, 30), torch.nn.Tanh(), torch.nn.Linear(30, 10)).double()
kept = sorted({0, 200, *(round(10**(k / 5)) for k in range(12))})
def train(name, steps=200):
    net = start(mlp(), name)
    ema, mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.95)), AveragedModel(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    snapshots = {}
    for step in range(steps):
        if step in kept:
            snapshots[step] = copy.deepcopy(net.state_dict())
        if step % 8 == 0:
            batches = torch.randperm(400).split(50)
        batch = batches[step % 8]
        optimizer.zero_grad()
        F.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
        ema.update_parameters(net)
        if step + 1 > steps // 2:
            mean.update_parameters(net)
    snapshots[steps] = copy.deepcopy(net.state_dict())
    return mean.module, ema.module, snapshots
first, second = train("start1")[0], train("start2")[0]
def along(first, second):
    between, losses = mlp(), []
    for s in np.linspace(0, 1, 21):
        for p, a, b in zip(between.parameters(), first.parameters(), second.parameters()):
            p.data = (1 - s) * a.data + s * b.data
        losses.append(F.cross_entropy(between(x), y).item())
    return losses
barrier = along(first, second)
plt.plot(np.linspace(0, 1, 21), barrier)

# ---- check ----
work = 400
agree("highest loss on the line", max(barrier), max(ours["barrier"]), rtol=0.3)
agree("losses on our line", along(start(mlp(), "mean1"), start(mlp(), "mean2")), ours["barrier"], rtol=1e-11)
