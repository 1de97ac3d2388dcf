"""Which of the page's modules it needs at its start, so that a browser can ask for all at once."""

import functools
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

_STATIC_IMPORT = re.compile(
    r"""^(?:import|export)\s*(?:[\w$*{},\s]*\sfrom\s*)?["'](\.{1,2}/[^"']+)["']""", re.MULTILINE
)
"""An import that a module cannot start without. No comment, string or body has this form, since
between the word and the address nothing stands but names."""


def modules_from(name: str, files: Mapping[str, Path]) -> tuple[str, ...]:
    """The module `name` and all that it imports, and so on, each once, nearest first.

    Args:
        name: the first module, as it is named in `files`.
        files: where each file lies, by name. What is imported and not there is left out.
    """
    found = [name]
    for module in found:
        for address in imports_of(files[module]):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(module), address))
            if imported in files and imported not in found:
                found.append(imported)
    return tuple(found)


def imports_of(file: Path) -> tuple[str, ...]:
    """The relative addresses that a module imports statically."""
    state = file.stat()
    return _imports(file, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _imports(file: Path, size: int, mtime_ns: int) -> tuple[str, ...]:
    return tuple(_STATIC_IMPORT.findall(file.read_text(encoding="utf-8")))
