#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh docs/tutorials.sh [NAME ...]: install what is missing, build, run the tutorials of docs/tutorials and store them with
# their outputs for the site. Slow: one of them needs PyTorch.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_python
"$PYTHON" -c "import torch, nbclient, ipykernel" 2>/dev/null ||
    "$PYTHON" -m pip --disable-pip-version-check -q install torch nbclient ipykernel
need_build build
"$NINJA" -C build libdyn/libdyn.so.0.1.0 >build/tutorials.log 2>&1 || { tail -n 40 build/tutorials.log; exit 1; }
"$PYTHON" docs/tutorials.py "$@"
