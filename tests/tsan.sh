#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/tsan.sh: the suites that use threads, under ThreadSanitizer. Not part of tests/run.sh: it takes minutes.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_build build-tsan -Db_sanitize=thread -Db_lundef=false -Doptimization=1 -Dexamples=false
"$NINJA" -C build-tsan
TSAN_OPTIONS="halt_on_error=0:exitcode=66:suppressions=$PWD/tests/tsan.supp" exec python3 tests/suites.py build-tsan \
    --suite unit --suite oom --timeout-multiplier 10
