"""Takes packages from Pyodide's own distribution, which an operator has unpacked.

It has what no index has: NumPy and much else, compiled for one version of Pyodide. Only what a
study names, and what that needs, is served, with a lock that is reduced to it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.errors import PackageError
from app.python.parts import Distribution
from app.python.target import read_pyodide_lock
from app.studies.requirements import normal_name

PYODIDE_LOCK = "pyodide-lock.json"


def with_dependencies(pyodide_lock: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The entries of packages and of all that they need, sorted by name.

    Args:
        pyodide_lock: Pyodide's lock.
        names: the packages, in any spelling.

    Raises:
        PackageError: there is no such package in Pyodide's distribution.
    """
    packages: Mapping[str, Any] = pyodide_lock["packages"]
    entries: dict[str, Any] = {}
    waiting = [normal_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in entries:
            continue
        if name not in packages:
            raise PackageError(
                f"Pyodide's distribution has no package {name!r}: take it out of"
                " distribution_packages, or name it in packages."
            )
        entries[name] = packages[name]
        waiting += [normal_name(needed) for needed in packages[name]["depends"]]
    return dict(sorted(entries.items()))


def supplied_versions(pyodide_lock: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """The version of each package that comes with those of a distribution, by name.

    Raises:
        PackageError: there is no such package in Pyodide's distribution.
    """
    entries = with_dependencies(pyodide_lock, names)
    # What is no Python package (a shared library, for instance) has a file of another kind.
    return {
        name: str(entry["version"])
        for name, entry in entries.items()
        if str(entry["file_name"]).endswith(".whl")
    }


def read_distribution(folder: Path, names: Sequence[str], ours: Mapping[str, Any]) -> Distribution:
    """What is served of an unpacked distribution.

    Args:
        folder: the distribution.
        names: the packages of the study.
        ours: the lock of the Pyodide that is served.

    Raises:
        PackageError: it is of another Pyodide, lacks a file, or has one that is not what its lock
            says.
        GraceError: there is no lock in the folder.
    """
    theirs = read_pyodide_lock(folder / PYODIDE_LOCK)
    entries = with_dependencies(theirs, names)
    served = ours["packages"]
    if theirs["info"] != ours["info"] or any(
        name in served and served[name]["version"] != entry["version"]
        for name, entry in entries.items()
    ):
        raise PackageError(
            f"{folder} is the distribution of another Pyodide (Python"
            f" {theirs['info'].get('python')}): take the release of the Pyodide that is served"
            f" (Python {ours['info'].get('python')}, ABI {ours['info'].get('abi_version')})."
        )
    files: dict[str, Path | bytes] = {}
    for name, entry in entries.items():
        filename = str(entry["file_name"])
        # A lock may name an address; and nothing is served that lies elsewhere.
        if filename != Path(filename).name or "\\" in filename:
            raise PackageError(f"{folder / PYODIDE_LOCK}: the file of {name!r} is {filename!r}.")
        file = folder / filename
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise PackageError(
                f"{file} cannot be read ({error.strerror}): unpack the full distribution of"
                " Pyodide, with all its packages."
            ) from error
        if digest != entry["sha256"]:
            raise PackageError(f"{file} is not what its lock says: unpack it again.")
        files[filename] = file
    lock = {"info": theirs["info"], "packages": entries}
    files[PYODIDE_LOCK] = json.dumps(lock, sort_keys=True, indent=1).encode()
    return Distribution(tuple(normal_name(name) for name in names), files)
