# SPDX-License-Identifier: BSD-3-Clause
"""Run the unittest modules of a folder and print their sum as all tests here do.

usage: unittests.py FOLDER"""
import signal
import sys
import unittest


def main():
    # Tests of Ctrl-C need one: a shell starts jobs in the background with SIGINT ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    suite = unittest.defaultTestLoader.discover(sys.argv[1], pattern="test*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print("%d passed, %d failed" % (result.testsRun - failed - len(result.skipped), failed))
    return failed != 0


if __name__ == "__main__":      # processes that a test starts import this file
    sys.exit(main())
