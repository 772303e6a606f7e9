# SPDX-License-Identifier: BSD-3-Clause
"""Where libdyn.so.0 is, and whether it is the one this package was written for."""
from __future__ import annotations

import ctypes
import ctypes.util
import os
import subprocess
from pathlib import Path
from typing import Iterator

VERSION = "0.1.0"
NAME = "libdyn.so.0"
HERE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The checkout this package lies in (also inside a virtual environment of it), or None."""
    for folder in HERE.parents:
        if (folder / "include/dyn/dyn.h").is_file() and (folder / "meson.build").is_file():
            return folder
    return None


def _from_pkg_config() -> str | None:
    try:
        folder = subprocess.run(["pkg-config", "--variable=libdir", "libdyn"], capture_output=True, text=True,
                                check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.path.join(folder, NAME)


def _candidates() -> Iterator[str]:
    """In order: what the wheel carries, the build folder of the checkout, pkg-config, the dynamic linker."""
    yield from map(str, HERE.parent.glob(".dyn.mesonpy.libs/libdyn.so*"))
    root = checkout()
    if root:
        yield str(root / "build/libdyn" / NAME)
    installed = _from_pkg_config()
    if installed:
        yield installed


def _open() -> ctypes.CDLL:
    chosen = os.environ.get("DYN_LIBRARY")
    if chosen:
        return ctypes.CDLL(chosen)
    for path in _candidates():
        if os.path.exists(path):
            return ctypes.CDLL(path)
    try:
        return ctypes.CDLL(NAME)
    except OSError as error:
        raise ImportError(f"{NAME} not found: set DYN_LIBRARY to its path, or install libdyn (meson install), or "
                          "pip install this package again, which builds it") from error


def _version(library: ctypes.CDLL) -> str:
    library.dyn_version.restype = ctypes.c_char_p
    library.dyn_version.argtypes = []
    return str(library.dyn_version().decode())


def load() -> ctypes.CDLL:
    """Open the library. Raises ImportError if there is none or its version is of another series (0.1 here)."""
    library = _open()
    found = _version(library)
    if found.split(".")[:2] != VERSION.split(".")[:2]:
        raise ImportError(f"this is the package dyn {VERSION}, but {library._name} is libdyn {found}")
    return library
