#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh tests/platforms.sh [PLATFORM ...]: build and test on other systems, compilers, C libraries and processors, in
# minimal Debian roots (debootstrap) under DYN_ROOTS, by default /var/tmp/libdyn-roots, which are kept. A slow suite:
# hours for all. As root; what this machine cannot do is skipped, with the reason. The committed files are tested. Last
# line: the sum. sh tests/platforms.sh --page writes the table of docs/platforms.md from what passed; platforms.txt has
# the names.
set -eu
cd "$(dirname "$0")/.."
roots=${DYN_ROOTS:-/var/tmp/libdyn-roots}
LIBRARIES="libblis-dev liblapack-dev libsleef-dev libzip-dev zlib1g-dev libjansson-dev libsqlite3-dev"
TOOLS="gcc g++ meson ninja-build pkg-config python3-numpy"
passed=0
failed=0

skip() {
    echo "skipped - $platform: $*"
    exit 77
}

# root RELEASE: a minimal root with the committed files in /src.
root() {
    r=$roots/$1
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    command -v debootstrap >/dev/null || skip "needs debootstrap"
    if [ ! -f "$r/ready" ]; then
        mkdir -p "$roots"
        debootstrap --variant=minbase "$1" "$r" || skip "debootstrap $1 failed"
        touch "$r/ready"
    fi
    mkdir -p "$r/src" "$r/etc/ssl/certs"
    find "$r/src" -mindepth 1 -maxdepth 1 ! -name 'build*' ! -name .git ! -name .venv -exec rm -r {} +
    git archive HEAD | tar x -C "$r/src"
    for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
        [ ! -f $file ] || cp $file "$r$file"
    done
}

# inside COMMANDS: run them in the root made last, in /src, with mounts that go when they end.
inside() {
    # shellcheck disable=SC2016
    unshare --mount sh -c 'mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
        HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        exec chroot "$1" sh -euc "cd /src; $2"' sh "$r" "$1"
}

packages() {
    inside "apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $* >/dev/null"
}

QUICK="--suite unit --suite kernel --suite diff --suite abi --suite bindings"

# built FOLDER OPTIONS [VARIABLES [TESTS]]: build there with the tests, no warnings, and pass these or the quick suites.
built() {
    inside "[ -f $1/build.ninja ] || ${3-} meson setup $1 -Dtests=true -Dwerror=true $2
        ninja -C $1
        python3 tests/suites.py $1 ${4-$QUICK}"
}

debian12() { root bookworm && inside "sh tests/run.sh"; }
debian13() { root trixie && inside "sh tests/run.sh"; }

# by COMPILER PACKAGE...: built with it, and the quick suites.
by() {
    compiler=$1
    shift
    packages $TOOLS $LIBRARIES librandom123-dev libomp-dev "$@" &&
        built "build-$compiler" "" "CC=$compiler CXX=$(echo "$compiler" | sed 's/clang/clang++/; s/gcc/g++/')"
}

gcc11() { root bookworm && by gcc-11 gcc-11 g++-11; }
clang14() { root bookworm && by clang-14 clang-14; }
clang19() { root trixie && by clang-19 clang-19; }

# everything COMPILER...: each takes every file of library, tests and examples without a warning, making nothing of it:
# what compilers make is tested with those above. (clang finds BLIS's omp.h with libomp-dev.)
everything() {
    packages $TOOLS $LIBRARIES librandom123-dev libxsmm-dev libomp-dev "$@"
    for compiler in "$@"; do
        case $compiler in
            g++-*) continue ;;
            clang*) cxx=$(echo "$compiler" | sed s/clang/clang++/) ;;
            *) cxx=$(echo "$compiler" | sed s/gcc/g++/) ;;
        esac
        inside "rm -rf build-$compiler; CC=$compiler CXX=$cxx meson setup build-$compiler -Doptimization=0 \
            -Dtests=true -Dexamples=true -Dwerror=true && python3 tests/syntax.py build-$compiler" || return 1
    done
}

compilers12() { root bookworm && everything gcc-11 g++-11 gcc-12 g++-12 clang-14 clang-15 clang-16; }
compilers13() { root trixie && everything gcc-13 g++-13 gcc-14 g++-14 clang-17 clang-18 clang-19; }

BARE="-Dblis=disabled -Dsleef=disabled -Dlibxsmm=disabled -Dlibzip=disabled -Dzlib=disabled \
    -Djansson=disabled -Dsqlite=disabled"

# Nothing that may be missing.
bare() { root bookworm && packages $TOOLS liblapack-dev librandom123-dev && built build-bare "$BARE"; }

# All but one of what may be missing.
without() {
    root bookworm && packages $TOOLS $LIBRARIES librandom123-dev libxsmm-dev
    for one in blis sleef libxsmm libzip zlib jansson sqlite; do
        inside "rm -rf build-without; meson setup build-without -Doptimization=0 -Dwerror=true -D$one=disabled &&
            ninja -C build-without" || return 1
    done
}

# Compiled for BLIS 0.9, run with 1.1: the product goes without it.
newer_blis() {
    root bookworm && packages $TOOLS liblapack-dev libblis-dev librandom123-dev
    inside "meson setup build-blis -Dtests=true $(echo "$BARE" | sed 's/-Dblis=disabled//') ||:
        ninja -C build-blis tests/kernel-gemm tests/unit-base_context"
    from=$r/src/build-blis/tests
    root trixie && packages libblis4 liblapack3
    cp "$from/kernel-gemm" "$from/unit-base_context" "$r/tmp"
    inside "/tmp/kernel-gemm && /tmp/unit-base_context"
}

