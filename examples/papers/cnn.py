# SPDX-License-Identifier: BSD-3-Clause
"""Zhou, Zhou, Li, Xu, "Understanding the initial condensation of convolutional neural networks", arXiv 2305.09947.

f = Σ_β Σ_pos a_{β,pos} tanh(W_β·(patch_pos(x), 1)), all weights N(0, ε²). While f is small the kernels obey
dW_β/dt = Zᵀa_β, da_β/dt = Z W_β with Z = (1/n) Σ_i y_i [(patch_pos(x_i), 1)]_pos, so they align with v₁, the first
right singular vector of Z, before the loss moves: the smaller ε, the better. 40 smooth images of 8 x 8 (handwritten
digits), 32 kernels of 3 x 3, target (digit + 1)/10, gradient flow to 0.9 of the initial loss."""
import numpy as np

import dyn
import reproduction

KERNELS, SAMPLES = 32, 40
images, digits = dyn.data.digits(one_hot=False)
X = images[:SAMPLES].reshape(-1, 8, 8, 1)
Y = (digits[:SAMPLES] + 1) / 10


def matrix():
    """Z [positions, 10]."""
    patches = np.lib.stride_tricks.sliding_window_view(X[..., 0], (3, 3), (1, 2)).reshape(SAMPLES, 36, 9)
    patches = np.concatenate([patches, np.ones((SAMPLES, 36, 1))], 2)
    return np.einsum("i,ipk->pk", Y, patches) / SAMPLES


def kernels(net, theta):
    """[32, 10], the bias last."""
    tensors = net.views(theta)
    return np.vstack([tensors["W1"].reshape(9, KERNELS), tensors["b1"]]).T


def train(epsilon, level, seed):
    """(kernels at the start, kernels where the loss is at this share of its start)."""
    whole = dyn.cnn((8, 8, 1), [KERNELS], padding="valid", activation="tanh", init=dyn.init.normal(epsilon), seed=seed)
    net = whole.freeze("b2", theta=whole.initial() * (np.arange(whole.size) != whole.index("b2")))     # no output bias
    loss = dyn.Objective(net, X, Y, half=True)
    end = dyn.flow(loss, theta=net.initial(), stop_loss=level * loss.value(net.initial()), rtol=1e-5)
    return kernels(net, net.initial()), kernels(net, end.theta)


def measure(epsilon, level, seed):
    """(relative distance, direction ratio, share of pairs with |cosine| above .95, the measurement)."""
    w0, w = train(epsilon, level, seed)
    found = dyn.CondensationResult(w, join_opposite=True)
    pairs = np.abs(found.cosines()[np.triu_indices(KERNELS, 1)]) > .95
    v1 = np.linalg.svd(matrix())[2][0]
    return dyn.relative_distance(w, w0), found.alignment(v1).ratio, pairs.mean(), found


def alignment(report):
    """Cosines between kernels at 0.9 of the initial loss, for smaller and smaller starts"""
    sizes = [1e-2, 1e-3, 1e-4, 1e-5]
    axes = report.figure("cosines", 1, len(sizes), width=2.6)
    rows = {}
    for ax, epsilon in zip(axes, sizes):
        rows[epsilon] = [measure(epsilon, .9, seed) for seed in report.seeds]
        ax.imshow(rows[epsilon][0][3].cosines(), vmin=-1, vmax=1, cmap="RdBu_r")
        ax.set(title="ε = %g" % epsilon, xticks=[], yticks=[])
        ax.grid(False)
    rd, ratio, pairs = (np.array([[row[i] for row in rows[e]] for e in sizes]).T for i in range(3))
    later = [measure(1e-4, .7, seed) for seed in report.seeds]
    report.claim("RD grows as ε falls: least factor per decade", (rd[:, 1:] / rd[:, :-1]).min(1), least=5)
    report.claim("ratio rises as ε falls: least step", np.diff(ratio).min(1), least=0)
    report.claim("share of aligned pairs rises as ε falls: least step", np.diff(pairs).min(1), least=0)
    report.claim("ratio before the loss drops 10 %, ε = 1e-4", ratio[:, 2], least=.95)
    report.claim("ratio, ε = 1e-2: no alignment", ratio[:, 0], most=.9)
    report.claim("share of pairs with |D| > .95, ε = 1e-4", pairs[:, 2], least=.5)
    report.claim("share of pairs with |D| > .95 at 0.7 of the initial loss, ε = 1e-4", [r[2] for r in later], least=.7)


def spectrum(report):
    """Singular values of Z: the gap that alignment needs"""
    values = np.linalg.svd(matrix(), compute_uv=False)
    report.claim("gap σ₁/σ₂ of Z, which the theorem needs above 1", values[0] / values[1], least=1.05)
    ax = report.figure("spectrum")
    ax.bar(range(1, len(values) + 1), values)
    ax.set(xlabel="number", ylabel="singular value of Z")


if __name__ == "__main__":
    reproduction.main("2305.09947", "Initial condensation of convolutional networks", [alignment, spectrum])
