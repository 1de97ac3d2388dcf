"""The folder of static files is found in a checkout and in a wheel."""

from pathlib import Path

import pytest

from app.errors import GraceError
from app.services.static_files import runner_file, static_folder


def make_static(folder: Path) -> Path:
    """A static folder with the one file that must be in it."""
    (folder / "static" / "py").mkdir(parents=True)
    (folder / "static" / "py" / "grace_runner.py").touch()
    return folder / "static"


def test_the_checkout_has_it() -> None:
    """The folder of the code under test holds the runner."""
    assert runner_file().is_relative_to(static_folder())
    assert runner_file().is_file()


def test_it_lies_beside_the_package_in_a_checkout(tmp_path: Path) -> None:
    """<root>/app finds <root>/static."""
    expected = make_static(tmp_path)
    assert static_folder(tmp_path / "app") == expected


def test_it_lies_in_the_package_in_a_wheel(tmp_path: Path) -> None:
    """app/static goes first: what lies beside an installed package is somebody else's."""
    make_static(tmp_path)
    expected = make_static(tmp_path / "app")
    assert static_folder(tmp_path / "app") == expected


def test_a_broken_installation_is_refused(tmp_path: Path) -> None:
    """Without the runner nothing could be played, and the error says what to do."""
    with pytest.raises(GraceError, match="install again"):
        static_folder(tmp_path / "app")
