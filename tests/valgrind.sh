#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/valgrind.sh: unit and out-of-memory suites under valgrind, with AVX2 kernels at most, as valgrind 3.19 does not
# know AVX-512. Not part of tests/run.sh: it takes many minutes.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES valgrind
need_build build
"$NINJA" -C build
exec python3 tests/suites.py build --suite unit --suite oom --suite fuzz --timeout-multiplier 50 --wrapper \
    "valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite"
