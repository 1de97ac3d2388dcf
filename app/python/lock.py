"""Reads and writes `packages.lock`: which wheels a study gets, each with its hash.

The file lies beside the study and belongs into its version control. It says what the wheels are and
not where they came from, so that it means the same on every machine.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import PackageError
from app.python.target import Target
from app.python.wheels import wheel_name

LOCK_NAME = "packages.lock"
STUDY = "the study"
"""Who has asked for a package that the study names itself."""

_FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD = f"""\
# The wheels of this study's packages. Written by `grace-server packages`; keep it with the study.
lock = {_FORMAT}
"""


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One wheel.

    Attributes:
        file: its file name.
        sha256: of its content, in hexadecimal.
        size: its bytes.
        requested_by: the packages that need it, or STUDY.
    """

    file: str
    sha256: str
    size: int
    requested_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """The package, in its one spelling."""
        return wheel_name(self.file).name

    @property
    def version(self) -> str:
        """Its version."""
        return wheel_name(self.file).version

    @property
    def pure(self) -> bool:
        """Whether it is a pure wheel, and not one of WebAssembly."""
        return wheel_name(self.file).pure

    @property
    def pin(self) -> str:
        """Exactly this version, as a requirement."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class PackageLock:
    """What was asked for, and which wheels that gave.

    Attributes:
        python: major and minor version of the Python that they were chosen for.
        abi: what WebAssembly wheels were chosen for.
        packages: the study's `packages`.
        distribution_packages: the study's `distribution_packages`.
        wheels: all wheels, sorted by name.
    """

    python: str
    abi: str
    packages: tuple[str, ...]
    distribution_packages: tuple[str, ...]
    wheels: tuple[LockedPackage, ...]

    def misfit(
        self, packages: tuple[str, ...], distribution_packages: tuple[str, ...], target: Target
    ) -> str | None:
        """What has changed since the lock was written, as half a sentence; None when it fits."""
        if sorted(self.packages) != sorted(packages):
            return "was written for other packages"
        if sorted(self.distribution_packages) != sorted(distribution_packages):
            return "was written for other distribution_packages"
        if (self.python, self.abi) != (target.version, target.abi):
            return f"was written for Python {self.python} ({self.abi}), and not {target.version}"
        return None


def lock_text(lock: PackageLock) -> str:
    """The lock as text (TOML); equal for equal locks."""
    lines = [
        _HEAD,
        f"python = {_toml(lock.python)}\n",
        f"abi = {_toml(lock.abi)}\n",
        f"packages = {_toml_list(lock.packages)}\n",
        f"distribution_packages = {_toml_list(lock.distribution_packages)}\n",
    ]
    for wheel in lock.wheels:
        lines += [
            "\n[[wheel]]\n",
            f"name = {_toml(wheel.name)}\n",
            f"version = {_toml(wheel.version)}\n",
            f"file = {_toml(wheel.file)}\n",
            f"sha256 = {_toml(wheel.sha256)}\n",
            f"size = {wheel.size}\n",
            f"requested_by = {_toml_list(wheel.requested_by)}\n",
        ]
    return "".join(lines)


def read_lock(file: Path) -> PackageLock | None:
    """The lock in a file, or None when there is no such file.

    Raises:
        PackageError: it is no lock that this version reads.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PackageError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise PackageError(f"{file} is no lock: {error}. Write it anew.") from error
    try:
        return _lock_of(content)
    except (KeyError, TypeError, ValueError, PackageError) as error:
        raise PackageError(f"{file} is no lock that this version reads. Write it anew.") from error


def _lock_of(content: Mapping[str, Any]) -> PackageLock:
    if content["lock"] != _FORMAT:
        raise ValueError(content["lock"])
    wheels = tuple(_wheel_of(entry) for entry in content.get("wheel", []))
    return PackageLock(
        python=_string(content["python"]),
        abi=_string(content["abi"]),
        packages=_strings(content["packages"]),
        distribution_packages=_strings(content["distribution_packages"]),
        wheels=wheels,
    )


def _wheel_of(entry: Mapping[str, Any]) -> LockedPackage:
    wheel = LockedPackage(
        file=_string(entry["file"]),
        sha256=_string(entry["sha256"]),
        size=int(entry["size"]),
        requested_by=_strings(entry["requested_by"]),
    )
    if _SHA256.fullmatch(wheel.sha256) is None:
        raise ValueError(wheel.sha256)
    if (wheel.name, wheel.version) != (entry["name"], entry["version"]):
        raise ValueError(wheel.file)
    return wheel


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(_string(item) for item in value)


def _toml(text: str) -> str:
    """A basic string of TOML: JSON's strings are such, without the letters that JSON may keep."""
    return json.dumps(text)


def _toml_list(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(_toml(text) for text in texts)}]"
