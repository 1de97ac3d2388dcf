"""What is served of a study besides its page: a memory snapshot, and Python packages.

Each is made by a module of its own and handed to `app.services.delivery`, which gives it an
address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A snapshot pack that fits the Pyodide, the packages and the environment that are served.

    Attributes:
        path: the pack; its name ends in `.pack`.
        memory_bytes: size of the memory that it restores.
        header_bytes: length of Pyodide's own header, decoded.
    """

    path: Path
    memory_bytes: int
    header_bytes: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Packages of Pyodide's own distribution, which Pyodide loads by name.

    Attributes:
        names: the packages that the page asks for; what they need comes by Pyodide's lock.
        files: what is served, by file name: `pyodide-lock.json` and the wheels that it names.
    """

    names: tuple[str, ...]
    files: Mapping[str, Path | bytes]


@dataclass(frozen=True, slots=True)
class StudyPackages:
    """A study's Python packages, as the page gets them.

    Attributes:
        pack: the files of all pure Python packages (`GRACEPK1`); its name ends in `.pack`.
        wheels: WebAssembly wheels, in the order in which they are loaded.
        distribution: what comes from Pyodide's own distribution.
    """

    pack: Path | None = None
    wheels: tuple[Path, ...] = ()
    distribution: Distribution | None = None
