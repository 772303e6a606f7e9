#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/install/run.sh BUILD: install the library of a build folder to a new prefix and build programs outside the
# tree against it: C and C++, with the shared and with the static library, as a Meson subproject, and with -static. Run
# them all.
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
meson=/usr/bin/meson
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# check NAME COMMAND...: the command must succeed. (A function run from here is not under set -e: chain with &&.)
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

# The build keeps its own prefix: the files are taken from DESTDIR to another place, to which libdyn.pc follows.
install_to_prefix() {
    configured=$($meson introspect --buildoptions "$build" |
        python3 -c "import json, sys; print(next(o['value'] for o in json.load(sys.stdin) if o['name'] == 'prefix'))")
    DESTDIR=$work/root $meson install -C "$build" --no-rebuild &&
        mv "$work/root$configured" "$work/prefix" &&
        pc=$(find "$work/prefix" -name libdyn.pc)
    PKG_CONFIG_PATH=$(dirname "$pc")
    libdir=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH
    [ -f "$libdir/libdyn.so.0" ] && [ -f "$libdir/libdyn.a" ]
}

# program COMPILER SOURCE OUTPUT PKG_CONFIG_ARGUMENT...
program() {
    compiler=$1 source=$2 output=$3
    shift 3
    # shellcheck disable=SC2046
    $compiler -Wall -Wextra -Werror -o "$output" "$source" $(pkg-config --cflags --libs "$@" libdyn)
}

# Private needs are nobody else's: nothing but libdyn.pc is in sight here.
shared() {
    PKG_CONFIG_LIBDIR=$PKG_CONFIG_PATH program "$1" "$2" "$work/shared" &&
        LD_LIBRARY_PATH=$libdir "$work/shared" &&
        readelf -d "$work/shared" | grep -q 'libdyn.so.0'
}

# Without libdyn.so beside it the linker can only take the archive.
static() {
    mkdir "$work/hidden" && mv "$libdir"/libdyn.so* "$work/hidden"
    program "$1" "$2" "$work/static" --static && "$work/static"
    code=$?
    mv "$work/hidden"/libdyn.so* "$libdir" && rmdir "$work/hidden"
    return $code
}

# find_package(libdyn) in a project that lists the same programs.
with_cmake() {
    cp program.c program.cpp CMakeLists.txt "$work/cmake" &&
        cmake -S "$work/cmake" -B "$work/cmake/build" -Dlibdyn_DIR="$libdir/cmake/libdyn" &&
        cmake --build "$work/cmake/build" &&
        for one in shared shared-cpp static; do
            "$work/cmake/build/$one" || return 1
        done
}

# Without SLEEF and libzip, of which Debian has no archives: see fully_static.
subproject() {
    mkdir -p "$work/project/subprojects" &&
        ln -s "$root" "$work/project/subprojects/libdyn" &&
        cp program.c program.cpp "$work/project" &&
        cp subproject.build "$work/project/meson.build" &&
        $meson setup --wrap-mode=forcefallback -Dlibdyn:sleef=disabled -Dlibdyn:libzip=disabled \
            "$work/project/build" "$work/project" &&
        "${NINJA:-ninja}" -C "$work/project/build" consumer consumer-cpp &&
        "$work/project/build/consumer" &&
        "$work/project/build/consumer-cpp"
}

# No shared library at all, by the archive of the subproject's build and its libdyn-uninstalled.pc.
fully_static() {
    built=$work/project/build/subprojects/libdyn
    "${NINJA:-ninja}" -C "$work/project/build" subprojects/libdyn/libdyn/libdyn.a &&
        PKG_CONFIG_PATH=$built/packaging program "cc -std=c11 -static" program.c "$work/alone" --static &&
        "$work/alone" &&
        ! readelf -d "$work/alone" | grep -q NEEDED
}

# LAPACK and the C library as archives are what a system may lack.
archives_there() {
    echo 'int main(void) { return 0; }' >"$work/empty.c"
    cc -static -o "$work/empty" "$work/empty.c" -llapack 2>/dev/null
}

headers_complete() {
    { (cd "$root/include" && ls dyn/*.h) && echo dyn/dyn.hpp; } >"$work/ours"
    [ -z "$(find "$work/prefix" -name 'libdyn-mpi.so*')" ] || (cd "$root/bindings/mpi" && ls dyn/*.h) >>"$work/ours"
    sort -o "$work/ours" "$work/ours"
    (cd "$work/prefix/include" && ls dyn/*) | sort >"$work/theirs"
    diff "$work/ours" "$work/theirs"
}

check "install to a prefix" install_to_prefix
check "all public headers are installed" headers_complete
check "C, shared" shared "cc -std=c11" program.c
check "C++17, shared" shared "c++ -std=c++17" program.cpp
check "C, static" static "cc -std=c11" program.c
check "C++17, static" static "c++ -std=c++17" program.cpp
check "Meson subproject" subproject
if archives_there; then
    check "C, fully static (-static)" fully_static
else
    echo "skipped - C, fully static (no archives of LAPACK and the C library)"
fi
if command -v cmake >/dev/null && cmake --version >/dev/null 2>&1; then
    mkdir "$work/cmake"
    check "CMake" with_cmake
else
    echo "skipped - CMake (not installed)"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
