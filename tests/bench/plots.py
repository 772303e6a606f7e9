# SPDX-License-Identifier: BSD-3-Clause
"""The two figures of docs/performance.md."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt                                     # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter      # noqa: E402

import cases                                                        # noqa: E402

NAMES = {"libdyn": "libdyn", "jax": "JAX", "torch": "PyTorch"}
STYLES = {"libdyn": {"color": "#1f5fa8", "marker": "o"}, "jax": {"color": "#e07a1f", "marker": "s"},
          "torch": {"color": "#c1121f", "marker": "D"}}
ACROSS = 4      # growth curves beside one another


def log_ticks(axis):
    """Numbers as they are read, 0.5 1 2 5 10, on a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda v, _: "%g" % v))
    axis.set_minor_formatter(NullFormatter())


def rows(out, path):
    """A line per row of the table: times on all cores relative to libdyn's, and the limit."""
    known = {row.name: row for row in cases.ROWS}
    names = [name for name in out["rows"] if name in known]
    figure, ax = plt.subplots(figsize=(9, 0.34 * len(names) + 1.1), layout="constrained")
    for i, name in enumerate(names):
        times = {who: r["time"] / out["rows"][name]["0"]["libdyn"]["time"] for who, r in out["rows"][name]["0"].items()}
        limit = known[name].limit(out["limits"], out["cores"])
        if limit:
            limit /= out["rows"][name]["0"]["libdyn"]["time"]
            ax.plot(limit, i, "|k", ms=13, mew=2, label="limit of the arithmetic")
        ax.plot([min(list(times.values()) + [limit or 1]), max(times.values())], [i, i], color="#dddddd", lw=2, zorder=0)
        for who, ratio in times.items():
            ax.plot(ratio, i, ls="", ms=7, label=NAMES[who], **STYLES[who])
    ax.set_xscale("log")
    log_ticks(ax.xaxis)
    ax.set_yticks(range(len(names)), ["%s  %s" % (name, known[name].work) for name in names], fontsize=8)
    ax.invert_yaxis()
    ax.set_xlabel("time / libdyn's time, all cores: further left is faster")
    ax.grid(axis="x", color="#eeeeee", zorder=-1)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    legend(figure, [ax])
    figure.savefig(path, dpi=130)
    plt.close(figure)


def legend(figure, axes):
    """One legend above everything, each name once."""
    known = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels()):
            known.setdefault(label, handle)
    figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=len(known), frameon=False)


def growth(out, path):
    """For each curve the time of a step, and below it the peak memory, against the size."""
    curves = out["growth"]
    bands = -(-len(curves) // ACROSS)
    figure, axes = plt.subplots(2 * bands, ACROSS, figsize=(2.9 * ACROSS, 4.6 * bands), squeeze=False,
                                layout="constrained", height_ratios=[1.4, 1] * bands)
    for ax in axes.flat:
        ax.set_visible(False)
    for j, curve in enumerate(curves):
        time, memory = axes[2 * (j // ACROSS)][j % ACROSS], axes[2 * (j // ACROSS) + 1][j % ACROSS]
        one_curve(time, memory, curve)
        if not j % ACROSS:
            time.set_ylabel("µs a step")
            memory.set_ylabel("peak MiB")
    legend(figure, axes.flat)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def one_curve(time, memory, curve):
    for who, points in curve["lines"].items():
        sizes = [p[0] for p in points]
        time.loglog(sizes, [p[1] * 1e6 for p in points], "-", ms=4, label=NAMES[who], **STYLES[who])
        memory.semilogx(sizes, [p[2] for p in points], "-", ms=4, **STYLES[who])
    name, _, rest = curve["axis"].partition(",")
    time.set_title(name + ("\n" + rest.strip() if rest else ""), fontsize=9)
    memory.set_ylim(0)
    for ax in (time, memory):
        ax.set_visible(True)
        ax.set_xticks(sizes, ["%d" % v for v in sizes] if ax is memory else [""] * len(sizes), fontsize=8)
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(axis="x", which="minor", length=0)
        ax.grid(alpha=0.25)
    time.yaxis.set_major_formatter(FuncFormatter(lambda v, _: "%g" % v))
    time.yaxis.set_minor_formatter(NullFormatter())
    if time.get_ylim()[1] < 100 * time.get_ylim()[0]:
        log_ticks(time.yaxis)
