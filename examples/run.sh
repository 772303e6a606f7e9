#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh examples/run.sh [argument of the program ...]: install what is missing, build, train a network on handwritten
# digits and measure it (condensation, sharpness under Adam, rank), draw figures. `--help` lists the arguments.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_python
need_build build
echo "Building the library and the example in build/"
if ! "$NINJA" -C build examples/digits libdyn/libdyn.so.0.1.0 >build/examples.log 2>&1; then
    tail -n 40 build/examples.log
    exit 1
fi

# Figures are drawn of the folder that the arguments name.
out=results/digits
previous=
for argument in "$@"; do
    case $argument in
        --help) exec build/examples/digits --help ;;
        --out=*) out=${argument#--out=} ;;
    esac
    [ "$previous" != --out ] || out=$argument
    previous=$argument
done

trap : INT      # Ctrl-C is for the program: it stops, and what it has measured is drawn
build/examples/digits "$@"
"$PYTHON" examples/plot_digits.py "$out"
