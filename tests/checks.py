# SPDX-License-Identifier: BSD-3-Clause
"""The harness of tests written in Python; the counterpart of test.h.

Each test is a function that raises AssertionError, with a message, if it fails. run() prints one line for each and the
sum, and ends the program with the exit code."""
import sys

SKIP = 77   # the exit code by which Meson knows a test that could not run


def run(tests):
    """tests: list of (name, function)."""
    failed = 0
    for name, test in tests:
        try:
            test()
            print("ok - " + name)
        except AssertionError as error:
            failed += 1
            print("# " + str(error).replace("\n", "\n# "))
            print("not ok - " + name)
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    sys.exit(failed != 0)
