#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh docs/build.sh: make the site, docs/site/index.html: guide, gallery, references of Python and C, search. The
# programs of the gallery are run, links followed, pages opened where there is a Chromium. A warning is an error.
# Installs what is missing: Debian's doxygen, and Sphinx with its theme and extensions into build/docs/venv.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

SITE_WHEELS="sphinx myst-nb breathe sphinx-gallery furo numpy matplotlib pandas"

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES doxygen
need_build build
mkdir -p build/docs
"$NINJA" -C build libdyn/libdyn.so.0.1.0 >build/docs/build.log 2>&1 || { tail -n 40 build/docs/build.log; exit 1; }
venv=build/docs/venv
if [ ! -f $venv/ready ]; then
    echo "set-up: installing $SITE_WHEELS into $venv"
    /usr/bin/python3 -m venv $venv
    # shellcheck disable=SC2086
    $venv/bin/python -m pip --disable-pip-version-check -q install $SITE_WHEELS
    touch $venv/ready
fi

doxygen docs/Doxyfile
MPLBACKEND=Agg $venv/bin/python -m sphinx -W --keep-going -q -j auto -d build/docs/doctrees docs docs/site
python3 docs/check.py docs/site >build/docs/check.log || { cat build/docs/check.log; exit 1; }
echo "docs/site/index.html"
