# SPDX-License-Identifier: BSD-3-Clause
"""What was measured as text: a line per row while it runs, the table, docs/performance.md and its plots.

usage: report.py BENCH.JSON DOCS      write the page again from an earlier run"""
import json
import os
import platform
import re
import subprocess
import sys

import cases

SCALES = {"s": 1, "ms": 1e3, "us": 1e6}
NAMES = {"libdyn": "libdyn", "jax": "JAX", "torch": "PyTorch"}


def number(x):
    """Three significant digits without an exponent."""
    return "-" if x is None else "%.3g" % x if x < 1000 else "%.0f" % x


def best_peer(result):
    peers = {who: r["time"] for who, r in result.items() if who != "libdyn"}
    return min(peers, key=peers.get) if peers else None


def judged(row, result, one, limit):
    """Goal against a peer or the limit as text, with whether it is reached."""
    goal, ours = row.goal, result["libdyn"]["time"]
    who = best_peer(result) if goal.peer == "best" else goal.peer
    factor = result[who]["time"] / ours
    wanted = goal.one if one and goal.one else goal.factor
    near = goal.limit and limit and ours <= goal.limit * limit
    name = "best peer" if goal.peer == "best" else NAMES[who]
    text = name + (" / %g" % wanted if wanted != 1 else "") + (" or %g x limit" % goal.limit if goal.limit else "")
    return "%s: %s" % (text, "yes" if factor >= wanted or near else "no, %s / %.2f" % (name, factor))


def speedup(row, both):
    """What the other cores bring, beside what they should."""
    gain = both["1"]["libdyn"]["time"] / both["0"]["libdyn"]["time"]
    return "; all cores %g x one: %s" % (row.goal.speedup, "yes" if gain >= row.goal.speedup else "no, %.2f" % gain)


def reached(row, both, one, limit, all_cores):
    """The goals of a row as text; '' without any. Goals are for all cores, those for one have a factor of their own."""
    result = both["1" if one else "0"]
    if one and all_cores > 1 and not (row.goal and row.goal.one):
        return ""
    if row.goal:
        more = speedup(row, both) if row.goal.speedup and all_cores > 1 else ""
        return judged(row, result, one, limit) + more
    if row.goal_time:
        ours = result["libdyn"]["time"]
        return "%g %s: %s" % (row.goal_time * SCALES[row.scale], row.scale, "yes" if ours <= row.goal_time else "no")
    return ""


def agreement(row, result):
    """Largest difference of results, and whether it is allowed; for eigenpairs the largest residual."""
    if "residual" in next(iter(result.values())):
        text = ", ".join("%s %.1e" % (NAMES[who], r["residual"]) for who, r in result.items())
        return "residual " + text, result["libdyn"]["residual"] <= 2e-6
    worst = max(r["difference"] for r in result.values())
    return "%.1e" % worst, worst <= row.tolerance


def line(row, cores, result):
    parts = ["%s %s" % (NAMES[who], number(r["time"] * SCALES[row.scale])) for who, r in result.items()]
    text, good = agreement(row, result)
    return "%-6s %-9s %s %s (%s%s)" % (row.name, "one core" if cores else "all cores", ", ".join(parts), row.scale,
                                       text, "" if good else ", DIFFERENT RESULTS")


def cells(row, cores, both, rates, all_cores):
    """A line of the table; both: the row's results on one core, "1", and on all, "0"."""
    result = both[str(cores)]
    unit, peer = SCALES[row.scale], best_peer(result)
    ours = result["libdyn"]["time"]
    limit = row.limit(rates, cores or all_cores)
    text, good = agreement(row, result)

    def shown(who):
        return number(result[who]["time"] * unit) if who in result else "-"
    ratio = "**%.2f**" % (result[peer]["time"] / ours)
    return [row.name, row.work, "1" if cores == 1 else str(all_cores), shown("libdyn"), shown("jax"), shown("torch"),
            row.scale, ratio, number(limit * unit) if limit else "-",
            "%.1f" % (ours / limit) if limit else "-", reached(row, both, cores == 1, limit, all_cores),
            text if good else text + " **different**"]


HEAD = ["row", "work", "cores", "libdyn", "JAX", "PyTorch", "unit", "best peer / libdyn", "limit", "libdyn / limit",
        "goal: reached", "results agree to"]


def as_table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(r) + " |" for r in rows])


def by_name():
    return {row.name: row for row in cases.ROWS}


def table(out):
    known, lines = by_name(), []
    for name, both in out["rows"].items():
        for cores in both:
            lines.append(cells(known[name], int(cores), both, out["limits"], out["cores"]))
    return as_table(HEAD, lines) + "\n"


