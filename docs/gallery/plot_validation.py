# SPDX-License-Identifier: BSD-3-Clause
"""
Training and validation, with warm-up and decay
===============================================

AdamW with a warm-up and a cosine learns from 400 digits; the others tell how well it generalises, and its parameters at the
smallest validation loss, which is circled, are kept. Curves of one kind share an axis and are named.
"""
import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 100, 10], activation="relu", init=dyn.init.he(), seed=1)
rate = dyn.cosine(5e-3, period=400).after_warmup(40)
run = dyn.Run(net, x[:400], y[:400], loss="cross_entropy", optimizer=dyn.AdamW(rate, weight_decay=0.05),
              validation=(x[400:], y[400:]), validate_every=5, keep_best=True)
run.measure(lambda state: run.objective.accuracy(state.theta), name="accuracy", every=5)
run.train(440)
figure = dyn.plot(run)
print(f"smallest validation loss {run.best_loss:.3f} at step {run.best_step}")
assert 40 < run.best_step < 200 and run.history["validation_accuracy"][-1] > 0.85
