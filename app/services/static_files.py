"""Where the files that are served as they are (the page's modules, Pyodide, css) lie."""

from pathlib import Path

from app.errors import GraceError

_PACKAGE_FOLDER = Path(__file__).resolve().parent.parent
_RUNNER = Path("py", "grace_runner.py")


def static_folder(package_folder: Path = _PACKAGE_FOLDER) -> Path:
    """Return the folder `static`: inside the package in a wheel, beside it in a checkout.

    Raises GraceError when neither holds the runner, which means an installation with files missing.
    """
    for folder in (package_folder / "static", package_folder.parent / "static"):
        if (folder / _RUNNER).is_file():
            return folder
    raise GraceError(
        f"The folder 'static' is neither in {package_folder} nor beside it: install again."
    )


def runner_file() -> Path:
    """Return the Python file that steps environments, in the browser and in the check at start."""
    return static_folder() / _RUNNER
