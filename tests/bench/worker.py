# SPDX-License-Identifier: BSD-3-Clause
"""The peers' side of the benchmark's protocol (see bench.c): requests on standard input, "name value unit" lines back.

A peer gives a table of verbs: name -> function of the case that returns (variants, check). variants is a list of
(name, make); make() returns run(units), which does the work and returns when it is done; check(run) is called once on
a new run and shows numbers to be compared. With tune=1 every variant is tried and the fastest is kept."""
import contextlib
import gc
import io
import sys
import time

import numpy as np


def show(name, value, unit="-"):
    print(name, "%.17g" % value if not isinstance(value, str) else value, unit)


def show_peak():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                show("peak", int(line.split()[1]) / 1024, "MiB")


class Case:
    """A case line as a dictionary of texts with the arrays beside it."""

    def __init__(self, words):
        self.text = dict(word.split("=", 1) for word in words)
        self.saved = {}                 # name -> array that check found, written where the judge reads it
        self.dtype = np.float32 if self.text.get("dtype", "f32") == "f32" else np.float64

    def __call__(self, key, fallback):
        return type(fallback)(self.text.get(key, fallback))

    def array(self, name, dtype=None):
        return np.load("%s/%s.npy" % (self.text["export"], name)).astype(dtype or self.dtype)

    def widths(self):
        return [int(w) for w in self("widths", "1,100,1").split(",")]

    def slices(self):
        """(W start, W shape, b start or None) of each layer in theta."""
        widths, at, layers = self.widths(), 0, []
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            bias = i + 2 < len(widths) or self("output_bias", 1)
            layers.append((at, (a, b), at + a * b if bias else None))
            at += a * b + (b if bias else 0)
        return layers


def least_time(run, seconds, units):
    """(seconds of a unit, repeats). What is done the first time for so many units, compiling, does not count."""
    if getattr(run, "ready_for", None) != units:
        run(units)
        run.ready_for = units
    best, repeats, start = float("inf"), 0, time.perf_counter()
    while True:
        before = time.perf_counter()
        run(units)
        best = min(best, (time.perf_counter() - before) / units)
        repeats += 1
        if time.perf_counter() - start >= seconds:
            return best, repeats


def checked(run, check):
    """What check shows, as text."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        check(run)
    return text.getvalue()


def choose(case, variants, check, units):
    """(name, run, text of the check, arrays to save) of the fastest variant that does the whole work."""
    tried = []
    for name, make in variants:
        try:
            run = make()
            text = checked(run, check)
            tried.append((least_time(run, 0.1, units)[0], name, run, text, case.saved))
            case.saved = {}
        except Exception as error:                      # a variant that this machine cannot build is not a candidate
            print("# %s: %s" % (name, str(error).splitlines()[0][:200]), file=sys.stderr)
    tried.sort(key=lambda t: (t[1].endswith("(looser)"), t[0]))
    for seconds, name, *_ in tried:
        show("tried:" + name, seconds, "s")
    return tried[0][1:]


def prepare(case, variants, check):
    """The work made ready and checked: the fastest variant with tune=1, else the first."""
    if case("tune", 0) and len(variants) > 1:
        name, run, text, case.saved = choose(case, variants, check, case("units", 1))
    else:
        name, run = variants[0][0], variants[0][1]()
        text = checked(run, check)
    print(text, end="")
    show("variant", name)
    for array, numbers in case.saved.items():
        np.save("%s/%s.npy" % (case.text["export"], array), np.asarray(numbers, np.float64))
    return run


def serve(verbs):
    run = None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "prepare":
            run = None
            gc.collect()
            case = Case(words[2:])
            run = prepare(case, *verbs[words[1]](case))
        elif words[0] == "measure":
            best, repeats = least_time(run, float(words[1]), int(words[2]))
            show("time", best, "s")
            show("repeats", repeats)
        else:
            break
        show_peak()
        print(".", flush=True)
