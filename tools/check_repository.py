"""Check what no linter knows about: where things come from, and that nothing names this machine.

Run it as `python tools/check_repository.py`; it prints each finding, and exits with 1 if any.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
THIRD_PARTY = "THIRD_PARTY_LICENSES.md"
REGISTRY_ADDRESS = re.compile(r"https?://(?:registry|files|pypi|npm|deb)\.[\w.-]+")
EXACT_VERSION = re.compile(r"\d+\.\d+\.\d+")


MADE_BY_TOOLS = {
    ".git",
    ".hypothesis",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "test-results",
    "vendor",
    "venv",
}
"""Folders that are no part of the repository, where git cannot be asked (see .gitignore)."""


def lock_findings() -> Iterator[str]:
    """Yield what is wrong with `package-lock.json`: an address, or a package without a hash."""
    packages: dict[str, dict[str, Any]] = _read_json("package-lock.json")["packages"]
    for name, package in packages.items():
        if "resolved" in package:
            yield f"package-lock.json: {name} names the address it came from."
        if name and "integrity" not in package:
            yield f"package-lock.json: {name} has no integrity hash."


def dependency_findings() -> Iterator[str]:
    """Yield each JavaScript dependency with a version range, or served but not credited."""
    package = _read_json("package.json")
    credits_text = (ROOT / THIRD_PARTY).read_text(encoding="utf-8")
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        if not EXACT_VERSION.fullmatch(version):
            yield f"package.json: {name} has no exact version."
        if name in package["dependencies"] and f"| {name} | {version} |" not in credits_text:
            yield f"{THIRD_PARTY}: {name} {version}, which is bundled, is missing."


def address_findings() -> Iterator[str]:
    """Yield each text file that names a package registry's host, this checkout, or this home."""
    places = [f"{place}/" for place in (ROOT, Path.home()) if len(place.parts) > 1]
    for name in _repository_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if match := REGISTRY_ADDRESS.search(text):
            yield f"{name}: names a package registry's address, {match[0]}."
        yield from (f"{name}: names a folder of this machine, {p}." for p in places if p in text)


def _repository_files() -> list[str]:
    """List the files that are in the repository, or would be with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listing = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        # No git, or no checkout of its user's own: an unpacked archive has nothing else to list.
        return [*_files_below(ROOT)]
    return [name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def _files_below(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, without those that are made by tools."""
    for path in sorted(folder.iterdir()):
        if path.name in MADE_BY_TOOLS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _files_below(path)
        else:
            yield str(path.relative_to(ROOT))


def _read_json(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return content


def main() -> None:
    """Print the findings."""
    findings = [*lock_findings(), *dependency_findings(), *address_findings()]
    for finding in findings:
        print(finding)
    raise SystemExit(1 if findings else 0)


if __name__ == "__main__":
    main()
