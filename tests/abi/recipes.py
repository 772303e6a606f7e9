# SPDX-License-Identifier: BSD-3-Clause
"""What names the version or the needed packages agrees: build files, bindings, and the recipes of packaging/.

usage: recipes.py ROOT"""
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

ROOT = pathlib.Path(sys.argv[1])
VERSIONS = {        # where a version stands, with what before it
    "meson.build": r"version: '", "pyproject.toml": r'^version = "', "CITATION.cff": r"^version: ",
    "bindings/python/dyn/_find.py": r'^VERSION = "', "packaging/debian/changelog": r"\Alibdyn \(",
    "packaging/conda/meta.yaml": r'set version = "',
}
# Debian's names of what the recipes need, and conda-forge's.
CONDA = {"libblis-dev": "blis", "liblapack-dev": "liblapack", "librandom123-dev": "random123", "libsleef-dev": "sleef",
         "libxsmm-dev": "libxsmm", "libzip-dev": "libzip", "zlib1g-dev": "zlib", "libjansson-dev": "jansson",
         "libsqlite3-dev": "sqlite",
         "meson": "meson", "ninja-build": "ninja", "pkg-config": "pkg-config"}
COMPILERS = {"gcc", "g++", "python3-venv", "ninja-build"}       # which Debian brings to every build


def read(path):
    return (ROOT / path).read_text()


def versions(texts):
    """File: the version it names."""
    found = {path: re.search(before + r"(\d+\.\d+\.\d+)", texts[path], re.M) for path, before in VERSIONS.items()}
    return {path: match and match[1] for path, match in found.items()}


def one_version():
    found = versions({path: read(path) for path in VERSIONS})
    assert len(set(found.values())) == 1, found


def a_difference_is_seen():
    texts = {path: re.sub(r"\d+\.\d+\.\d+", "9.8.7", read(path)) for path in VERSIONS}
    texts["pyproject.toml"] = 'version = "9.8.6"'
    assert versions(texts)["pyproject.toml"] == "9.8.6" and versions(texts)["meson.build"] == "9.8.7"


def needed():
    """The packages that README.md and the set-up name."""
    return re.search(r'LIBRARY_PACKAGES="([^"]*)"', read("tests/setup.sh"))[1].split()


def recipes_name_every_need():
    control, recipe = read("packaging/debian/control"), read("packaging/conda/meta.yaml")
    missing = [name for name in needed()
               if name not in COMPILERS and not re.search(r"[\s,]%s\b" % re.escape(name), control)]
    missing += [CONDA[name] for name in needed() if name in CONDA and not re.search(r'["\s]%s\b' % CONDA[name], recipe)]
    assert not missing, missing


def the_page_names_every_need():
    missing = [name for name in needed() for page in ("README.md", "docs/guide.md") if name not in read(page)]
    assert not missing, missing


checks.run([(f.__name__, f) for f in (one_version, a_difference_is_seen, recipes_name_every_need,
                                      the_page_names_every_need)])
