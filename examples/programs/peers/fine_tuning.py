# SPDX-License-Identifier: BSD-3-Clause
"""fine_tuning.py in PyTorch; sharpness by SciPy's Lanczos on products by double backward."""
import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import LinearOperator, eigsh

from pair import agree, digits, ours, quick, start

TAKE = {"start": "net.views(net.initial())", "new": "net.views(new)", "sharpness": "run['sharpness'].raw[-1, 0]",
        "loss": "run.objective.value(run.theta)", "work": "steps"}
# ---- program ----
work = 100 if quick else 1000
x, y = (torch.tensor(a) for a in digits())
widths = [64, 100, 100, 10]
layers = [torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
net = start(torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1], torch.nn.Tanh(), layers[2]).double())
found = []
def train(x, y, measured):
    moving = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(moving, lr=1e-3)
    order = iter(())
    for step in range(work):
        batch = next(order, None)
        if batch is None:
            order = iter(torch.randperm(len(x)).split(64)[:len(x) // 64])
            batch = next(order)
        if measured and step % 50 == 0:
            found.append(sharpness(x, y, moving))
        optimizer.zero_grad()
        F.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
def sharpness(x, y, moving):
    slopes = torch.autograd.grad(F.cross_entropy(net(x), y), moving, create_graph=True)
    flat = torch.cat([s.flatten() for s in slopes])
    def product(v):
        parts = torch.autograd.grad(flat, moving, torch.tensor(v.ravel()), retain_graph=True)
        return torch.cat([p.flatten() for p in parts]).numpy()
    return eigsh(LinearOperator((len(flat),) * 2, product, dtype=float), 1, which="LA", tol=1e-6)[0][0]
train(x[:900], y[:900], False)
for name, p in net.named_parameters():
    p.requires_grad_(name in ("0.bias", "2.bias", "4.weight", "4.bias"))
train(x[900:], y[900:], True)

# ---- check ----
agree("loss after fine-tuning", F.cross_entropy(net(x[900:]), y[900:]), ours["loss"], rtol=0.3)
start(net, "new")
agree("loss at our parameters", F.cross_entropy(net(x[900:]), y[900:]), ours["loss"], rtol=1e-11)
moving = [p for p in net.parameters() if p.requires_grad]
agree("sharpness of what moves there", sharpness(x[900:], y[900:], moving), ours["sharpness"], rtol=1e-4)