# The committed cross file, with programs run by qemu, which takes thirty times as long: not the slow ones.
EMULATED="elementwise move reduce update primitives base_context base_environment base_file base_pool data_array \
    data_files random_draw graph_array model_initialise model_perceptron optim_rules train_run train_checkpoint \
    plan_sums cpp layout options calls"

aarch64() {
    root bookworm
    inside "dpkg --add-architecture arm64"
    # shellcheck disable=SC2046
    packages $TOOLS librandom123-dev gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user \
        libstdc++6:arm64 $(echo "$LIBRARIES " | sed 's/ /:arm64 /g')
    built build-aarch64 "--cross-file packaging/cross/aarch64.ini" "" "$EMULATED"
}

# No package of LAPACK is built for musl in Debian: every file is compiled, nothing linked.
musl() {
    root bookworm && packages $TOOLS musl-tools librandom123-dev
    inside 'mkdir -p build-musl/base && printf "#define DYN__%s\n" "HAVE_SQLITE 0" \
            "SLEEF_VERSION \"no\"" "XSMM_VERSION \"no\"" >build-musl/base/have.h
        ln -sfn /usr/include/Random123 build-musl/Random123
        for file in $(find libdyn -name "*.c" ! -name variant.c ! -name npz.c ! -name npz_write.c \
            ! -name safetensors.c ! -name safetensors_write.c ! -path "*/sweep/store.c"); do
            musl-gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -I. -Ilibdyn -Ibuild-musl -fsyntax-only \
                -DDYN__HAVE_BLIS=0 -DDYN__HAVE_SLEEF=0 -DDYN__HAVE_XSMM=0 -DDYN__HAVE_ZIP=0 -DDYN__HAVE_ZLIB=0 \
                -DDYN__HAVE_JANSSON=0 $file
        done'
}

# One wheel for every Python; checkout, source archive and wheels installed.
pip() {
    root bookworm && packages $TOOLS $LIBRARIES librandom123-dev libxsmm-dev python3-venv git
    inside "git config --global --add safe.directory /src
        git config --global user.name x; git config --global user.email x@x
        [ -d .git ] || git init -q; git add -A; git commit -qm x ||:
        sh tests/install/pip.sh"
}

# Debian's packages: built, installed, and tested as autopkgtest does.
debian_packages() {
    root bookworm && packages build-essential debhelper dh-python meson python3-numpy autopkgtest $LIBRARIES \
        librandom123-dev libxsmm-dev
    inside "rm -rf /tmp/packages && mkdir -p /tmp/packages/src
        cp -r bindings docs examples include libdyn packaging tests *.* COPYING /tmp/packages/src
        cd /tmp/packages/src && cp -r packaging/debian debian
        DEB_BUILD_OPTIONS='nocheck noopt' dpkg-buildpackage --build=binary --no-sign
        autopkgtest --test-name=programs --test-name=package /tmp/packages/*.deb ./ -- null"
}

# field NAME NUMBER: of a line of platforms.txt.
field() { sed -n "s/^$1 | //p" tests/platforms.txt | awk -F ' [|] ' -v n="$2" '{ print $n }'; }

# The line of docs/platforms.md for a platform that passed: what, with which versions, what was run, of which day.
row() {
    r=$roots/$(field "$1" 1)
    # shellcheck disable=SC2046
    versions=$(chroot "$r" dpkg-query -W -f '${Package} ${Version}\n' $(field "$1" 4) 2>/dev/null |
        sed 's/ [0-9]*:/ /; s/[-+~][^ ]*$//' | sort -u | paste -sd, - | sed 's/,/, /g')
    echo "| $(field "$1" 2) | $versions | $(field "$1" 3) | $(git show -s --format=%cs HEAD) |"
}

# The table in docs/platforms.md anew, from all that has passed in these roots.
page() {
    names=$(sed -n 's/^\([a-z0-9_]*\) | .*/\1/p' tests/platforms.txt)
    {
        sed '/^| platform | versions/,$d' docs/platforms.md
        echo "| platform | versions | what was run | of the sources of |"
        echo "|---|---|---|---|"
        for name in $names; do cat "$roots/$name.row" 2>/dev/null ||:; done
        sed '1,/^| platform | versions/d' docs/platforms.md | sed '1,/^$/ { /^|/d }'
    } >"$roots/page" && cat "$roots/page" >docs/platforms.md
}

run() {
    platform=$1
    log=$roots/$platform.log
    mkdir -p "$roots" 2>/dev/null || { log=/dev/null; }
    code=0
    ( "$platform" ) >"$log" 2>&1 || code=$?
    if [ $code -eq 0 ]; then
        row "$platform" >"$roots/$platform.row"
        echo "ok - $platform"
        passed=$((passed + 1))
    elif [ $code -eq 77 ]; then
        grep '^skipped' "$log"
    else
        tail -n 40 "$log" | sed 's/^/# /'
        echo "not ok - $platform ($log)"
        failed=$((failed + 1))
    fi
}

if [ "${1-}" = --page ]; then
    page
    exit
fi
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(sed -n 's/^\([a-z0-9_]*\) | .*/\1/p' tests/platforms.txt)
for each in "$@"; do
    run "$each"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
