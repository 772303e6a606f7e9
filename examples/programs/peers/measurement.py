# SPDX-License-Identifier: BSD-3-Clause
"""measurement.py in PyTorch: the same arithmetic, so the same angles."""
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F

from pair import agree, digits, ours, start

TAKE = {"start": "net.views(net.initial())", "angles": "run['angle'].values", "losses": "run.history['loss']",
        "work": "run.step"}
# ---- program ----
x, y = (torch.tensor(a) for a in digits())
net = start(torch.nn.Sequential(torch.nn.Linear(64, 30), torch.nn.Tanh(), torch.nn.Linear(30, 10)).double())
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
def gradient(x, y):
    parts = torch.autograd.grad(F.cross_entropy(net(x), y), list(net.parameters()))
    return torch.cat([p.flatten() for p in parts])
def angle():
    a, b = gradient(x[::2], y[::2]), gradient(x[1::2], y[1::2])
    return torch.rad2deg(torch.arccos(a @ b / torch.sqrt((a @ a) * (b @ b)))).item()
losses, steps, angles = [], [], []
for step in range(101):
    if step % 10 == 0:
        steps.append(step)
        angles.append(angle())
    if step == 100:
        break
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
path = tempfile.mktemp(suffix=".npz")
np.savez(path, losses=losses, steps=steps, angles=angles, **{n: p.detach() for n, p in net.named_parameters()})
stored = np.load(path)
figure, axes = plt.subplots(2)
axes[0].plot(stored["losses"])
axes[1].plot(stored["steps"], stored["angles"])
figure.savefig(path + ".png")

# ---- check ----
work = len(losses)
agree("losses", losses, ours["losses"][:100], rtol=1e-11)
agree("angles in degrees", angles, ours["angles"], atol=1e-6)
