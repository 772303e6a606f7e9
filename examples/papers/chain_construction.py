# SPDX-License-Identifier: BSD-3-Clause
"""Wang et al., "Understanding the language model to solve the symbolic multi-step reasoning problem from the
perspective of buffer mechanism", arXiv 2405.15302: the transformer that is written by hand.

Attention and residuals alone, orthogonal Z_l. Layer 0: a place 2i looks at 2i - 1, the first node of its edge, and
W_vo = Z_0 puts that into a buffer. Layer 1: the last place looks for the edge whose buffer holds its node, by W_q =
1, W_k = Z_0^T, and keeps the edge's second node in the buffer Z_1. Layer 2: W_q = Z_1^T, W_k = Z_0^T, W_vo = Z_2; the
output reads Z_2. An edge apart in front takes the attention of places that seek nothing; scores are sharpened by a
factor."""
import numpy as np

import dyn
import reproduction


def construction(report):
    """No training: orthogonal buffers written by hand make two steps (width 1000, three layers)"""
    axes = report.figure("construction")
    found = []
    for seed in report.seeds[:report.size(1, 3)]:
        x, y = dyn.data.chain(report.size(200, 1000), seed=seed)
        x = np.concatenate([np.zeros((len(x), 2), int), x], axis=1)        # an edge apart, which takes idle attention
        net = dyn.transformer(201, 15, layers=3, width=1000, key_width=1000, hidden=0, norm="none", output_bias=False)
        theta = np.zeros(net.size)
        by_hand(net.views(theta), np.random.default_rng(seed))
        loss = dyn.Objective(net, x, y, loss="cross_entropy", dtype="float32")
        found.append(np.mean(loss.predict(theta).argmax(1) == y))
        maps = loss.inside(theta, "layer2.attention") if seed == 1 else maps
    axes.imshow(maps[0, 0])
    axes.set(title="attention of layer 2", xlabel="key", ylabel="query")
    report.claim("accuracy without training, two steps, width 1000", found, least=.98)


def by_hand(p, rng, d=1000, sharp=20.0, sharp_first=500.0):
    """Row vectors: position 2i asks for 2i - 1 (the first node of its edge), odd ones for position 1."""
    orthogonal = [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(3)]
    p["embedding"][...] = rng.standard_normal((201, d)) / d**.5
    place = rng.standard_normal((15, d)) / d**.5
    p["position"][...] = place / 2
    scale = d**.5                                   # the scores are divided by it
    first = sum(np.outer(place[2 * i - 2], place[2 * i - 1]) for i in range(1, 8))
    first += sum(np.outer(place[0], place[2 * i - 2]) for i in range(2, 9))
    queries = [np.eye(d) * sharp_first, np.eye(d) * sharp, orthogonal[1].T * sharp]
    keys = [first, orthogonal[0].T, orthogonal[0].T]
    for k in range(3):
        p["layer%d.Wq" % (k + 1)][...], p["layer%d.Wk" % (k + 1)][...] = queries[k] * scale, keys[k]
        p["layer%d.Wv" % (k + 1)][...], p["layer%d.Wo" % (k + 1)][...] = orthogonal[k], np.eye(d)
    p["W"][...] = orthogonal[2].T @ p["embedding"].T


if __name__ == "__main__":
    reproduction.main("2405.15302", "Multi-step reasoning by construction", [construction])
