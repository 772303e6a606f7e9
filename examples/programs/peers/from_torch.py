# SPDX-License-Identifier: BSD-3-Clause
"""from_torch.py without libdyn: the module trained and measured in PyTorch itself."""
import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import LinearOperator, eigsh

from pair import agree, digits, ours, quick

TAKE = {"accuracy": "np.mean(run.predict(images[1500:]).argmax(1) == y[1500:].argmax(1))",
        "state": "{k: v.numpy() for k, v in module.state_dict().items()}",
        "sharpness": "run['sharpness'].raw[-1, 0]", "work": "run.step"}
steps = 20 if quick else 300


class Residual(torch.nn.Module):
    """The user's own network: not part of the program that trains it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.BatchNorm2d(8)
        self.drop, self.head = torch.nn.Dropout(0.1), torch.nn.Linear(8 * 16, 10)

    def forward(self, x):
        h = torch.relu(self.norm(self.conv(x))) + x
        return self.head(self.drop(torch.nn.functional.max_pool2d(h, 2).flatten(1)))


# ---- program ----
torch.manual_seed(0)
x, y = (torch.tensor(a) for a in digits())
module, images, work, found = Residual().double(), x.reshape(-1, 1, 8, 8), 0, []
optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
def sharpness():
    module.eval()
    parameters = list(module.parameters())
    slopes = torch.autograd.grad(F.cross_entropy(module(images[:1500]), y[:1500]), parameters, create_graph=True)
    flat = torch.cat([s.flatten() for s in slopes])
    def product(v):
        parts = torch.autograd.grad(flat, parameters, torch.tensor(v.ravel()), retain_graph=True)
        return torch.cat([p.flatten() for p in parts]).numpy()
    return eigsh(LinearOperator((len(flat),) * 2, product, dtype=float), 1, which="LA", tol=1e-3)[0][0]
while work < steps:
    for batch in torch.randperm(1500).split(100)[:steps - work]:
        if work % (steps // 2) == 0:
            found.append(sharpness())
        module.train()
        optimizer.zero_grad()
        F.cross_entropy(module(images[batch]), y[batch]).backward()
        optimizer.step()
        work += 1
found.append(sharpness())

# ---- check ----
module.eval()
right = np.mean((module(images[1500:]).argmax(1) == y[1500:]).numpy())
agree("accuracy on the test images", right, ours["accuracy"], atol=0.06)
module.load_state_dict({k[6:]: torch.tensor(v) for k, v in ours.items() if k.startswith("state/")})
agree("sharpness at our parameters", sharpness(), ours["sharpness"], rtol=0.02)
