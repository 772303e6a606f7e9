# SPDX-License-Identifier: BSD-3-Clause
"""How the ABI is dumped and compared; one place for the options of libabigail's tools.

abidw and abidiff get the public headers, so that private types do not count. With --no-show-locs abidw 2.2 takes every
type for private, so lines and the folder of the checkout are removed from the dump afterwards. abidiff's exit code has many shades (8 is not
set for a changed argument, say): anything but 0 is a difference."""
import pathlib
import re
import shutil
import subprocess

SUPPRESSIONS = "suppressions.ini"
FROZEN_FROM = (0, 3)        # docs/abi.md: until then most of the interface is experimental, and its changes are reported
FROZEN_NOW = {"dyn_status_name", "dyn_status_text", "dyn_version"}


def all_frozen(root):
    """The version of the checkout has frozen the whole interface."""
    version = re.search(r"version: '(\d+)\.(\d+)", pathlib.Path(root, "meson.build").read_text())
    return tuple(map(int, version.groups())) >= FROZEN_FROM


def same_machine(dump, library):
    """The library is for the kind of processor that the dump names, in the words of libabigail."""
    named = re.search(r"architecture='elf-([^']*)'", pathlib.Path(dump).read_text()).group(1)
    machine = int.from_bytes(pathlib.Path(library).read_bytes()[18:20], "little")
    return machine == {"amd-x86_64": 62, "arm-aarch64": 183}.get(named)


def available():
    return shutil.which("abidw") and shutil.which("abidiff")


def dump(library, headers, output):
    subprocess.run(["abidw", "--headers-dir", headers, "--drop-private-types", "--no-corpus-path", "--no-comp-dir-path",
                    "--out-file", output, library], check=True)
    text = pathlib.Path(output).read_text()
    pathlib.Path(output).write_text(re.sub(r" (filepath|line|column)='[^']*'", "",
                                           re.sub(r" path='[^']*/(libdyn/[^']*)'", r" path='\1'", text)))


def difference(old_dump, library, headers, suppressions):
    """'' if the library keeps the ABI of the dump, else the report."""
    run = subprocess.run(["abidiff", "--headers-dir2", headers, "--drop-private-types", "--no-added-syms",
                          "--suppressions", suppressions, old_dump, library], capture_output=True, text=True)
    return "" if run.returncode == 0 else "exit code %d\n%s%s" % (run.returncode, run.stdout, run.stderr)
