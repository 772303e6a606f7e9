# SPDX-License-Identifier: BSD-3-Clause
"""teacher.py in PyTorch; sharpness by the power method on double backward. Noise differs, so do the ends."""
import numpy as np
import torch
import torch.nn.functional as F

from pair import agree, digits, ours, quick, start

TAKE = {"start_big": "big.views(big.initial())", "start_small": "small.views(small.initial())",
        "taught": "big.views(taught.theta)", "loss": "run.history['loss'][-20:].mean()",
        "sharpness": "run['sharpness'].raw[-3:, 0].mean()", "work": "run.step"}
# ---- program ----
x, y = (torch.tensor(a) for a in digits())
def mlp(width):
    return torch.nn.Sequential(torch.nn.Linear(64, width), torch.nn.Tanh(), torch.nn.Linear(width, 10)).double()
big, small = start(mlp(100), "start_big"), start(mlp(20), "start_small")
work = 50 if quick else 500
optimizer = torch.optim.Adam(big.parameters(), lr=3e-3)
for _ in range(work):
    optimizer.zero_grad()
    F.cross_entropy(big(x), y).backward()
    optimizer.step()
def distil():
    z = x + 0.1 * torch.randn_like(x)
    with torch.no_grad():
        p = F.softmax(big(z) / 3, dim=1)
    return -9 * (p * F.log_softmax(small(z) / 3, dim=1)).sum(1).mean()
def sharpness(iterations=100):
    parameters = list(small.parameters())
    slopes = torch.autograd.grad(distil(), parameters, create_graph=True)
    v, value = [torch.randn_like(p) for p in parameters], 0
    for _ in range(iterations):
        norm = torch.sqrt(sum((a**2).sum() for a in v))
        v = [a / norm for a in v]
        v, u = torch.autograd.grad(slopes, parameters, v, retain_graph=True), v
        value, previous = sum((a * b).sum() for a, b in zip(u, v)).item(), value
        if abs(value - previous) < 1e-3 * abs(value):
            break
    return value
optimizer, losses, found = torch.optim.Adam(small.parameters(), lr=3e-3), [], []
for step in range(work):
    if step % 10 == 0:
        found.append(sharpness())
    optimizer.zero_grad()
    loss = distil()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# ---- check ----
start_big = torch.cat([p.detach().T.flatten() for p in big.parameters()])
start(big, "taught")
agree("the teacher", start_big, torch.cat([p.detach().T.flatten() for p in big.parameters()]), atol=1e-7)
agree("loss of the student", np.mean(losses[-20:]), ours["loss"], rtol=0.02)
agree("its sharpness", np.mean(found[-3:]), ours["sharpness"], rtol=0.25)
