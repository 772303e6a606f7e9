#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/hostile.sh [PART ...]: the slow suite of failures and misuse, under an hour in all; see tests/hostile/README.md
# for its parts. BUILD names the build folder (build-hostile).
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_python
need_build "${BUILD:=build-hostile}" -Dexamples=false
"$NINJA" -C "$BUILD" >"$BUILD/hostile-build.log" || { tail -n 30 "$BUILD/hostile-build.log"; exit 1; }
exec "${PYTHON_FOR_TESTS:-$PYTHON}" tests/hostile/hostile.py "$BUILD" "$@"
