# SPDX-License-Identifier: BSD-3-Clause
"""Bai et al., "Adaptive preconditioners trigger loss spikes in Adam", arXiv 2506.04805: L = θ²/2 at many β₁ and β₂.

The loss is least where η/√v̂ passes 2(1 + β₁)/(1 - β₁), the threshold of heavy ball with that rate. The slower v, the
longer it stays above. With β₁ = 0 all ends in the orbit of period 2, |θ| = η/2 and η/√v = 2. θ is followed by its
logarithm and ω = m/θ, as it would underflow long before v has decayed: θ' = (1 - η ω/√v̂) θ."""
import numpy as np

import reproduction
from adam_quadratic import envelope


def followed(b1, b2, eta, steps=10000):
    """ln θ² and η/√v̂ of Adam from 1 [steps], where θ underflows as well."""
    x, omega, v, found = 0.0, 0.0, 0.0, np.empty((steps, 2))
    for t in range(1, steps + 1):
        omega, v = b1 * omega + 1 - b1, b2 * v + (1 - b2) * np.exp(2 * x)
        found[t - 1] = 2 * x, eta / np.sqrt(v / (1 - b2**t)) / (1 - b1**t)
        ratio = 1 - found[t - 1, 1] * omega
        x, omega = x + np.log(abs(ratio)), omega / ratio
    return found.T


def moments(report):
    """Length of the first violation against β₂ for three β₁, and η/√v̂ there over its threshold 2(1 + β₁)/(1 - β₁)"""
    axes, apart, shorter = report.figure("moments", 1, 2), [], []
    rates = (.95, .98, .99, .995)
    for b1 in (0, .5, .9):
        lengths, worst, limit = [], [], 2 * (1 + b1) / (1 - b1)
        for b2 in rates:
            square, rate = followed(b1, b2, .1, report.size(3000, 10000))
            start = 30 + int(np.argmax(rate[30:] > limit))
            around = envelope(square)[max(start - 200, 0):start + 200]
            apart.append(max(start - 200, 0) + around.argmin() - start)
            lengths.append(int(np.argmax(rate[start:] < limit)))
            worst.append(rate[start:start + lengths[-1]].max() / limit)
        shorter.append(np.diff(lengths).min())
        axes[0].loglog(1 - np.array(rates), lengths, "o-", label="β₁ = %g" % b1)
        axes[1].semilogx(1 - np.array(rates), worst, "o-")
    report.claim("12 pairs of β₁ and β₂: largest |loss minimum - crossing|, steps", np.abs(apart).max(), most=25)
    report.claim("the violation grows with β₂: least step between neighbours", min(shorter), least=1)
    square, rate = followed(0, .99, .01, 6000)
    report.claim("β₁ = 0: |θ|/η at the end", np.exp(square[-1] / 2) / .01, .5, 1e-9)
    report.claim("β₁ = 0: η/√v̂ at the end", rate[-1], 2, 1e-9)
    for ax, label in zip(axes, ("steps in violation", "largest η/√v̂ over threshold")):
        ax.set_xticks(1 - np.array(rates), map(str, rates))
        ax.minorticks_off()
        ax.set(xlabel="β₂", ylabel=label)
    axes[0].legend()


if __name__ == "__main__":
    reproduction.main("2506.04805", "Adam's loss spikes by moments", [moments])
