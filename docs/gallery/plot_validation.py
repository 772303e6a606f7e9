# SPDX-License-Identifier: BSD-3-Clause
"""
Training and validation, with warm-up and decay
===============================================

AdamW with a warm-up and a cosine learns from 400 digits; the others tell how well it generalises. Curves of one kind share
an axis and are named.
"""
import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 100, 10], activation="relu", init=dyn.init.he(), seed=1)
held = dyn.Objective(net, x[400:], y[400:], "cross_entropy")
rate = dyn.cosine(5e-3, period=400).after_warmup(40)
run = dyn.Run(net, x[:400], y[:400], loss="cross_entropy", optimizer=dyn.AdamW(rate, weight_decay=0.05))
run.measure(lambda state: held.value(state.theta), name="validation_loss", every=5)
run.measure(lambda state: run.objective.accuracy(state.theta), name="accuracy", every=5)
run.measure(lambda state: held.accuracy(state.theta), name="validation_accuracy", every=5)
run.train(440)
figure = dyn.plot(run)
print(f"validation accuracy {held.accuracy(run.theta):.3f}")
assert held.accuracy(run.theta) > 0.85
