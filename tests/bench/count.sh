#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# count.sh PROGRAM COUNTS [--update]: instructions per unit of small workloads, counted by callgrind inside
# libdyn's call that does the work, with AVX2 (valgrind knows no AVX-512) and one thread. Fails where a count is more
# than 10 % above the one in the file COUNTS; a count 10 % below asks for a new file. A line of it: name, units of
# work, function, count, request. --update prints the file with the counts as they are now. The counts are those of
# GCC's code: DYN_COMPILER, if set, is Meson's name of the compiler that made PROGRAM.
set -u
program=$1
counts=$2
update=${3:-}
if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: nothing is counted"
    exit 77
fi
if ! grep -q avx2 /proc/cpuinfo; then
    echo "the counts are those of AVX2, which this machine lacks"
    exit 77
fi
if [ "${DYN_COMPILER:-gcc}" != gcc ]; then
    echo "the counts are those of GCC, not of $DYN_COMPILER"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
total=0

# count FUNCTION REQUEST: instructions executed inside FUNCTION; nothing if something failed.
count() {
    printf 'prepare %s\nquit\n' "$2" | LD_BIND_NOW=1 valgrind --tool=callgrind --callgrind-out-file="$work/out" \
        --collect-atstart=no --toggle-collect="$1" "$program" 2 1 >"$work/answer" 2>"$work/log" || return
    awk '/^(totals|summary):/ { n = $2 } END { print n }' "$work/out"
}

while read -r name units function expected request; do
    case $name in '#'* | '') [ -n "$update" ] && echo "$name $units $function $expected $request"; continue ;; esac
    found=$(count "$function" "$request")
    total=$((total + 1))
    if [ -z "$found" ] || [ "$found" -eq 0 ]; then
        echo "not ok - $name: nothing was counted"
        cat "$work/answer" "$work/log"
        failed=$((failed + 1))
        continue
    fi
    found=$((found / units))
    if [ -n "$update" ]; then
        echo "$name $units $function $found $request"
    elif [ $((found * 10)) -gt $((expected * 11)) ]; then
        echo "not ok - $name: $found instructions, $expected expected"
        failed=$((failed + 1))
    else
        echo "ok - $name: $found instructions, $expected expected"
        [ $((found * 10)) -lt $((expected * 9)) ] && echo "# better than expected: please update counts.txt"
    fi
done <"$counts"
[ -n "$update" ] || echo "$((total - failed)) passed, $failed failed"
[ $failed -eq 0 ]
