#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/bench/run.sh [--quick] [--only P1,P6] [--rounds N]: install the peers into .venv-bench, build, measure
# libdyn and the peers in turn, and write docs/performance.md with its plots. See README.md. Leave the machine alone
# meanwhile.
set -eu
cd "$(dirname "$0")/../.."
. tests/setup.sh

peers=.venv-bench
# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
if ! cmp -s tests/bench/peers.txt $peers/installed; then
    echo "set-up: installing the peers into $peers"
    /usr/bin/python3 -m venv $peers
    echo '*' >$peers/.gitignore
    $peers/bin/pip --disable-pip-version-check -q install -r tests/bench/peers.txt
    $peers/bin/pip --disable-pip-version-check -q install --no-deps pyhessian==0.1
    cp tests/bench/peers.txt $peers/installed
fi
build=${DYN_BENCH_BUILD:-build}
need_build "$build"
"$NINJA" -C "$build" tests/bench/dyn-bench tests/bench/dyn-limits >/dev/null
DYN_LIBRARY=$(cd "$build" && pwd)/libdyn/libdyn.so.0
PYTHONPATH=$PWD/bindings/python
export DYN_LIBRARY PYTHONPATH
exec $peers/bin/python tests/bench/run.py "$build" "$@"
