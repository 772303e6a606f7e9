# SPDX-License-Identifier: BSD-3-Clause
#
# Set-up shared by examples/run.sh and tests/run.sh, which read this file with the root of the checkout as working
# directory. Each function looks first and installs only what is missing. Works as root or with sudo. Sets: MESON,
# NINJA (Debian's, wherever others stand in PATH) and PYTHON (that of the virtual environment .venv).

LIBRARY_PACKAGES="gcc g++ meson ninja-build pkg-config libblis-dev liblapack-dev librandom123-dev libsleef-dev
    libxsmm-dev libzip-dev zlib1g-dev python3-venv"
WHEELS="numpy matplotlib tqdm"

MESON=/usr/bin/meson
NINJA=/usr/bin/ninja
PYTHON=.venv/bin/python
export NINJA

fail() {
    echo "set-up: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "not root and no sudo; as root, please run: $*"
    fi
}

# need_packages NAME...: Debian packages.
need_packages() {
    command -v dpkg-query >/dev/null || fail "this is not Debian; please install the counterparts of: $*"
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
            *"ok installed") ;;
            *) missing="$missing $package" ;;
        esac
    done
    [ -z "$missing" ] && return
    echo "set-up: installing the Debian packages$missing"
    as_root apt-get -qq update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
        install $missing >/dev/null
}

# The virtual environment with its wheels, and the package dyn in it, as new as its sources.
need_python() {
    if [ ! -x $PYTHON ]; then
        echo "set-up: making the virtual environment .venv"
        /usr/bin/python3 -m venv .venv
    fi
    if ! $PYTHON -c "import $(echo "$WHEELS" | tr ' ' ',')" 2>/dev/null; then
        echo "set-up: installing $WHEELS into .venv"
        # shellcheck disable=SC2086
        $PYTHON -m pip --disable-pip-version-check -q install $WHEELS
    fi
    [ -f bindings/python/pyproject.toml ] || return 0
    if [ ! -f .venv/dyn.stamp ] || [ -n "$(find bindings/python -name '*.py' -newer .venv/dyn.stamp)" ]; then
        echo "set-up: installing the package dyn into .venv"
        $PYTHON -m pip --disable-pip-version-check -q install --no-deps --force-reinstall ./bindings/python
        touch .venv/dyn.stamp
    fi
}

# need_build FOLDER OPTION...: a build folder configured with these options, whoever made it. The debug information
# costs no speed.
need_build() {
    folder=$1
    shift
    set -- -Dbuildtype=release -Ddebug=true -Ddefault_library=both -Dtests=true "$@"
    [ "$(cat "$folder/options" 2>/dev/null)" = "$*" ] && return
    echo "set-up: configuring $folder"
    if [ -f "$folder/build.ninja" ]; then
        $MESON configure "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
    else
        $MESON setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
    fi
    echo "$*" >"$folder/options"
    rm "$folder.log"
}
