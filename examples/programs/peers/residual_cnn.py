# SPDX-License-Identifier: BSD-3-Clause
"""residual_cnn.py in PyTorch. Batches and masks differ; at our parameters and statistics the outputs are the same."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from pair import agree, digits, ours, quick

TAKE = {"start": "net.views(net.initial())", "end": "net.views(run.theta)", "states": "run.states",
        "accuracy": "run.validation.accuracy(run.theta)", "loss": "run.validation.value(run.theta)", "work": "run.step"}
SIZE = "--quick"


def like_ours(net, name):
    """Parameters and statistics of ours in the network below."""
    inner = [(k + n, m) for k, block in zip("12", net.blocks) for n, m in zip("ab", (block.a, block.b))]
    places = [("begin", net.begin), *inner]
    for place, (conv, norm) in places:
        conv.weight.data = torch.tensor(ours[f"{name}/{place}.W"]).permute(3, 2, 0, 1).contiguous()
        norm.weight.data, norm.bias.data = (torch.tensor(ours[f"{name}/{place}.{n}"]) for n in ("gain", "shift"))
        norm.running_mean, norm.running_var = (torch.tensor(ours[f"states/{place}.{n}"]) for n in ("mean", "var"))
    net.head.weight.data = torch.tensor(ours[f"{name}/W"]).T.contiguous()
    net.head.bias.data = torch.tensor(ours[f"{name}/b"])


# ---- program ----
x, y = (torch.tensor(a) for a in digits())
x = x.reshape(-1, 1, 8, 8)
def convolution(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b))
class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a, self.b, self.drop = convolution(width, width), convolution(width, width), nn.Dropout(0.1)
    def forward(self, x):
        return F.relu(x + self.b(self.drop(F.relu(self.a(x)))))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.begin, self.blocks, self.head = convolution(1, 16), nn.Sequential(Block(16), Block(16)), nn.Linear(16, 10)
    def forward(self, x):
        return self.head(self.blocks(F.relu(self.begin(x))).mean((2, 3)))
torch.manual_seed(1)
net = Net().double()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
work = 0
for epoch in range(4 if quick else 20):
    for batch in torch.randperm(1500).split(100):
        net.train()
        optimizer.zero_grad()
        F.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
        work += 1
    net.eval()
    with torch.no_grad():
        f = net(x[1500:])
        loss, accuracy = F.cross_entropy(f, y[1500:]), (f.argmax(1) == y[1500:]).double().mean()

# ---- check ----
agree("accuracy", accuracy, ours["accuracy"], atol=0.2)
like_ours(net, "end")
with torch.no_grad():
    agree("loss at our parameters and statistics", F.cross_entropy(net(x[1500:]), y[1500:]), ours["loss"], rtol=1e-10)
