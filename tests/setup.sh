# SPDX-License-Identifier: BSD-3-Clause
#
# Set-up shared by examples/run.sh and tests/run.sh, which read this file with the root of the checkout as working
# directory. Each function looks first and installs only what is missing: as root, with sudo, or else it says what to
# do. Sets: MESON, NINJA (Debian's, wherever others stand in PATH) and PYTHON (that of the virtual environment .venv).

LIBRARY_PACKAGES="gcc g++ meson ninja-build pkg-config libblis-dev liblapack-dev librandom123-dev libsleef-dev
    libxsmm-dev libzip-dev zlib1g-dev libjansson-dev libsqlite3-dev python3-venv"
WHEELS="numpy matplotlib tqdm pandas loky cloudpickle"

PYTHON=.venv/bin/python

fail() {
    echo "set-up: $*" >&2
    exit 1
}

# Debian's tools stand in /usr/bin; elsewhere they are taken from PATH.
tool() {
    if [ -x "/usr/bin/$1" ]; then echo "/usr/bin/$1"; else echo "$1"; fi
}
MESON=$(tool meson)
NINJA=$(tool ninja)
export NINJA

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages NAME...: Debian packages. On other systems their counterparts are taken to be there.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "set-up: this is not Debian: going on with what is installed; the packages there are: $*"
        return
    fi
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
            *"ok installed") ;;
            *) missing="$missing $package" ;;
        esac
    done
    [ -z "$missing" ] && return
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        fail "not root and no sudo; as root, please run: apt-get update && apt-get install$missing"
    echo "set-up: installing the Debian packages$missing"
    as_root apt-get -qq update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
        install $missing >/dev/null
}

# The virtual environment with its wheels, and in it the package dyn as it lies in this checkout, with the library of
# the folder build.
need_python() {
    if [ ! -x $PYTHON ]; then
        echo "set-up: making the virtual environment .venv"
        "$(tool python3)" -m venv .venv
    fi
    if ! $PYTHON -c "import $(echo "$WHEELS" | tr ' ' ',')" 2>/dev/null; then
        echo "set-up: installing $WHEELS into .venv"
        # shellcheck disable=SC2086
        $PYTHON -m pip --disable-pip-version-check -q install $WHEELS
    fi
    site=$($PYTHON -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    [ ! -d "$site/dyn" ] || $PYTHON -m pip --disable-pip-version-check -q uninstall -y dyn
    echo "$PWD/bindings/python" >"$site/dyn.pth"
}

# need_build FOLDER OPTION...: a build folder configured with these options, whoever made it. The debug information
# costs no speed.
need_build() {
    folder=$1
    shift
    set -- -Dbuildtype=release -Ddebug=true -Ddefault_library=both -Dtests=true -Dexamples=true "$@"
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
