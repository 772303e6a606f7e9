#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh examples/programs/compare.sh [NAME ...] [--pairs N]: install what is missing, PyTorch and SciPy too, build, run the
# programs of this folder in pairs with their peers, and write docs/programs.md from what comes out. Slow.
set -eu
cd "$(dirname "$0")/../.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_python
"$PYTHON" -c "import torch, scipy" 2>/dev/null || "$PYTHON" -m pip --disable-pip-version-check -q install torch scipy
need_build build
"$NINJA" -C build libdyn/libdyn.so.0.1.0 examples/three_threads >build/compare.log 2>&1 || { tail -n 40 build/compare.log; exit 1; }
"$PYTHON" examples/programs/compare.py "$@"