def start_text(out):
    if "start" not in out:
        return ""
    rows = [[NAMES[who], "%.3f" % r["time"], "%.0f" % r["peak"]] for who, r in out["start"].items()]
    return "## P11: start\n\nFrom starting the process to the loss after 100 steps of P1 (goal: 0.05 s, 25 MB).\n\n" \
        + as_table(["", "seconds", "MiB resident at most"], rows) + "\n\n"


def calls_text(out):
    if "calls" not in out:
        return ""
    c, python = out["calls"]["libdyn"] * 1e9, out["calls"]["python"] * 1e9
    return "## P12: a call\n\nA plan that adds two numbers takes %.0f ns a call in C and %.0f ns in Python with " \
        "bound arrays: %.0f ns more (goal: 1000 ns).\n\n" % (c, python, python - c)


MASKED = """## Other instruction sets

All cores. AVX2: every implementation is told to use nothing newer, as on a CPU without AVX-512 (`BLIS_ARCH_TYPE`,
`OPENBLAS_CORETYPE`, `XLA_FLAGS=--xla_cpu_max_isa=AVX2`, `ONEDNN_MAX_CPU_ISA`, `ATEN_CPU_CAPABILITY`,
`MKL_ENABLE_INSTRUCTIONS`). The limit is AVX2's. PyTorch's compiled step with AVX2 has given wrong numbers at P4, from
run to run others, which the last column shows. 128 bits: libdyn with the kernels for CPUs of other
kinds, here compiled for SSE2, without fused multiply-adds, SLEEF and LIBXSMM.

"""


def masked_text(out):
    if "masked" not in out:
        return ""
    masked, known, lines = out["masked"], by_name(), []
    rates = masked["limits"]
    for name, result in masked["AVX2"].items():
        row = known[name]
        whole = cells(row, 0, {"0": result, "1": result}, rates, out["cores"])
        lines.append([name] + whole[3:10] + [number(masked["128 bits"][name]["libdyn"]["time"] * SCALES[row.scale]),
                                             whole[11]])
    head = ["row"] + HEAD[3:10] + ["libdyn, 128 bits", HEAD[11]]
    return MASKED + as_table(head, lines) + "\n\nOne core with AVX2: %.0f GFLOP/s in float32, %.0f in float64; tanh " \
        "%.2f and %.2f ns.\n\n" % (rates["fma_f32"] / 1e9, rates["fma_f64"] / 1e9, rates["tanh_f32"] * 1e9,
                                     rates["tanh_f64"] * 1e9)


def summary(out):
    """What the terminal shows at the end."""
    return (table(out) if out["rows"] else "") + "\n" + start_text(out) + calls_text(out) + masked_text(out)


def tried_text(out):
    """What was tried for each peer, on all cores, best first."""
    lines = []
    for name, both in out["rows"].items():
        for who, r in both["0"].items():
            unit = by_name()[name].scale
            tried = ", ".join("%s %s" % (t, number(s * SCALES[unit])) for t, s in
                              sorted(r["tried"].items(), key=lambda item: item[1]))
            if who != "libdyn" and (tried or r["variant"]):
                lines.append([name, NAMES[who], r["variant"], "%s %s" % (tried, unit) if tried else "only this"])
    return as_table(["row", "peer", "used", "tried (a short look)"], lines) + "\n"


def growth_text(out):
    if "growth" not in out:
        return ""
    parts = ["## Growth\n\nTime of a step on all cores, and the largest memory of the process, each point in a fresh "
             "process.\nPyTorch eager, JAX in its first form of the table above (`tree`, `vmap`).\n",
             "![time and memory against size](images/performance-growth.png)\n"]
    for curve in out["growth"]:
        values = [p[0] for p in next(iter(curve["lines"].values()))]
        rows = [[NAMES[who] + what] + [number(p[i] * scale) for p in points]
                for who, points in curve["lines"].items() for what, i, scale in ((" us", 1, 1e6), (" MiB", 2, 1))]
        parts.append(as_table([curve["axis"]] + ["%d" % v for v in values], rows) + "\n")
    return "\n".join(parts) + "\n"


def cpu_flags():
    with open("/proc/cpuinfo") as info:
        return next((line for line in info if line.startswith("flags")), "")


