# SPDX-License-Identifier: BSD-3-Clause
"""Five-fold cross-validation of a weight decay, all folds and values on all cores."""
import numpy as np

import dyn

x, y = dyn.data.digits()
x, y = x[:600], y[:600]
folds = np.random.default_rng(0).permutation(600).reshape(5, 120)
def experiment(decay, fold):
    held = folds[fold]
    rest = np.setdiff1d(np.arange(600), held)
    optimizer = dyn.AdamW(5e-3, weight_decay=decay)
    return dyn.Run(dyn.mlp([64, 30, 10], seed=fold), x[rest], y[rest], "cross_entropy", optimizer, batch=60, steps=200,
                   validation=(x[held], y[held]), validate_every=200)
sweep = dyn.Sweep(experiment, dict(decay=[0.0, 0.03, 0.3, 3.0], fold=range(5))).train(progress=False)
table = sweep.pivot("decay", "fold", "validation_loss")
means, errors = table.mean(axis=1), table.std(axis=1) / np.sqrt(5)
print(means.to_string(), "±", errors.to_numpy())

# check: every member's validation loss is NumPy's, on its own fold
for member in sweep:
    held = folds[member.point["fold"]]
    W1, b1, W2, b2 = np.split(member.theta, np.cumsum([64 * 30, 30, 300]))
    f = np.tanh(x[held] @ W1.reshape(64, 30) + b1) @ W2.reshape(30, 10) + b2
    value = np.mean(np.log(np.exp(f).sum(1)) - f[y[held] > 0])
    assert abs(table.loc[member.point["decay"], member.point["fold"]] - value) < 1e-10
