# SPDX-License-Identifier: BSD-3-Clause
"""own_loss.py in PyTorch: the Gauss-Newton product by forward and reverse derivatives of the outputs."""
import numpy as np
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, jvp, vjp

from pair import agree, ours, start

TAKE = {"start": "objective.model.views(theta)", "product": "product", "x": "x", "value": "objective.value(theta)"}
# ---- program ----
rng = np.random.default_rng(0)
x, y, w = (torch.tensor(a) for a in (rng.normal(size=(200, 5)), rng.normal(size=200), rng.uniform(size=200)))
c = F.one_hot(torch.tensor(rng.integers(0, 3, 200)), 3).double()
net = start(torch.nn.Sequential(torch.nn.Linear(5, 20), torch.nn.Tanh(), torch.nn.Linear(20, 4)).double())
def loss(f):
    e = (f[:, 0] - y).abs()
    huber = torch.where(e > 1, e - 0.5, e**2 / 2)       # its own has no forward derivative of the gradient
    head = F.cross_entropy(f[:, 1:], c, reduction="none", label_smoothing=0.1)
    return (w * huber + head).mean()
theta = {name: p.detach() for name, p in net.named_parameters()}
flat = torch.tensor(rng.normal(size=sum(p.numel() for p in theta.values())))
parts = flat.split([p.numel() for p in theta.values()])
def shaped(part, p):
    return part.reshape(p.T.shape).T if p.ndim == 2 else part
v = {name: shaped(part, p) for part, (name, p) in zip(parts, theta.items())}
def outputs(theta):
    return functional_call(net, theta, x)
f, pull = vjp(outputs, theta)
_, push = jvp(outputs, (theta,), (v,))
_, curved = jvp(grad(loss), (f,), (push,))
product = torch.cat([p.T.flatten() for p in pull(curved)[0].values()])

# ---- check ----
agree("loss", loss(f), ours["value"], rtol=1e-12)
agree("Gauss-Newton product", product, ours["product"], rtol=1e-10)
