"""All that a browser gets of us besides the page itself, joined, each under its address."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.errors import GraceError
from app.python.bundle import AtOnce, Bundle, Content, make_bundle, plain_bundle, stored_zip
from app.python.cache import Cache, temporary_cache
from app.python.parts import SnapshotFile, StudyPackages
from app.services.modules import modules_from
from app.services.static_files import static_folder
from app.services.study_files import LoadedStudy

PAGE_FOLDERS = ("js", "css", "py", "vendor/socket.io", "vendor/pico")
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json")
PYODIDE_FOLDER = Path("vendor", "pyodide")
LICENCE = "LICENSE"
"""Begins the names of the licences, which go wherever Pyodide goes."""
STANDARD_LIBRARY = "python_stdlib.zip"
FIRST_MODULE = "js/index.js"
WORKER_START = "js/python_worker_start.js"
WORKER_MODULE = "js/python_worker.js"
SNAPSHOT = "snapshot.pack"
PACKAGES = "packages.pack"

_NO_PAGE_FILES = frozenset({".ts", ".pyc"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is served under `/static/`, and how the page names it.

    Attributes:
        page: the page's own files.
        pyodide: Pyodide.
        study: the study's environments, and its packages.
        lock_info: what Pyodide's own lock says of itself.
        modules: the files of `page` that it cannot start without.
        snapshot: a bundle of one file, and what the page has to know of it.
        packages: which packages the study has.
        distribution: the bundle of those from Pyodide's distribution.
    """

    page: Bundle
    pyodide: Bundle
    study: Bundle
    lock_info: Mapping[str, Any]
    modules: tuple[str, ...]
    snapshot: tuple[Bundle, SnapshotFile] | None = None
    packages: StudyPackages = field(default_factory=StudyPackages)
    distribution: Bundle | None = None

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """All that is served."""
        snapshot = self.snapshot[0] if self.snapshot else None
        optional = (snapshot, self.distribution)
        return (self.page, self.pyodide, self.study, *(one for one in optional if one))

    def environment_address(self, scene_id: str) -> str:
        """The address of a game scene's environment.

        Raises:
            KeyError: the scene has none.
        """
        return self.study.url(environment_name(scene_id))

    def python_config(self, runtime: str) -> dict[str, Any]:
        """What the page has to know to load Python.

        Args:
            runtime: where it runs, `worker` or `main`.
        """
        packed, distribution = self.packages.pack is not None, self.packages.distribution
        return {
            "runtime": runtime,
            "pyodide_url": self.pyodide.address,
            "runner_url": self.page.url("py/grace_runner.py"),
            "bytes": {
                name: size
                for name, size in self.pyodide.sizes.items()
                if not name.startswith(LICENCE)
            },
            "lock_info": dict(self.lock_info),
            "snapshot": self._snapshot_config(),
            "packages": _sized(self.study, PACKAGES) if packed else None,
            "wheels": [self.study.url(f"wheels/{wheel.name}") for wheel in self.packages.wheels],
            "distribution": None
            if self.distribution is None or distribution is None
            else {"url": self.distribution.address, "packages": list(distribution.names)},
        }

    def _snapshot_config(self) -> dict[str, Any] | None:
        if self.snapshot is None:
            return None
        bundle, snapshot = self.snapshot
        return {
            **_sized(bundle, SNAPSHOT),
            "header_bytes": snapshot.header_bytes,
        }


