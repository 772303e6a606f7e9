#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/run.sh: install what is missing, build, and pass all tests, quick ones first. Each step leaves its output in
# build/test-logs and says how many tests passed; the last line is the sum. The exit code is 0 if none failed.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

passed=0
failed=0

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# step NAME COMMAND...: run it, add up its lines "N passed, N failed". Without any the command itself is the test; one
# that fails without saying so counts as one failure.
step() {
    name=$1
    log=build/test-logs/$1.log
    start=$(date +%s)
    shift
    code=0
    "$@" >"$log" 2>&1 || code=$?
    # shellcheck disable=SC2046
    set -- $(awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ } END { print p + 0, f + 0, n + 0 }' "$log")
    if [ "$code" -ne 0 ] && [ "$2" -eq 0 ]; then
        set -- "$1" 1 1
    elif [ "$3" -eq 0 ]; then
        set -- 1 0 1
    fi
    passed=$((passed + $1))
    failed=$((failed + $2))
    printf '%-10s %5d passed, %d failed (%d s)\n' "$name" "$1" "$2" "$(($(date +%s) - start))"
    [ "$2" -eq 0 ] || grep -Ev '^ok | OK  ' "$log" | tail -n 100
}

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES abigail-tools libopenmpi-dev openmpi-bin
need_python
need_build build
mkdir -p build/test-logs

step build "$NINJA" -C build
[ $failed -eq 0 ] || finish
step suites "$PYTHON" tests/suites.py build
step install sh tests/install/run.sh build
step python "$PYTHON" tests/unittests.py bindings/python/tests
step docs "$PYTHON" tests/docs.py build
step programs "$PYTHON" tests/programs.py
step papers "$PYTHON" tests/papers.py
step examples sh examples/run.sh

need_build build-asan -Db_sanitize=address,undefined -Doptimization=1 -Dwerror=true -Dexamples=false
step asan-build "$NINJA" -C build-asan
step asan "$PYTHON" tests/suites.py build-asan --suite unit --suite diff --suite oom --suite fuzz
finish
