# SPDX-License-Identifier: BSD-3-Clause
"""Losses that join samples: one minus Pearson's correlation; a contrast of two views with a temperature."""
import numpy as np

import dyn

# ---- program ----
rng = np.random.default_rng(0)
x, y = rng.normal(size=(128, 5)), rng.normal(size=128)
def pearson(net, x, y):
    f, t = (v - v.mean() for v in (net(x)[:, 0], y))
    return 1 - (f * t).sum() / dyn.sqrt((f**2).sum() * (t**2).sum())
def contrast(net, x, z):
    a, b = (f / dyn.sqrt((f**2).sum(axis=1)).reshape(-1, 1) for f in (net(x), net(z)))
    s = a @ b.T / 0.1
    return dyn.logsumexp(s) - ((a * b).sum(axis=1)) / 0.1
first = dyn.Objective(pearson, dyn.mlp([5, 30, 1], seed=1), x=x, y=y)
second = dyn.Objective(contrast, dyn.mlp([5, 30, 8], seed=1), x=x, z=x + 0.1 * rng.normal(size=x.shape))
runs = [dyn.Run(o, optimizer=dyn.Adam(1e-2), batch=32).train(200, progress=False) for o in (first, second)]
product = first.hessian(runs[0].theta) @ np.ones(first.size)

# ---- check ----
theta = runs[0].theta
assert abs(first.value(theta) - (1 - np.corrcoef(first.model(theta, x)[:, 0], y)[0, 1])) < 1e-12
assert first.check_hessian(theta).passed and second.check_hessian(runs[1].theta).passed


def centred(g, x):
    h = x @ g.parameter("W", (5, 3))
    return h - h.mean(axis=0)


joined = dyn.Objective(dyn.Model.from_function(centred, (5,), seed=1), x, np.zeros((128, 3)))
W = joined.initial().reshape(5, 3)
assert abs(joined.value(joined.initial()) - np.var(x @ W, axis=0).sum()) < 1e-12
H = joined.hessian(joined.initial()).dense()        # of all data as one batch: 2 cov(x), once for each output
assert np.max(abs(H - np.kron(2 * np.cov(x.T, bias=True), np.eye(3)))) < 1e-12
for refused in (lambda: first.sample_gradients(theta), lambda: dyn.Run(first, batch=50),
                lambda: joined.sample_gradients(joined.initial()), lambda: dyn.Run(joined, batch=50)):
    try:
        refused()
    except dyn.NotSupported as error:
        assert "joins samples at node" in str(error)
    else:
        raise AssertionError("not refused")
