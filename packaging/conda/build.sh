#!/bin/sh
# Run by conda build with PREFIX, the environment that becomes the package.
set -eu
# shellcheck disable=SC2086
meson setup build ${MESON_ARGS:---prefix=$PREFIX --libdir=lib} -Ddefault_library=shared
meson install -C build
