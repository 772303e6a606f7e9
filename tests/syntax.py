# SPDX-License-Identifier: BSD-3-Clause
"""Hand every C and C++ file of a build folder to its compiler, which reads and checks it and makes nothing of it. Shows
what each has to say; warnings fail where the build was set up with werror.

usage: syntax.py BUILD"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

MADE = (".inc", ".h", ".c", ".cpp")        # files that the build itself writes, and others include
DROPPED = {"-o": 2, "-MF": 2, "-MQ": 2, "-MD": 1}


def generate(build):
    """Write what the build writes for its sources."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "targets", "all"], capture_output=True, text=True, check=True)
    lines = [line.rpartition(": ") for line in listed.stdout.splitlines()]
    made = [name for name, _, rule in lines if rule.startswith("CUSTOM_COMMAND") and name.endswith(MADE)]
    subprocess.run(["ninja", "-C", build, *made], stdout=subprocess.DEVNULL, check=True)


def check(entry):
    """What the compiler says of a file, and whether it took it."""
    words, kept = shlex.split(entry["command"]), []
    while words:
        drop = DROPPED.get(words[0], 0)
        kept += words[:1] if not drop else []
        words = words[drop or 1:]
    run = subprocess.run([*kept, "-fsyntax-only"], cwd=entry["directory"], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    return run.returncode, run.stdout


build = pathlib.Path(sys.argv[1])
generate(build)
entries = json.loads((build / "compile_commands.json").read_text())
with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
    results = list(pool.map(check, entries))
for code, text in results:
    if code:
        print(text)
failed = sum(code != 0 for code, _ in results)
print("%d passed, %d failed" % (len(results) - failed, failed))
sys.exit(failed != 0)