def machine(root, runner):
    """CPU, versions and settings of this run."""
    import jax
    import numpy
    import scipy
    import torch
    runner.close()
    with open("/proc/cpuinfo") as info:
        text = info.read().splitlines()
    cpu = next((t.split(":")[1].strip() for t in text if t.startswith("model name")), platform.machine())
    family = "/".join(next((t.split(":")[1].strip() for t in text if t.startswith(key)), "?")
                      for key in ("cpu family", "model\t"))
    flags = cpu_flags()
    commit = subprocess.run(["git", "-C", root, "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True).stdout.strip()
    return {"cpu": "%s (family/model %s), %s" % (cpu, family, "AVX-512" if "avx512f" in flags else
                                                 "AVX2" if "avx2" in flags else "no AVX2"),
            "kernel": platform.release(), "commit": commit, "python": platform.python_version(),
            "load": "%.1f" % os.getloadavg()[0],
            "versions": "jax %s, torch %s, numpy %s, scipy %s" % (jax.__version__, torch.__version__,
                                                                  numpy.__version__, scipy.__version__)}


def rates_text(rates):
    rows = [["multiply-add, float32", "%.0f GFLOP/s" % (rates["fma_f32"] / 1e9)],
            ["multiply-add, float64", "%.0f GFLOP/s" % (rates["fma_f64"] / 1e9)]]
    rows += [["reading from " + name.replace("l", "level ") if name != "memory" else "reading from memory",
              "%.0f GB/s" % (rates["read_" + name] / 1e9)] for name in ("l1", "l2", "l3", "memory")]
    rows += [["tanh, " + kind, "%.2f ns" % (rates["tanh_" + key] * 1e9)]
             for kind, key in (("float32", "f32"), ("float64", "f64"))]
    return as_table(["one core", ""], rows) + "\n"


PAGE = """# Performance

Made by `sh tests/bench/run.sh` in {seconds:.0f} s; do not edit. libdyn and each peer work in turn on the same work, the
same data, the same precision and the same cores; results are compared before times. A time is the median over
{rounds} round(s) of the least time within a round. `tests/bench/README.md` tells how.{again}

- CPU: {cpu}; {cores} cores; Linux {kernel}; load average {load} at the end
- libdyn at {commit}; Python {python}, {versions}
- **best peer / libdyn** above 1: libdyn is faster. The limit is the arithmetic of the products at the multiply-add
  rate plus the tanh at its rate, both as measured below; it counts neither memory nor the update.

## Table

{table}
![times relative to libdyn's](images/performance.png)

{start}{calls}{by_hand}{masked}## What one core can do

{rates}
## What was tried for the peers

Float32 as it comes, no lower precision anywhere. JAX: the loop over steps compiled (`lax.scan`), state donated.
PyTorch: the fused Adam eager, and the whole step under `torch.compile`. Tried while the benchmark was made and left
out, as slower or too large: `jax.hessian` for P9 (39 s, 9.5 GB), PyTorch for P9 (blocks of double backward, 22 s),
`jax.jacrev` for P10 (13 s, 12 GB), `torch.compile` of the loss alone with the fused Adam outside, and ARPACK with 40
vectors for P8. JAX takes minutes to compile P16e, P16f and P18; where it has no number there, more than three.

{tried}
{growth}"""


def again_text(out):
    rows = ", ".join(out.get("again", []))
    return "\nMeasured again by themselves, since something else ran meanwhile: %s." % rows if rows else ""


def by_hand(page):
    """The sections that programs run by hand measure (ranks.py, sweeps.py, analyses.py), as the page has them."""
    if not os.path.exists(page):
        return ""
    with open(page) as file:
        sections = re.split("^(?=## )", file.read(), flags=re.MULTILINE)
    return "".join(one for one in sections if one.startswith(("## Over ranks\n", "## Sweeps\n", "## Analyses\n")))


def write(out, docs):
    page = os.path.join(docs, "performance.md")
    os.makedirs(os.path.join(docs, "images"), exist_ok=True)
    text = PAGE.format(table=table(out), start=start_text(out), calls=calls_text(out), masked=masked_text(out),
                       rates=rates_text(out["limits"]), tried=tried_text(out), growth=growth_text(out),
                       seconds=out["seconds"], rounds=out["rounds"], again=again_text(out), cores=out["cores"],
                       by_hand=by_hand(page), **out["machine"])
    with open(page, "w") as file:
        file.write(text.rstrip() + "\n")
    import plots
    plots.rows(out, os.path.join(docs, "images", "performance.png"))
    if "growth" in out:
        plots.growth(out, os.path.join(docs, "images", "performance-growth.png"))


if __name__ == "__main__":
    with open(sys.argv[1]) as saved:
        write(json.load(saved), sys.argv[2])
