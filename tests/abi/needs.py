# SPDX-License-Identifier: BSD-3-Clause
"""The library runs with glibc 2.28: of what glibc offers it uses only functions that were there then. Some moved into
another library, got a faster version or another name in C23 since, and carry the newer number where the build machine's
glibc is newer.

usage: needs.py LIBRARY"""
import pathlib
import re
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

OLDER = r"pthread_\w+|dl(open|sym|error|close|addr)|f?stat(at)?(64)?|lstat(64)?|fcntl(64)?|sem_\w+" \
        r"|__isoc23_\w+|fmodf?|(exp|exp2|log|log2|pow)f?|hypotf?|shm_\w+|timer_\w+|clock_\w+|__libc_start_main|aio_\w+"
symbols = subprocess.run(["objdump", "-T", sys.argv[1]], capture_output=True, text=True, check=True).stdout
needed = re.findall(r"\(?GLIBC_2\.(\d+)(?:\.\d+)?\)?\s+(\w+)$", symbols, re.M)


def nothing_newer():
    newer = sorted(name for minor, name in needed if int(minor) > 28 and not re.fullmatch(OLDER, name))
    assert not newer, "newer than glibc 2.28: " + ", ".join(newer)


def something_is_read():
    assert any(name == "memcpy" for _, name in needed), "no symbols of glibc found"


if not needed:
    print("not linked with glibc")
    sys.exit(checks.SKIP)
checks.run([(f.__name__, f) for f in (nothing_newer, something_is_read)])
