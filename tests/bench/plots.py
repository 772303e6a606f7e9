# SPDX-License-Identifier: BSD-3-Clause
"""The two figures of docs/performance.md."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt     # noqa: E402

import cases                        # noqa: E402

COLOURS = {"libdyn": "#1f6fb4", "jax": "#e08a1e", "torch": "#c0392b"}
NAMES = {"libdyn": "libdyn", "jax": "JAX", "torch": "PyTorch"}


def rows(out, path):
    """Time of each row on all cores relative to libdyn's, with the limit as a mark."""
    known = {row.name: row for row in cases.ROWS}
    names = [name for name in out["rows"] if name in known]
    figure, axes = plt.subplots(figsize=(9, 4.2))
    for k, who in enumerate(("libdyn", "jax", "torch")):
        at = [i for i, name in enumerate(names) if who in out["rows"][name]["0"]]
        height = [out["rows"][names[i]]["0"][who]["time"] / out["rows"][names[i]]["0"]["libdyn"]["time"] for i in at]
        axes.bar([i + 0.27 * (k - 1) for i in at], height, 0.25, bottom=0, color=COLOURS[who], label=NAMES[who])
    for i, name in enumerate(names):
        limit = known[name].limit(out["limits"], out["cores"])
        if limit:
            axes.plot([i - 0.4, i + 0.4], [limit / out["rows"][name]["0"]["libdyn"]["time"]] * 2, "k-", lw=1.5,
                      label="limit" if not i else None)
    axes.set_yscale("log")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("time / libdyn's time")
    axes.legend(frameon=False, ncols=4)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def growth(out, path):
    """A column per curve: time above, peak memory below."""
    curves = out["growth"]
    figure, axes = plt.subplots(2, len(curves), figsize=(3.1 * len(curves), 5.4), sharex="col", squeeze=False)
    for j, curve in enumerate(curves):
        for who, points in curve["lines"].items():
            x = [p[0] for p in points]
            axes[0][j].loglog(x, [p[1] * 1e6 for p in points], "o-", ms=3, color=COLOURS[who], label=NAMES[who])
            axes[1][j].semilogx(x, [p[2] for p in points], "o-", ms=3, color=COLOURS[who])
        axes[1][j].set_ylim(0)
        axes[1][j].set_xlabel(curve["axis"], fontsize=8)
        axes[1][j].set_xticks(x, ["%d" % v for v in x])
        axes[1][j].minorticks_off()
    axes[0][0].set_ylabel("µs a step")
    axes[1][0].set_ylabel("peak MiB")
    axes[0][0].legend(frameon=False)
    for a in axes.flat:
        a.grid(alpha=0.25)
        a.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
