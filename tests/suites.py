# SPDX-License-Identifier: BSD-3-Clause
"""Run the Meson tests of a build folder and count the functions tested in all programs.

usage: suites.py BUILD [arguments of meson test]

A program prints "ok - name" or "not ok - name" for each function. One that ends badly without naming a failure, by a
crash or at its time limit, counts as a failure of its own; one that prints nothing is a test itself. Limits in time are four times those of `meson test`: they are for what hangs, not for slow machines."""
import json
import os
import pathlib
import re
import subprocess
import sys


def judge(program):
    """(passed, failed) of one entry of Meson's log."""
    lines = program.get("stdout", "").splitlines()
    passed = sum(line.startswith("ok ") for line in lines)
    failed = sum(line.startswith("not ok ") for line in lines)
    good = program["result"] in ("OK", "SKIP")
    if not good and not failed:
        failed = 1
    if good and not passed and program["result"] == "OK":
        passed = 1
    return passed, failed


def explain(program):
    """Show why a program failed."""
    print("%s: %s (exit code %s)" % (program["name"], program["result"], program["returncode"]))
    text = program.get("stdout", "") + program.get("stderr", "")
    shown = [line for line in text.splitlines()
             if not line.startswith("ok ") and not re.match(r"\d+ passed, \d+ failed$", line)]
    print("\n".join("    " + line for line in shown[-40:]))


def main():
    build = sys.argv[1]
    meson = "/usr/bin/meson" if os.path.exists("/usr/bin/meson") else "meson"
    environment = dict(os.environ)
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
    environment.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    logs = pathlib.Path(build, "meson-logs")
    for old in logs.glob("testlog*.json"):
        old.unlink()
    run = subprocess.run([meson, "test", "-C", build, "--no-rebuild", "--timeout-multiplier", "4"] + sys.argv[2:], env=environment, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    new = list(logs.glob("testlog*.json"))      # its name has that of the wrapper in it, if there is one
    if not new:
        print(run.stdout + "0 passed, 1 failed")
        return 1
    programs = [json.loads(line) for line in new[0].read_text().splitlines()]
    passed = failed = 0
    for program in programs:
        p, f = judge(program)
        passed, failed = passed + p, failed + f
        print("%-44s %s %6.1f s" % (program["name"], program["result"], program["duration"]))
        if f:
            explain(program)
    print("%d passed, %d failed" % (passed, failed))
    return run.returncode != 0 or failed != 0


sys.exit(main())