def prepare_delivery(
    study: LoadedStudy,
    *,
    cache: Cache | None = None,
    static: Path | None = None,
    snapshot: SnapshotFile | None = None,
    packages: StudyPackages | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    at_once: AtOnce | None = None,
) -> Delivery:
    """Give everything its address, and compress it unless that was done before.

    Args:
        study: the study that is served.
        cache: keeps what is compressed; without one, nothing is, and files are served from where
            they lie.
        static: the folder of static files; by default the one that belongs to this package.
        snapshot: a memory snapshot that the page may restore.
        packages: the study's Python packages.
        say: is told, in a sentence, what an operator may wonder at.
        at_once: `map`, for files that can be compressed at the same time.

    Raises:
        GraceError: a file is missing, or nothing can be written anywhere.
    """
    folder = static or static_folder()
    packages = packages or StudyPackages()

    def deliver(bundle: Callable[[Mapping[str, Content]], Bundle]) -> Delivery:
        page = bundle(page_files(folder))
        distribution = packages.distribution
        return Delivery(
            page=page,
            pyodide=bundle(pyodide_files(folder, stored=cache is not None)),
            study=bundle(study_files(study, packages)),
            lock_info=_lock_info(folder / PYODIDE_FOLDER / "pyodide-lock.json"),
            modules=_in_order(page.paths),
            snapshot=(bundle({SNAPSHOT: snapshot.path}), snapshot) if snapshot else None,
            packages=packages,
            distribution=None if distribution is None else bundle(distribution.files),
        )

    if cache is None:
        return deliver(lambda files: plain_bundle(files, _scratch))
    try:
        return deliver(lambda files: make_bundle(files, cache, at_once=at_once, say=say))
    except OSError as error:
        say(
            f"the cache {cache.folder} cannot be used ({error.strerror or error}):"
            " what is made for it is made again."
        )
    instead = temporary_cache()
    try:
        return deliver(lambda files: make_bundle(files, instead, at_once=at_once, say=say))
    except OSError as error:
        raise GraceError(f"What is served cannot be prepared: {error}.") from error


def page_files(static: Path) -> dict[str, Content]:
    """The page's own files, by name."""
    return {
        path.relative_to(static).as_posix(): path
        for folder in PAGE_FOLDERS
        for path in sorted((static / folder).rglob("*"))
        if path.is_file()
        and path.suffix not in _NO_PAGE_FILES
        and not any(part.startswith(".") for part in path.relative_to(static).parts)
    }


def pyodide_files(static: Path, *, stored: bool) -> dict[str, Content]:
    """Pyodide's files, by name.

    Args:
        static: the folder of static files.
        stored: whether the standard library's members are stored, which compresses better as a
            whole.
    """
    folder = static / PYODIDE_FOLDER
    library = folder / STANDARD_LIBRARY
    licences = sorted(path.name for path in folder.glob(f"{LICENCE}*"))
    files: dict[str, Content] = {name: folder / name for name in (*PYODIDE_FILES, *licences)}
    return files | {STANDARD_LIBRARY: stored_zip(library) if stored else library}


def study_files(study: LoadedStudy, packages: StudyPackages) -> dict[str, Content]:
    """The study's environments and packages, by name."""
    files: dict[str, Content] = {
        environment_name(scene_id): environment.source.encode()
        for scene_id, environment in study.environments.items()
    }
    if packages.pack is not None:
        files[PACKAGES] = packages.pack
    return files | {f"wheels/{wheel.name}": wheel for wheel in packages.wheels}


def environment_name(scene_id: str) -> str:
    """The name of a scene's environment in the study's bundle."""
    return f"{scene_id}/environment.py"


def _in_order(files: Mapping[str, Path]) -> tuple[str, ...]:
    """The page's modules: first what starts Python's worker, and what that will ask for too."""
    modules = modules_from(FIRST_MODULE, files)
    in_worker = modules_from(WORKER_MODULE, files) if WORKER_MODULE in files else ()
    first = (WORKER_START, *in_worker)
    return tuple(sorted(modules, key=lambda name: name not in first))


def _sized(bundle: Bundle, name: str) -> dict[str, Any]:
    return {"url": bundle.url(name), "bytes": bundle.sizes[name]}


@functools.cache
def _lock_info(lock: Path) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(lock.read_text(encoding="utf-8"))["info"]
    return info


_scratch = functools.cache(temporary_cache)
"""For what is in no file, where nothing is kept: one for each process."""
