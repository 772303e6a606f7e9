# SPDX-License-Identifier: BSD-3-Clause
"""Run libdyn and its peers in turn on the same work and write docs/performance.md.

usage: run.py BUILD [--only P1,P6] [--quick] [--rounds N]

Every implementation is a process of its own that waits while another one works. A round asks each for its least time
over a quarter of a second; the result is the median over the rounds. Results must agree before times are compared.
With --only or --quick nothing is written, the table is only shown."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import cases
import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COMPARED = ("loss", "theta_norm", "gradient_norm", "product_norm", "matrix_norm", "largest", "values_norm", "value")
CORES = len(os.sched_getaffinity(0))

# Instruction sets: libdyn's number for it, and what tells the libraries of all the implementations.
ISAS = {"best": "0", "AVX2": "2", "128 bits": "4"}
MASKS = {"best": {}, "128 bits": {}, "AVX2": {
    "BLIS_ARCH_TYPE": "haswell", "OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}}


class Runner:
    """One implementation at work: a process that answers requests. cores = 0 means all."""

    def __init__(self, who, build, cores=0, kind="f32", isa="best"):
        command = [os.path.join(build, "tests", "bench", "dyn-bench"), ISAS[isa]]
        if who != "libdyn":
            command = [sys.executable, os.path.join(HERE, "peers_%s.py" % who)]
        first = str(min(os.sched_getaffinity(0)))
        environment = dict(os.environ, PYTHONWARNINGS="ignore", **MASKS[isa])
        if kind == "f64":
            environment["BENCH_F64"] = "1"
        self.who, self.started = who, time.perf_counter()
        self.process = subprocess.Popen((["taskset", "-c", first] if cores == 1 else []) + command,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, request):
        """The answer: {name: [values]} and the texts of variants."""
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        answer = {}
        for line in self.process.stdout:
            if line.strip() == ".":
                return answer
            if line.startswith("error"):
                break
            name, rest = line.rstrip("\n").split(" ", 1) if not line.startswith("tried:") else line.rsplit(" ", 2)[:2]
            value = rest.rsplit(" ", 1)[0] if name == "variant" else float(rest.split(" ")[0])
            answer.setdefault(name, []).append(value)
        raise RuntimeError("%s failed: %s (%s)" % (self.who, request, line.strip()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Pool:
    """The runners now alive, made as they are needed."""

    def __init__(self, build, isa="best"):
        self.build, self.isa, self.alive = build, isa, {}

    def get(self, who, cores, kind):
        key = (who, cores, kind)
        if key not in self.alive:
            self.alive[key] = Runner(who, self.build, cores, kind, self.isa)
        return self.alive[key]

    def close(self):
        for runner in self.alive.values():
            runner.close()
        self.alive = {}


def exchange(build):
    """Where the processes exchange arrays, and where the result is kept."""
    return os.path.join(build, "bench")


def places(build):
    return " export=%s digits=%s" % (exchange(build), os.path.join(ROOT, "examples", "data"))


def difference(ours, theirs):
    """Largest relative difference of the numbers both have shown."""
    worst = 0.0
    for name in COMPARED:
        for a, b in zip(ours.get(name, []), theirs.get(name, [])):
            worst = max(worst, abs(a - b) / max(abs(a), abs(b), 1e-300))
    return worst


def residuals(pool, row, who):
    """Relative residuals of everybody's eigenpairs, all by the same product in float64."""
    judge = pool.get("jax", 0, "f64")
    answer = judge.ask("prepare residual dtype=f64 who=%s %s" % (",".join(who), row.request.split(" ", 1)[1] +
                       places(pool.build)))
    return {name.split(":")[1]: values[0] for name, values in answer.items() if name.startswith("residual:")}


def measure(pool, row, cores, rounds, seconds, implementations):
    """The row's result on 1 or all (0) cores: for each implementation its time and what was tried."""
    runners = {who: pool.get(who, cores, row.kind) for who in implementations}
    result, answers, times = {}, {}, {who: [] for who in runners}
    for who, runner in runners.items():
        request = "prepare %s%s tune=1 units=%d" % (row.request, places(pool.build), row.units)
        answers[who] = runner.ask(request)
    for _ in range(rounds):
        for who, runner in runners.items():
            if times[who] and times[who][0] * row.per * row.units > 2:
                continue                                # so long that once is enough
            times[who].append(runner.ask("measure %g %d" % (seconds, row.units))["time"][0] / row.per)
    base = next(iter(answers.values()))
    for who, answer in answers.items():
        result[who] = {"time": statistics.median(times[who]), "spread": max(times[who]) / min(times[who]),
                       "variant": answer.get("variant", [""])[0], "difference": difference(base, answer),
                       "tried": {name[6:]: v[0] / row.per for name, v in answer.items() if name.startswith("tried:")},
                       "products": answer.get("products", [None])[0],
                       "bound": answer.get("largest_error_bound", [None])[0]}
    if row.request.startswith("eigen"):
        for who, value in residuals(pool, row, list(runners)).items():
            result[who]["residual"] = value
    return result


