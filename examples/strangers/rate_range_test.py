# SPDX-License-Identifier: BSD-3-Clause
"""Learning-rate range test: raise the rate in every step, and take it where the loss falls fastest."""
import numpy as np

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 50, 10], seed=1)
rate = dyn.schedule(lambda step: 1e-5 * 10**(step / 25))
run = dyn.Run(net, x, y, "cross_entropy", dyn.Adam(rate), batch=100, steps=150)
run.train()
rates, losses = run.history["rate"], run.history["loss"]
smooth = np.convolve(losses, np.ones(9) / 9, "valid")
best = rates[4 + np.argmin(np.diff(smooth))]

# check: the rates are those asked for, and a training at the found one beats a tenth and ten times of it
assert np.allclose(rates[:150], 1e-5 * 10**(np.arange(150) / 25), rtol=1e-12)
ends = [dyn.Objective(net, x, y, loss="cross_entropy").value(
    dyn.Run(net, x, y, "cross_entropy", dyn.Adam(r), batch=100).train(60).theta) for r in (best / 30, best, 30 * best)]
print(f"rate {best:.1e}; losses at a thirtieth, there, and at thirty times: {np.round(ends, 3)}")
assert ends[1] == min(ends)
