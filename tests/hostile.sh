#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/hostile.sh [PART ...]: the slow suite of failures and misuse, under an hour in all; see tests/hostile/README.md
# for its parts. BUILD names the build folder (build-hostile, made when missing).
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh
build=${BUILD:-build-hostile}
[ -f "$build/build.ninja" ] || $MESON setup "$build" -Dbuildtype=release -Ddebug=true >/dev/null
$NINJA -C "$build" >"$build/hostile-build.log" || { tail -n 30 "$build/hostile-build.log"; exit 1; }
exec "${PYTHON_FOR_TESTS:-$(command -v .venv/bin/python || command -v python3)}" tests/hostile/hostile.py "$build" "$@"