def start(build, rounds):
    """P11: from starting the process to 100 steps of P1 and their loss, and the memory."""
    result = {}
    for who in ("libdyn", "jax", "torch"):
        seen = []
        for _ in range(rounds):
            runner = Runner(who, build)
            answer = runner.ask("prepare train widths=1,100,1 samples=80 check=100 compile=0" + places(build))
            seen.append(time.perf_counter() - runner.started)
            runner.close()
        result[who] = {"time": statistics.median(seen), "peak": answer["peak"][0]}
    return result


def grow(build, seconds):
    """The growth curves: each point in fresh processes, time and peak memory."""
    curves = []
    for axis, points in cases.CURVES:
        lines = {}
        for value, request, units in points:
            for who in ("libdyn", "jax", "torch"):
                if who == cases.ABSENT.get(request.split(" ")[0]):
                    continue
                runner = Runner(who, build)
                answer = runner.ask("prepare %s compile=0%s" % (request, places(build)))
                best = runner.ask("measure %g %d" % (seconds, units))
                runner.close()
                lines.setdefault(who, []).append((value, best["time"][0], best["peak"][0]))
                assert "variant" in answer or who == "libdyn"
        curves.append({"axis": axis, "lines": lines})
        print("measured: time against " + axis, flush=True)
    return curves


def limits(build, isa="best"):
    """Rates of this machine, one core: FLOP/s, bytes/s, seconds per tanh."""
    first = str(min(os.sched_getaffinity(0)))
    text = subprocess.run(["taskset", "-c", first, os.path.join(build, "tests", "bench", "dyn-limits"), ISAS[isa]],
                          check=True, capture_output=True, text=True).stdout
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines()}


def rows_of(options):
    chosen = options.only.split(",") if options.only else None
    return [(row, ("libdyn",) + row.peers) for row in cases.ROWS if chosen is None or row.name in chosen or
            row.name.rstrip("abcdefhl") in chosen]


def run_rows(options, seconds_factor):
    """All rows, first on one core, then on all; the processes of one kind live through it."""
    results = {}
    for cores in (1, 0):
        pool = Pool(options.build)
        for row, who in rows_of(options):
            results.setdefault(row.name, {})[cores] = measure(pool, row, cores, options.rounds,
                                                              row.seconds * seconds_factor, who)
            print(report.line(row, cores, results[row.name][cores]), flush=True)
        pool.close()
    return results


def run_isa(options, isa, who):
    """The rows on all cores with an instruction set less than the best: {row: {who: result}}."""
    pool, results = Pool(options.build, isa), {}
    for row in cases.ROWS:
        chosen = ("libdyn",) + row.peers if who == "all" else (who,)
        results[row.name] = measure(pool, row, 0, 1, row.seconds, chosen)
        print(isa + ": " + report.line(row, 0, results[row.name]), flush=True)
    pool.close()
    return results


def masked(options):
    """All implementations as on a CPU that has AVX2 at most, and libdyn as on one of another kind."""
    return {"limits": limits(options.build, "AVX2"), "AVX2": run_isa(options, "AVX2", "all"),
            "128 bits": run_isa(options, "128 bits", "libdyn")}


def with_rows(kept, rows):
    """The last whole result with these rows in place of its own, as for a row that something disturbed."""
    with open(kept) as file:
        out = json.load(file)
    out["rows"].update(rows)
    out["again"] = sorted(set(out.get("again", [])) | set(rows))
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", help="names of rows, such as P1,P6,start,growth,isa")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--again", action="store_true",
                        help="with --only: these rows again, into the last whole result")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.rounds = 1 if options.quick else options.rounds
    options.build = os.path.abspath(options.build)
    os.makedirs(exchange(options.build), exist_ok=True)
    wanted = options.only.split(",") if options.only else ["start", "growth", "calls", "isa"]
    before = time.time()
    out = {"limits": limits(options.build), "cores": CORES, "rounds": options.rounds}
    out["rows"] = run_rows(options, 0.2 if options.quick else 1)
    if "start" in wanted or "P11" in wanted:
        out["start"] = start(options.build, options.rounds)
    if "calls" in wanted or "P12" in wanted:
        out["calls"] = calls(options)
    if "growth" in wanted and not options.quick:
        out["growth"] = grow(options.build, 0.15)
    if "isa" in wanted and not options.quick and "avx2" in report.cpu_flags():
        out["masked"] = masked(options)
    out["seconds"] = time.time() - before
    out["machine"] = report.machine(ROOT, Runner("libdyn", options.build))
    kept = os.path.join(exchange(options.build), "bench.json")
    if options.again:
        out = with_rows(kept, out["rows"])
    out = json.loads(json.dumps(out))           # as a later report.py will read it
    print("\n" + report.summary(out))
    if options.again or (not options.only and not options.quick):
        with open(kept, "w") as file:
            json.dump(out, file, indent=1)
        report.write(out, os.path.join(ROOT, "docs"))


def calls(options):
    """P12: a call of a tiny plan from C and from Python."""
    result = {}
    for who in ("libdyn", "python"):
        runner = Runner(who, options.build)
        runner.ask("prepare call" + places(options.build))
        result[who] = statistics.median(runner.ask("measure 0.2 20000")["time"][0] for _ in range(options.rounds))
        runner.close()
    return result


if __name__ == "__main__":
    main()
