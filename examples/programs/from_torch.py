# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's module in, trained and measured here, its state back."""
import sys

import numpy as np
import torch

import dyn

steps = 20 if "--quick" in sys.argv else 300


class Residual(torch.nn.Module):
    """The user's own network: not part of the program that trains it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.BatchNorm2d(8)
        self.drop, self.head = torch.nn.Dropout(0.1), torch.nn.Linear(8 * 16, 10)

    def forward(self, x):
        h = torch.relu(self.norm(self.conv(x))) + x
        return self.head(self.drop(torch.nn.functional.max_pool2d(h, 2).flatten(1)))


torch.manual_seed(0)
# ---- program ----
x, y = dyn.data.digits()
module, images = Residual(), x.reshape(-1, 1, 8, 8)
net = dyn.from_torch(module, images[:2])
run = dyn.Run(net, images[:1500], y[:1500], loss="cross_entropy", optimizer=dyn.Adam(1e-2), batch=100)
run.measure(dyn.Sharpness(k=1), every=steps // 2)
run.train(steps)
net.to_torch(run.theta, module, run.states)

# ---- check: the module gives what the run does, and its loss is PyTorch's ----
module = module.double().eval()
logits = module(torch.tensor(images[1500:], dtype=torch.float64))
wide = net.to_torch(run.theta, Residual().double(), run.states).eval()
ours = run.predict(images[1500:])
assert np.abs(wide(torch.tensor(images[1500:])).detach().numpy() - ours).max() < 1e-11
assert np.abs(logits.detach().numpy() - ours).max() < 1e-4       # the module's own float32
assert len(run["sharpness"].steps) >= 2
print(f"{np.mean(ours.argmax(1) == y[1500:].argmax(1)):.3f} of the test images are right")
