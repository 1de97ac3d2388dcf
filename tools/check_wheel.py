"""Check that a wheel holds the page, its assets and the licences.

Run it as `python tools/check_wheel.py WHEEL`; it names what is missing and exits with 1.
"""

import sys
import zipfile
from pathlib import Path

import assets

ROOT = Path(__file__).resolve().parent.parent
LICENCES = {
    "LICENSE",
    "THIRD_PARTY_LICENSES.md",
    "licenses/MPL-2.0.txt",
    "licenses/CPython.txt",
    "licenses/inside-pyodide.txt",
}
NOT_INSTALLED = ("unit/", "e2e/", "tools/", "static/")


def findings(wheel: Path) -> list[str]:
    """Return a sentence for each file that is missing from the wheel, or should not be in it."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    dist_info = next(name.split("/")[0] for name in held if name.endswith(".dist-info/METADATA"))
    vendored = {*assets.NPM_FILES, *assets.REPOSITORY_FILES}
    page = {path for path in (ROOT / "static").rglob("*") if path.is_file()}
    expected = {
        "app/cli.py",
        "app/python/make_snapshot.mjs",
        *(f"app/static/vendor/{name}" for name in vendored),
        *(f"app/{path.relative_to(ROOT).as_posix()}" for path in page if path.suffix != ".pyc"),
        *(f"{dist_info}/licenses/{name}" for name in LICENCES),
    }
    return [
        *(f"{name} is missing from the wheel." for name in sorted(expected - held)),
        *(f"{name} is in the wheel." for name in sorted(held) if name.startswith(NOT_INSTALLED)),
    ]


def main() -> None:
    """Check the wheel that the command line names."""
    found = findings(Path(sys.argv[1]))
    for finding in found:
        print(finding)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
