#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh examples/run.sh [argument of the program ...]: install what is missing, build, then train a network on handwritten
# digits and measure it: condensation, sharpness under Adam, model rank. Tables and figures go to results/digits.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_python
need_build build
if ! "$NINJA" -C build examples/digits libdyn/libdyn.so.0.1.0 >build/examples.log 2>&1; then
    cat build/examples.log
    exit 1
fi
build/examples/digits "$@"
