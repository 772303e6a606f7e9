# SPDX-License-Identifier: BSD-3-Clause
"""The harness of the reproductions: claims and their verdicts, figures, stored results, the command line.

A program of this folder is a list of experiments, functions of a Report. Each measures, holds what it measured against
the numbers that are expected, and draws:

    def slopes(report):
        measured = [slope(seed) for seed in report.seeds]
        report.claim("slope of RD at γ = .5", measured, -0.51, 0.03)

    reproduction.main("2007.07497", "Two-layer phase diagram", [slopes])

Where the measurement is a set of trainings, report.grid trains them as a sweep, on all cores, and goes on after a stop.

The program then takes --quick, --only EXPERIMENT and --out FOLDER, and leaves FOLDER/PROGRAM.json and figures there."""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import sys
import time
from dataclasses import asdict, dataclass, field

import matplotlib
import numpy as np

import dyn

matplotlib.use("Agg")
from matplotlib import pyplot                   # noqa: E402
from dyn.plots import style                     # noqa: E402

pyplot.rcParams.update(style.STYLE)

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results/papers"               # where new results go; what the documents show is in KEPT
KEPT = ROOT / "examples/papers/results"


@dataclass
class Claim:
    """What should come out and what did. low, high: bounds of the mean; reason: of a claim recorded as one that does
    not come out, why."""

    text: str
    expected: str
    low: float
    high: float
    measured: list
    reason: str = ""

    @property
    def holds(self):
        return bool(self.low <= np.mean(self.measured) <= self.high)

    @property
    def as_recorded(self):
        """Comes out, or is recorded as one that does not."""
        return self.holds == (not self.reason)


def number(value):
    """Three digits; whole numbers below a million in full."""
    return "%d" % value if abs(value) < 1e6 and value == int(value) else "%.3g" % value


def bounds(expected, tolerance, least, most):
    """(words, low, high) of what is expected."""
    if expected is not None:
        return "%s ± %s" % (number(expected), number(tolerance)), expected - tolerance, expected + tolerance
    if least is not None and most is not None:
        return "%s … %s" % (number(least), number(most)), least, most
    return ("≥ %s" % number(least), least, np.inf) if most is None else ("≤ %s" % number(most), -np.inf, most)


@dataclass
class Report:
    """What one experiment found."""

    quick: bool
    folder: pathlib.Path
    program: str
    claims: list = field(default_factory=list)
    figures: list = field(default_factory=list)
    peers: dict = field(default_factory=dict)
    apart: float = 0.0                          # seconds spent on other libraries
    stores: list = field(default_factory=list)  # of sweeps
    seeds: tuple = (1, 2, 3)

    def size(self, quick, paper):
        """A size by the form that runs."""
        return quick if self.quick else paper

    def claim(self, text, measured, expected=None, tolerance=0.0, *, least=None, most=None, reason=""):
        """Hold the mean of what was measured (a number per seed, or one) against expected ± tolerance, or bounds.

        reason: records that the claim does not come out at this size, and why. The program then fails where it does
        come out, as it fails where any other claim does not: what is recorded is to be true."""
        words, low, high = bounds(expected, tolerance, least, most)
        found = Claim(text, words, low, high, [float(m) for m in np.ravel(measured)], reason)
        self.claims.append(found)
        mark = ("ok" if found.holds else "NO") + ("" if found.as_recorded else ", AGAINST THE RECORD")
        print("  %s %s: %s, expected %s" % (mark, text, told(found.measured), words), flush=True)

    def sweep(self, name, experiment, **points):
        """An experiment at every point of a grid, trained on all cores: a dyn.Sweep. Its store lies with the results
        until the experiment of this report has ended: a program that was stopped goes on where it was."""
        self.stores.append(self.folder / ("%s-%s%s.sqlite" % (self.program, name, "-quick" if self.quick else "")))
        trained = dyn.Sweep(experiment, points, store=self.stores[-1]).train(progress=False)
        if trained.failed:
            raise RuntimeError("%r: %s" % (trained.failed[0], trained.failed[0].message))
        return trained

    def grid(self, name, experiment, **points):
        """Numbers that an experiment returns by name, as arrays with an axis for every parameter, in their order."""
        table = self.sweep(name, experiment, **points).table()
        about = ("status", "step", "seconds", "message", *points)
        return {found: np.reshape(np.array(values, float), [len(v) for v in points.values()])
                for found, values in table.items() if found not in about and None not in values}

    def peer(self, name, seconds):
        """Seconds that the same experiment takes with another library, by a function that measures it, where that
        library is installed."""
        start = time.perf_counter()
        with contextlib.suppress(ImportError):
            self.peers[name] = seconds()
        self.apart += time.perf_counter() - start

    def figure(self, name, rows=1, columns=1, width=3.2, height=2.6, **options):
        """Axes [rows, columns], one alone where there is one, of a figure that is saved when the experiment ends."""
        made, axes = pyplot.subplots(rows, columns, figsize=(width * columns, height * rows), **options)
        self.figures.append((name, made))
        return axes

    def save_figures(self):
        names = []
        for name, made in self.figures:
            names.append("%s-%s%s.png" % (self.program, name, "-quick" if self.quick else ""))
            made.tight_layout()
            made.savefig(self.folder / names[-1], dpi=90)
            pyplot.close(made)
        return names


