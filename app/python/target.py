"""What packages are chosen for: the Python that runs in the browser."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import GraceError

ANY_PLATFORM = "any"


@dataclass(frozen=True, slots=True)
class Target:
    """The Python of one Pyodide, as Pyodide's own lock describes it.

    Attributes:
        python: its version, such as 3.14.2.
        abi: what its WebAssembly wheels are built for, such as 2026_0.
        emscripten: the version of Emscripten that it was built with.
    """

    python: str
    abi: str
    emscripten: str

    @property
    def version(self) -> str:
        """Major and minor version, such as 3.14."""
        return ".".join(self.python.split(".")[:2])

    @property
    def platform(self) -> str:
        """The platform tag of WebAssembly wheels (PEP 783)."""
        return f"pyemscripten_{self.abi}_wasm32"

    @property
    def pip_options(self) -> tuple[str, ...]:
        """Has pip choose for this Python. Pure wheels are always among what it takes."""
        return (
            "--only-binary=:all:",
            "--implementation=cp",
            f"--abi=cp{self.version.replace('.', '')}",
            f"--platform={self.platform}",
            f"--python-version={self.version}",
        )

    @property
    def markers(self) -> Mapping[str, str]:
        """The environment in which this Python evaluates environment markers (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": "wasm32",
            "platform_python_implementation": "CPython",
            "platform_release": self.emscripten,
            "platform_system": "Emscripten",
            "platform_version": "#1",
            "python_full_version": self.python,
            "python_version": self.version,
            "sys_platform": "emscripten",
        }


def read_pyodide_lock(lock: Path) -> dict[str, Any]:
    """The content of a `pyodide-lock.json`.

    Raises:
        GraceError: there is none, or it says nothing about packages.
    """
    try:
        content = json.loads(lock.read_text(encoding="utf-8"))
        if isinstance(content["info"], dict) and isinstance(content["packages"], dict):
            return dict(content)
    except OSError as error:
        raise GraceError(f"{lock} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError):
        pass
    raise GraceError(f"{lock} is no lock of Pyodide's.")


def target_of(pyodide_lock: Mapping[str, Any]) -> Target:
    """The Python of the Pyodide whose lock that is.

    Raises:
        GraceError: the lock does not say.
    """
    info = pyodide_lock["info"]
    python, abi, platform = (str(info.get(key)) for key in ("python", "abi_version", "platform"))
    emscripten = re.fullmatch(r"emscripten_(\d+)_(\d+)_(\d+)", platform)
    if not re.fullmatch(r"\d+\.\d+\.\d+\w*", python) or not re.fullmatch(r"\d+_\d+", abi):
        raise GraceError(f"Pyodide's lock describes no Python that is known: {dict(info)!r}.")
    return Target(python, abi, ".".join(emscripten.groups()) if emscripten else "")
