"""A folder like Pyodide's own distribution, with a NumPy that is none and what it needs."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.python.distribution import PYODIDE_LOCK
from app.services.packages import served_lock


def make_distribution(
    folder: Path, change: Callable[[dict[str, Any]], None] = lambda lock: None
) -> Path:
    """Write the distribution; `change` may change its lock."""
    packages = {}
    versions = served_lock()["packages"]
    for name, filename, version, depends in (
        ("numpy", "numpy-2.4.6-x.whl", versions["numpy"]["version"], ["libx"]),
        ("libx", "libx-1.0.zip", "1.0", []),
        ("other", "other-1.0-py3-none-any.whl", "1.0", []),
    ):
        (folder / filename).write_bytes(name.encode())
        packages[name] = {
            "name": name,
            "version": version,
            "file_name": filename,
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "depends": depends,
            "imports": [name],
            "install_dir": "site",
            "package_type": "package",
            "unvendored_tests": False,
        }
    lock = {"info": served_lock()["info"], "packages": packages}
    change(lock)
    (folder / PYODIDE_LOCK).write_text(json.dumps(lock))
    return folder