def slopes(widths, distances):
    """Slopes of ln of distances [..., width] on ln of the widths."""
    return np.apply_along_axis(lambda row: dyn.loglog_slope(widths, row).slope, -1, distances)


def told(measured):
    """mean ± sd over seeds."""
    mean = number(np.mean(measured))
    return mean if len(measured) == 1 else "%s ± %s" % (mean, number(np.std(measured, ddof=1)))


def machine():
    """Where times were taken: processor, threads, and whether other work ran beside."""
    name = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
    busy = ", beside other work" if os.getloadavg()[1] > 1.5 * os.cpu_count() else ""
    return "%s, %d threads%s" % (name, dyn.current().threads, busy)


def perform(experiment, report):
    """Run an experiment; what is stored of it."""
    print("%s: %s" % (report.program, experiment.__name__), flush=True)
    start = time.perf_counter()
    experiment(report)
    seconds = time.perf_counter() - start - report.apart
    for path in report.stores:
        for part in path.parent.glob(path.name + "*"):
            part.unlink()
    return {"about": experiment.__doc__ or "", "seconds": seconds, "peers": report.peers,
            "figures": report.save_figures(), "claims": [{**asdict(c), "holds": c.holds} for c in report.claims],
            "machine": machine(), "dyn": dyn.__version__, "date": time.strftime("%Y-%m-%d")}


def store(path, form, name, found, **about):
    """Add an experiment to the file, which is replaced as a whole: a stop leaves the old or the new one."""
    stored = json.loads(path.read_text()) if path.exists() else {}
    stored.update(about)
    stored.setdefault(form, {})[name] = found
    new = path.with_suffix(".new")
    new.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")
    new.replace(path)


def main(arxiv, title, experiments, long=()):
    """The program: run experiments, store what they found after each; those that are long only in the paper's size. The
    exit code is 0 if every claim comes out, but for those that are recorded not to, which must not."""
    every = [*experiments, *long]
    parser = argparse.ArgumentParser(description="%s (arXiv %s)" % (title, arxiv))
    parser.add_argument("--quick", action="store_true", help="the same claims at a smaller size, under a minute")
    parser.add_argument("--only", nargs="+", choices=[e.__name__ for e in every], help="experiments to run")
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS, help="folder of results (default %(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    program = pathlib.Path(sys.argv[0]).stem
    path = options.out / (program + ".json")
    form = "quick" if options.quick else "paper"
    failed = 0
    for experiment in experiments if options.quick else every:
        if options.only and experiment.__name__ not in options.only:
            continue
        report = Report(options.quick, options.out, program)
        store(path, form, experiment.__name__, perform(experiment, report), arxiv=arxiv, title=title,
              order=[e.__name__ for e in every], about={e.__name__: e.__doc__ for e in every})
        failed += sum(not c.as_recorded for c in report.claims)
    sys.exit(failed != 0)
