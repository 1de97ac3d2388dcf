"""The commands, where a study has Python packages."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import app.services.packages
from app.cli import _snapshot, main
from app.errors import PackageError
from app.python.cache import Cache
from app.python.parts import StudyPackages
from app.services.packages import PreparedPackages
from unit.fakes.studies import one_game
from unit.fakes.wheels import WEBASSEMBLY, FolderIndex, make_wheel

STUDY = """
from app.studies import Study, Text
words = Text(scene_id='a', title='A', markdown='')
study = Study(study_id='words', title='Words', scenes=[words], packages={packages!r})
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderIndex:
    """A package index without pip and network."""
    (tmp_path / "index").mkdir()
    fake = FolderIndex(tmp_path / "index")
    monkeypatch.setattr(app.services.packages, "Index", lambda target: fake)
    return fake


def run(tmp_path: Path, command: str, packages: list[str], *more: str) -> Result:
    """Run a command on a study that names packages."""
    study = tmp_path / "study.py"
    study.write_text(STUDY.format(packages=packages))
    cache = str(tmp_path / "cache")
    return CliRunner().invoke(main, [command, str(study), "--cache", cache, *more])


def test_packages_are_locked(tmp_path: Path, index: FolderIndex) -> None:
    """It says what was chosen, for whom, and where that is written."""
    make_wheel(index.shelf, "x", requires=["z"], files={"x.bin": b"\0" * 1500})
    make_wheel(index.shelf, "z", tag=WEBASSEMBLY)
    result = run(tmp_path, "packages", ["x"])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "x==1.0 (2 kB), for the study",
        "z==1.0 (1 kB, WebAssembly), for x",
        f"Locked: {tmp_path / 'packages.lock'}",
    ]
    assert (tmp_path / "packages.lock").is_file()


def test_packages_are_chosen_anew_when_asked(tmp_path: Path, index: FolderIndex) -> None:
    """With `--upgrade`, and not without."""
    make_wheel(index.shelf, "x", "1.0")
    run(tmp_path, "packages", ["x"])
    make_wheel(index.shelf, "x", "2.0")
    assert "x==1.0 " in run(tmp_path, "packages", ["x"]).stdout
    assert "x==2.0 " in run(tmp_path, "packages", ["x"], "--upgrade").stdout


def test_a_study_without_packages_is_told(tmp_path: Path, index: FolderIndex) -> None:
    """There is nothing to do, which is no failure."""
    result = run(tmp_path, "packages", [])
    assert result.exit_code == 0
    assert "names no packages" in result.output


def test_a_package_that_cannot_be_had_is_one_sentence(tmp_path: Path, index: FolderIndex) -> None:
    """And exit status 2."""
    result = run(tmp_path, "packages", ["x"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(
        "grace-server: The package index has no 'x': look at the name"
    )


def test_a_snapshot_needs_the_packages(tmp_path: Path, index: FolderIndex) -> None:
    """They are imported in it, so a missing lock is its failure too."""
    result = run(tmp_path, "snapshot", ["x"])
    assert result.exit_code == 1
    assert "run `grace-server packages" in result.output
    make_wheel(index.shelf, "x")
    run(tmp_path, "packages", ["x"])
    result = run(tmp_path, "snapshot", ["x"])
    assert "needs no snapshot" in result.output


def test_compiled_packages_are_in_no_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are loaded after Python is, so it is loaded plainly; that is said."""
    packages = PreparedPackages(StudyPackages(wheels=(Path("z.whl"),)))
    assert _snapshot(one_game(), packages, Cache(tmp_path)) is None
    assert "the study has compiled packages" in capsys.readouterr().err


def test_nothing_is_served_without_a_lock_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is refused with the sentence, before anything is opened."""

    def refuse(*given: Any, **named: Any) -> None:
        raise PackageError("Run it.")

    monkeypatch.setattr(app.services.packages, "prepare_packages", refuse)
    monkeypatch.setattr("gevent.monkey.patch_all", lambda: None)
    monkeypatch.setattr("app.logs.configure_logs", lambda: None)
    store = f"sqlite:///{tmp_path / 'grace.db'}"
    result = run(tmp_path, "serve", ["x"], "--store", store)
    assert result.exit_code == 2
    assert result.stderr == "grace-server: Run it.\n"
    assert not (tmp_path / "grace.db").exists()
