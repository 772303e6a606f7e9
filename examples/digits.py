# SPDX-License-Identifier: BSD-3-Clause
"""The digits in ten lines of Python: `.venv/bin/python examples/digits.py`, after `sh examples/run.sh`."""
import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 100, 100, 10], activation="tanh", init=dyn.init.power(gamma=2), seed=1)
run = dyn.Run(net, x, y, loss="mse", optimizer=dyn.Adam(1e-3), dtype="float32")
run.measure(dyn.Sharpness(k=1, tolerance=1e-3), every=25)       # Adam's own preconditioned Hessian, live moments
run.measure(dyn.Condensation(layer=1, join_opposite=True), at=[0, 200, 2000])
run.measure(dyn.ModelRank(x=x[:60], tolerance=1e-4), at=[0, 200, 2000])
run.train(steps=2000)                                           # a progress bar; Ctrl-C stops and keeps all
dyn.plot(run, "results/digits-python.png")
