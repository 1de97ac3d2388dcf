"""Small wheels, and a package index that is a folder."""

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from app.errors import PackageError
from app.python.index import For, Index, NothingFits
from app.python.target import Target
from app.python.wheels import wheel_metadata, wheel_name

TARGET = Target(python="3.14.2", abi="2026_0", emscripten="5.0.3")
WEBASSEMBLY = "cp314-cp314-pyemscripten_2026_0_wasm32"
LINUX = f"cp{sys.version_info[0]}{sys.version_info[1]}-none-linux_x86_64"


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    requires_python: str | None = None,
    tag: str = "py3-none-any",
    files: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write a wheel with one module, equal byte for byte each time."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{version}"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    metadata += [f"Requires-Dist: {one}\n" for one in requires]
    metadata += [] if requires_python is None else [f"Requires-Python: {requires_python}\n"]
    content: dict[str, str | bytes] = {
        f"{name}.py": f"version = {version!r}\n",
        **(files or {}),
        f"{stem}.dist-info/METADATA": "".join(metadata),
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{stem}.dist-info/RECORD": "",
    }
    path = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, data in content.items():
            wheel.writestr(zipfile.ZipInfo(member), data)
    return path


def make_zip(path: Path, members: Sequence[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    """Write a zip file of members that no wheel should have."""
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members:
            archive.writestr(member, data)
    return path


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def use_folder_as_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip know no index but a folder, and no settings of this machine."""
    for name in ("PIP_CONSTRAINT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


class FolderIndex(Index):
    """An index without pip, which takes seconds: a folder, and the newest of what fits.

    Like pip it evaluates markers for this machine, and unlike it it never tries an older version of
    what was chosen already.
    """

    def __init__(self, folder: Path, target: Target = TARGET) -> None:
        super().__init__(target)
        self.shelf = folder
        self.fetched: list[str] = []

    def download(
        self,
        requirements: Iterable[str],
        folder: Path,
        *,
        constraints: Iterable[str] = (),
        more_wheels: Path | None = None,
    ) -> list[Path]:
        """Copy what is needed."""
        limits = {one.name: one.specifier for one in map(Requirement, constraints)}
        waiting: list[tuple[Requirement, str | None]]
        waiting = [(Requirement(one), None) for one in requirements]
        chosen: dict[str, Path] = {}
        done: set[str] = set()
        while waiting:
            requirement, asking = waiting.pop(0)
            if str(requirement) in done:
                continue
            done.add(str(requirement))
            limit = requirement.specifier & limits.get(requirement.name, requirement.specifier)
            candidates = [
                wheel
                for place in (self.shelf, more_wheels)
                for wheel in ([] if place is None else sorted(place.glob("*.whl")))
                if wheel_name(wheel.name).name == requirement.name and self._fits(wheel)
            ]
            if requirement.name in chosen:
                candidates = [chosen[requirement.name]]
            fitting = [one for one in candidates if limit.contains(wheel_name(one.name).version)]
            if not fitting:
                raise NothingFits(requirement, asking)
            wheel = max(fitting, key=lambda one: Version(wheel_name(one.name).version))
            chosen[requirement.name] = wheel
            waiting += [
                (needed, requirement.name)
                for needed in wheel_metadata(wheel).requires
                for extra in ("", *requirement.extras)
                if needed.url is None
                and (needed.marker is None or needed.marker.evaluate({"extra": extra}))
            ]
        folder.mkdir(exist_ok=True)
        return [Path(shutil.copy(wheel, folder)) for wheel in chosen.values()]

    def fetch(self, pins: Mapping[str, str], folder: Path) -> None:
        """Copy what has that hash."""
        self.fetched += pins
        for pin, digest in pins.items():
            wheels = [one for one in self.shelf.glob("*.whl") if sha256(one) == digest]
            if not wheels:
                raise PackageError(f"The package index does not have {pin} any more.")
            shutil.copy(wheels[0], folder)

    def versions(self, name: str, what: For) -> list[str]:
        """By the names of files."""
        found = [
            str(wheel_name(wheel.name).version)
            for wheel in self.shelf.glob(f"{name}-*.whl")
            if what != "browser" or self._fits(wheel)
        ]
        sources = [path.name.split("-")[1][:-7] for path in self.shelf.glob(f"{name}-*.tar.gz")]
        return found + (sources if what == "anything" else [])

    def _fits(self, wheel: Path) -> bool:
        return wheel_name(wheel.name).pure or self.target.platform in wheel.name
