# SPDX-License-Identifier: BSD-3-Clause
"""Gradient flow of a two-layer ReLU network on orthogonal data to a loss of 1e-12, its kinks met as events: directions
at times spaced by their logarithm, animated. Neurons gather along the sums of data of one sign (arXiv 2206.00939)."""
import sys

import numpy as np

import dyn

quick = "--quick" in sys.argv
# ---- program ----
x, y = np.eye(4), np.array([[1.0], [-1.0], [1.5], [-0.8]])
net = dyn.mlp([4, 20, 1], "relu", bias=False, init=dyn.init.normal(1e-5), seed=2)
def before(theta):
    return x @ net.views(theta)["W1"]
times = np.geomspace(0.1, 100, 20 if quick else 100)
path = dyn.flow(net, x, y, times=times, stop_loss=1e-12, kinks=before, rtol=1e-10, atol=1e-13)
found = dyn.CondensationSeries.of(net, path.states, path.times, threshold=0.99, min_share=0.01)
print(f"loss {path.loss:.1e} at time {path.time:.3f} with {path.kinks} kinks; directions {found.effective.tolist()}")
if not quick:
    dyn.plots.animate(found, path="flow.gif")

# ---- check: two directions carry all, those of the theory; the path by a method of order 8 with tight errors ----
assert path.loss <= 1e-12 * (1 + 1e-9) and path.kinks > 10
final = found[len(found) - 1]
largest = np.argsort(final.shares)[-2:]
sums = np.hstack([(x.T @ part) / np.linalg.norm(x.T @ part) for part in (np.maximum(y, 0), np.maximum(-y, 0))])
cosines = (final.directions[largest] @ sums).max(1)
print("their share", final.shares[largest].sum().round(4), "cosines", cosines.round(4))
assert final.shares[largest].sum() > 0.95 and cosines.min() > 0.99


def slope(_, theta):
    w, a = theta[:80].reshape(4, 20), theta[80:, None]
    h = np.maximum(x @ w, 0)
    error = 2 * (h @ a - y) / 4
    return -np.concatenate([(x.T @ ((error @ a.T) * (h > 0))).ravel(), (h.T @ error).ravel()])


try:
    from scipy.integrate import solve_ivp
except ImportError:
    sys.exit()
tight = solve_ivp(slope, (0, path.times[-1]), net.initial(), "DOP853", path.times, rtol=1e-12, atol=1e-15,
                  max_step=0.02)
assert np.abs(tight.y.T - path.states).max() < 1e-6
