"""Decides which wheels a study gets: pip chooses, and what it cannot know is put right here.

pip evaluates environment markers (PEP 508) for the machine that it runs on. So what it has found is
followed anew with the browser's markers: what only this machine would need is left out, and what
only the browser needs is asked for by name, until nothing is missing.
"""

import hashlib
import tempfile
import zipfile
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from app.errors import PackageError
from app.python.index import Index, NothingFits
from app.python.lock import STUDY, LockedPackage
from app.python.wheels import WheelMetadata, wheel_metadata, wheel_name
from app.studies.requirements import normal_name

MOST_ROUNDS = 8
"""Times that pip is asked at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is resolved.

    Attributes:
        packages: the study's requirements.
        supplied: versions, by name, of what Pyodide's own distribution brings along.
        pins: versions that are kept where they fit, as requirements.
    """

    packages: tuple[str, ...]
    supplied: Mapping[str, str]
    pins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    wheel: Path
    version: str
    metadata: WheelMetadata


def resolve(wanted: Wanted, index: Index, folder: Path) -> list[LockedPackage]:
    """Choose wheels and download them.

    Args:
        wanted: what for.
        index: where from.
        folder: where the wheels go, an empty folder; there may be more than are chosen.

    Returns:
        What was chosen, sorted by name.

    Raises:
        PackageError: a package cannot be had for the browser; the message says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="grace-supplied-") as scratch:
        stubs = Path(scratch)
        for name, version in wanted.supplied.items():
            _write_stub(stubs, name, version)
        supplied = [f"{name}=={version}" for name, version in wanted.supplied.items()]
        more: dict[str, None] = {}
        for number in range(MOST_ROUNDS):
            target = folder / str(number)
            target.mkdir()
            try:
                index.download(
                    [*wanted.packages, *more],
                    target,
                    constraints=[*supplied, *wanted.pins],
                    more_wheels=stubs,
                )
            except NothingFits as error:
                raise PackageError(why_nothing_fits(error, index)) from error
            found = _found_in(target, wanted.supplied)
            requested, missing = _follow(wanted, found, index.target.markers)
            if not missing:
                return [_locked(found[name], requested[name]) for name in sorted(requested)]
            more |= dict.fromkeys(missing)
    raise PackageError("The packages need ever more others: name what they need in packages.")


def why_nothing_fits(nothing: NothingFits, index: Index) -> str:
    """Say why a package cannot be had for the browser, and what to do."""
    name, allowed = nothing.requirement.name, nothing.requirement.specifier
    asked = repr(str(nothing.requirement))
    needed = "" if nothing.asking is None else f", which {nothing.asking!r} needs,"
    if not _allowed(index.versions(name, "anything"), allowed):
        return (
            f"The package index has no {asked}{needed.removesuffix(',')}: look at the name and the"
            " version, and at where pip looks for packages."
        )
    if _allowed(index.versions(name, "browser"), allowed):
        return f"No version of {name!r} fits all who need it: loosen the versions in packages."
    if _allowed(index.versions(name, "here"), allowed):
        why = "has only wheels that are compiled for other machines"
    else:
        why = "has only source code, or wheels for another Python"
    return (
        f"{asked}{needed} cannot run in a browser: it {why}, and none of pure Python or WebAssembly"
        f" (PEP 783). Use another package that is pure Python, or take {name!r} from Pyodide's own"
        " distribution, if that has it: name it in the study's distribution_packages, and the"
        " folder of the unpacked distribution in the setting pyodide_distribution."
    )


def _allowed(versions: Iterable[str], allowed: SpecifierSet) -> list[str]:
    return list(allowed.filter(versions, prereleases=True))


def _found_in(folder: Path, supplied: Mapping[str, str]) -> dict[str, _Found]:
    found = {}
    for wheel in sorted(folder.glob("*.whl")):
        of = wheel_name(wheel.name)
        if of.name not in supplied:
            found[of.name] = _Found(wheel, of.version, wheel_metadata(wheel))
    return found


def _follow(
    wanted: Wanted, found: Mapping[str, _Found], markers: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Who needs what in the browser, and what is not there."""
    waiting = deque((Requirement(text), STUDY) for text in wanted.packages)
    requested: dict[str, set[str]] = {}
    missing: list[str] = []
    seen: set[tuple[str, str, str]] = set()
    while waiting:
        requirement, asking = waiting.popleft()
        name = normal_name(requirement.name)
        if name in wanted.supplied:
            continue
        if requirement.url is not None:
            raise PackageError(f"{asking} needs {name!r} from an address: only an index will do.")
        it = found.get(name)
        if it is None:
            missing.append(_without_marker(requirement))
            continue
        if not requirement.specifier.contains(it.version, prereleases=True):
            raise PackageError(
                f"In a browser {asking} needs {_without_marker(requirement)!r}, and on this"
                " machine another version: name one in packages that fits both."
            )
        requested.setdefault(name, set()).add(asking)
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra, asking) in seen:
                continue
            seen.add((name, extra, asking))
            environment = {**markers, "extra": extra}
            waiting.extend(
                (needed, name)
                for needed in it.metadata.requires
                if (needed.marker is None and not extra)
                or (needed.marker is not None and needed.marker.evaluate(environment))
            )
    return {name: tuple(sorted(asking)) for name, asking in requested.items()}, missing


def _without_marker(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def _locked(found: _Found, requested_by: tuple[str, ...]) -> LockedPackage:
    content = found.wheel.read_bytes()
    return LockedPackage(
        file=found.wheel.name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        requested_by=requested_by,
    )


def _write_stub(folder: Path, name: str, version: str) -> None:
    """An empty wheel, which tells pip that a package is there, in a version, and needs nothing."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
