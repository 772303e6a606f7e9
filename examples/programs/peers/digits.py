# SPDX-License-Identifier: BSD-3-Clause
"""digits.py in PyTorch. The two draw their batches in different orders, so the ends agree only roughly."""
import copy
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from pair import agree, digits, ours, quick, start

TAKE = {"start": "run.objective.model.views(run.objective.model.initial())", "best": "run.best_loss",
        "best_views": "run.objective.model.views(best)", "first": "run.history['validation_loss'][0]",
        "work": "run.step"}
# ---- program ----
steps = 300 if quick else 3000
x, y = (torch.tensor(a) for a in digits())
net = start(torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.Tanh(), torch.nn.Linear(100, 10)).double())
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
schedule = SequentialLR(optimizer, [LinearLR(optimizer, 1 / 50, 1, 50), CosineAnnealingLR(optimizer, steps - 50)], [50])
best, best_loss, waited, work, losses = None, np.inf, 0, 0, []
while work < steps and waited < 10:
    for batch in torch.randperm(1400).split(64)[:21]:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        schedule.step()
        work += 1
        if work % 20 == 0:
            with torch.no_grad():
                losses.append(F.cross_entropy(net(x[1400:]), y[1400:]).item())
            waited += 1
            if losses[-1] < best_loss:
                best, best_loss, waited = copy.deepcopy(net.state_dict()), losses[-1], 0
        if work == steps or waited == 10:
            break
net.load_state_dict(best)
path = tempfile.mktemp()
torch.save(best, path)
plt.plot(losses)
plt.savefig(path + ".png")

# ---- check ----
agree("smallest validation loss", best_loss, ours["best"], rtol=0.25)
start(net, "best_views")
agree("validation loss at our best parameters", F.cross_entropy(net(x[1400:]), y[1400:]), ours["best"], rtol=1e-12)
