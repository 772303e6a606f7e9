# SPDX-License-Identifier: BSD-3-Clause
"""three_threads.c in PyTorch: three models in three threads, one stopped from the main one, results to `.npz`."""
import tempfile
import threading
import time

import numpy as np
import torch

from pair import agree, ours

TAKE = {}
# ---- program ----
torch.set_num_threads(1)
x = torch.linspace(-1, 1, 64).double().reshape(-1, 1)
y = torch.sin(3 * x)
class Job(threading.Thread):
    def __init__(self, name, width, steps):
        super().__init__()
        self.label, self.steps, self.done, self.stopped = name, steps, 0, threading.Event()
        self.net = torch.nn.Sequential(torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)).double()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1e-2)
    def run(self):
        while self.done < self.steps and not self.stopped.is_set():
            self.optimizer.zero_grad()
            ((self.net(x) - y)**2).mean().backward()
            self.optimizer.step()
            self.done += 1
torch.manual_seed(0)
jobs = [Job("first", 10, 2000), Job("stopped", 20, 1 << 40), Job("third", 40, 1000)]
for job in jobs:
    job.start()
time.sleep(0.05)
jobs[1].stopped.set()
for job in jobs:
    job.join()
path = tempfile.mktemp(suffix=".npz")
np.savez(path, **{job.label: torch.nn.utils.parameters_to_vector(job.net.parameters()).detach() for job in jobs})

# ---- check ----
agree("steps of the first and the third", [jobs[0].done, jobs[2].done], [2000, 1000])
agree("lengths of what is stored", [v.size for v in np.load(path).values()], [31, 61, 121])
assert jobs[1].done < jobs[1].steps and not ours
