# SPDX-License-Identifier: BSD-3-Clause
"""coupled.py in PyTorch. Batches come in another order; at our parameters values and product are the same."""
import numpy as np
import torch
from torch.func import functional_call, grad, jvp

from pair import agree, ours, start

TAKE = {"start1": "first.model.views(first.initial())", "start2": "second.model.views(second.initial())",
        "end1": "first.model.views(runs[0].theta)", "end2": "second.model.views(runs[1].theta)", "product": "product",
        "values": "[first.value(runs[0].theta), second.value(runs[1].theta)]"}
# ---- program ----
rng = np.random.default_rng(0)
x, y = torch.tensor(rng.normal(size=(128, 5))), torch.tensor(rng.normal(size=128))
z = x + 0.1 * torch.tensor(rng.normal(size=x.shape))
def mlp(out):
    return torch.nn.Sequential(torch.nn.Linear(5, 30), torch.nn.Tanh(), torch.nn.Linear(30, out)).double()
def pearson(net, x, y):
    f, t = net(x)[:, 0] - net(x).mean(), y - y.mean()
    return 1 - (f * t).sum() / torch.sqrt((f**2).sum() * (t**2).sum())
def contrast(net, x, z):
    a, b = (torch.nn.functional.normalize(net(v), dim=1) for v in (x, z))
    return torch.nn.functional.cross_entropy(a @ b.T / 0.1, torch.arange(len(x)))
nets = [start(mlp(1), "start1"), start(mlp(8), "start2")]
for net, loss, other in zip(nets, (pearson, contrast), (y, z)):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(50):
        for batch in torch.randperm(128).split(32):
            optimizer.zero_grad()
            loss(net, x[batch], other[batch]).backward()
            optimizer.step()
theta = {name: p.detach() for name, p in nets[0].named_parameters()}
def value(theta):
    return pearson(lambda x: functional_call(nets[0], theta, x), x, y)
_, product = jvp(grad(value), (theta,), ({name: torch.ones_like(p) for name, p in theta.items()},))

# ---- check ----
agree("losses after the training", [pearson(nets[0], x, y).item(), contrast(nets[1], x, z).item()], ours["values"],
      rtol=0.3)
start(nets[0], "end1")
start(nets[1], "end2")
agree("losses at our parameters", [pearson(nets[0], x, y).item(), contrast(nets[1], x, z).item()], ours["values"],
      rtol=1e-12)
theta = {name: p.detach() for name, p in nets[0].named_parameters()}
_, product = jvp(grad(value), (theta,), ({name: torch.ones_like(p) for name, p in theta.items()},))
agree("Hessian product there", torch.cat([p.T.flatten() for p in product.values()]), ours["product"], rtol=1e-9)
