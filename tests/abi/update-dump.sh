#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/abi/update-dump.sh BUILD: write the ABI dump and the layouts of this release from a build with debug
# information. For releases only: renewed on every change they would hide the breaks they are to show.
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
version=$(sed -n "s/.*version: '\([0-9]*\.[0-9]*\)\..*/\1/p" ../../meson.build | head -n 1)
python3 -c "import abi; abi.dump('$build/libdyn/libdyn.so', '../../include', 'libdyn-$version.abi.xml')"
"$build/tests/abi-layout" json >"libdyn-$version.layout.json"
