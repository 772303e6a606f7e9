# SPDX-License-Identifier: BSD-3-Clause
"""A perceptron on digits: Adam with warm-up and cosine, a validation set, early stop, the best parameters back."""
import sys
import tempfile

import numpy as np

import dyn

# ---- program ----
steps = 300 if "--quick" in sys.argv else 3000
x, y = dyn.data.digits()
run = dyn.Run(dyn.mlp([64, 100, 10], activation="tanh", seed=1), x[:1400], y[:1400], loss="cross_entropy", batch=64,
              optimizer=dyn.Adam(dyn.cosine(3e-3, steps).after_warmup(50)), steps=steps,
              validation=(x[1400:], y[1400:]), patience=10, validate_every=20)
run.train()
path = tempfile.mktemp(suffix=".npz")
run.save(path)
best = run.best
dyn.plot(run).savefig(path + ".png")

# ---- check: the best parameters are those of the smallest validation loss, which NumPy finds too ----
W1, b1, W2, b2 = run.objective.model.views(best).values()
f = np.tanh(x[1400:] @ W1 + b1) @ W2 + b2
loss = np.mean(np.log(np.exp(f).sum(axis=1)) - (f * y[1400:]).sum(axis=1))
seen = run.history["validation_loss"]
assert abs(loss - np.nanmin(seen)) < 1e-12 and abs(loss - run.best_loss) < 1e-12
again = dyn.Run.load(path, run.objective, optimizer=run.optimizer, batch=64, validation=run.validation, patience=10,
                     validate_every=20, steps=steps)
assert np.array_equal(again.best, best)
labels = [line.get_label() for axes in dyn.plot(run).axes for line in axes.get_lines()]
assert any("validation" in label for label in labels), labels
assert run.validation.accuracy(best) > (0.85 if steps == 300 else 0.9)
