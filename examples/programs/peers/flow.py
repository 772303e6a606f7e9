# SPDX-License-Identifier: BSD-3-Clause
"""flow.py in SciPy: kinks are met as events; steps are kept short, as the method takes no notice of them."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from scipy.integrate import solve_ivp

from pair import agree, ours, quick

TAKE = {"start": "net.initial()", "states": "path.states", "time": "path.time", "loss": "path.loss"}
# ---- program ----
x, y = np.eye(4), np.array([[1.0], [-1.0], [1.5], [-0.8]])
theta = ours["start"]
times = np.geomspace(0.1, 100, 20 if quick else 100)
def loss(t, theta):
    w, a = theta[:80].reshape(4, 20), theta[80:, None]
    return np.mean((np.maximum(x @ w, 0) @ a - y)**2) - 1e-12
def slope(t, theta):
    w, a = theta[:80].reshape(4, 20), theta[80:, None]
    h = np.maximum(x @ w, 0)
    error = 2 * (h @ a - y) / 4
    return -np.concatenate([(x.T @ ((error @ a.T) * (h > 0))).ravel(), (h.T @ error).ravel()])
kinks = [lambda t, theta, i=i: (x @ theta[:80].reshape(4, 20)).flat[i] for i in range(80)]
loss.terminal = True
tight = dict(rtol=1e-12, atol=1e-15, max_step=0.02)
path = solve_ivp(slope, (0, times[-1]), theta, "DOP853", times, events=[loss, *kinks], **tight)
states, crossed = path.y.T, sum(len(found) for found in path.t_events[1:])
def directions(theta):
    w = theta[:80].reshape(4, 20)
    norms = np.linalg.norm(w, axis=0) * abs(theta[80:])
    unit, left, groups = w / np.linalg.norm(w, axis=0), list(np.argsort(-norms)), 0
    while left:
        near = [i for i in left if unit[:, left[0]] @ unit[:, i] > 0.99]
        groups += norms[near].sum() > 0.01 * norms.sum()
        left = [i for i in left if i not in near]
    return groups
found = [directions(theta) for theta in states]
if not quick:
    figure, axes = plt.subplots()
    shown = axes.imshow(states[0][:80].reshape(4, 20))
    FuncAnimation(figure, lambda k: shown.set_data(states[k][:80].reshape(4, 20)), len(states)).save("flow.gif")

# ---- check ----
agree("all times were reached", len(states), len(ours["states"]) - 1, atol=1)
common = min(len(states), len(ours["states"]) - 1)
agree("states at the times before the loss is met", states[:common], ours["states"][:common], atol=1e-6)
