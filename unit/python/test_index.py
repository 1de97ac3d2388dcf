"""pip is asked for what runs in a browser, and its failures become one sentence."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.errors import PackageError
from app.python.index import Index, NothingFits, PipEnded, failure_of, run_pip
from unit.fakes.wheels import (
    LINUX,
    TARGET,
    WEBASSEMBLY,
    make_wheel,
    sha256,
    use_folder_as_index,
)


class FakePip:
    """A pip that notes what it was asked, and ends as it is told."""

    def __init__(self, ended: PipEnded) -> None:
        self.ended = ended
        self.asked: list[str] = []
        self.wanted = ""

    def __call__(self, arguments: Sequence[str]) -> PipEnded:
        """Take the place of `run_pip`."""
        self.asked = list(arguments)
        for argument in arguments:
            if argument.startswith("--requirement="):
                self.wanted = Path(argument.partition("=")[2]).read_text()
        return self.ended


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the package index of a real pip."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    use_folder_as_index(folder, monkeypatch)
    return folder


def test_what_a_package_needs_comes_along(shelf: Path, tmp_path: Path) -> None:
    """The newest versions that fit, pure or of WebAssembly, and none for this machine."""
    make_wheel(shelf, "x", "1.0", requires=["y<2"])
    make_wheel(shelf, "y", "1.5", tag=WEBASSEMBLY)
    make_wheel(shelf, "y", "1.6", tag=LINUX)
    make_wheel(shelf, "y", "2.0")
    wheels = Index(TARGET).download(["x"], tmp_path / "got")
    assert [wheel.name for wheel in wheels] == [
        "x-1.0-py3-none-any.whl",
        f"y-1.5-{WEBASSEMBLY}.whl",
    ]


def test_the_browsers_python_decides(shelf: Path, tmp_path: Path) -> None:
    """Not that which runs this."""
    make_wheel(shelf, "x", "1.0", requires_python=f">={TARGET.version}")
    make_wheel(shelf, "x", "2.0", requires_python=f"<{TARGET.version}")
    wheels = Index(TARGET).download(["x"], tmp_path / "got")
    assert [wheel.name for wheel in wheels] == ["x-1.0-py3-none-any.whl"]


def test_constraints_and_more_wheels_count(shelf: Path, tmp_path: Path) -> None:
    """Constraints choose a version; a folder of wheels stands beside the index."""
    make_wheel(shelf, "x", "1.0", requires=["y"])
    make_wheel(shelf, "x", "2.0", requires=["y"])
    make_wheel(tmp_path / "more", "y", "3.0")
    wheels = Index(TARGET).download(
        ["x"], tmp_path / "got", constraints=["x==1.0"], more_wheels=tmp_path / "more"
    )
    assert [wheel.name[:5] for wheel in wheels] == ["x-1.0", "y-3.0"]


def test_a_wheel_is_fetched_by_its_hash(shelf: Path, tmp_path: Path) -> None:
    """And by nothing else: not what it needs, and not another content under its name."""
    wheel = make_wheel(shelf, "x", "1.0", requires=["y"])
    Index(TARGET).fetch({"x==1.0": sha256(wheel)}, tmp_path / "got")
    assert [path.name for path in (tmp_path / "got").iterdir()] == [wheel.name]
    with pytest.raises(PackageError, match="pip has failed: THESE PACKAGES DO NOT MATCH"):
        Index(TARGET).fetch({"x==1.0": "0" * 64}, tmp_path / "other")
    with pytest.raises(PackageError, match=r"does not have x==3\.0 any more"):
        Index(TARGET).fetch({"x==3.0": "0" * 64}, tmp_path / "third")


def test_what_nobody_has_is_named(shelf: Path, tmp_path: Path) -> None:
    """With its version, and with who needs it."""
    make_wheel(shelf, "x", "1.0", requires=["y>=2"])
    make_wheel(shelf, "x", "0.9", requires=["y>=2"])
    with pytest.raises(NothingFits) as nothing:
        Index(TARGET).download(["x"], tmp_path / "got")
    assert (str(nothing.value.requirement), nothing.value.asking) == ("y>=2", "x")
    with pytest.raises(NothingFits) as nothing:
        Index(TARGET).download(["y==1"], tmp_path / "got")
    assert (str(nothing.value.requirement), nothing.value.asking) == ("y==1", None)


def test_versions_that_exclude_each_other_are_named(shelf: Path, tmp_path: Path) -> None:
    """The package, without versions where those who need it do not agree."""
    make_wheel(shelf, "x", requires=["z<2"])
    make_wheel(shelf, "y", requires=["z>=2"])
    make_wheel(shelf, "z", "1.0")
    make_wheel(shelf, "z", "2.0")
    with pytest.raises(NothingFits) as nothing:
        Index(TARGET).download(["x", "y"], tmp_path / "got")
    assert str(nothing.value.requirement) == "z"


def test_versions_are_told_by_what_they_have(shelf: Path) -> None:
    """A wheel for the browser, one for this machine, or any file at all."""
    make_wheel(shelf, "x", "1.0")
    make_wheel(shelf, "x", "2.0", tag=LINUX, requires_python=">=99")
    (shelf / "x-3.0.tar.gz").touch()
    index = Index(TARGET)
    assert index.versions("x", "browser") == ["1.0"]
    assert index.versions("x", "here") == ["2.0", "1.0"]
    assert index.versions("x", "anything") == ["3.0", "2.0", "1.0"]
    assert index.versions("y", "anything") == []
    make_wheel(shelf, "early", "1.0rc1")
    assert index.versions("early", "browser") == ["1.0rc1"]


def test_what_is_wanted_is_no_argument(tmp_path: Path) -> None:
    """Names and versions stand in a file, and not where pip looks for options."""
    pip = FakePip(PipEnded(0, "", ""))
    Index(TARGET, pip).download(["x>=1"], tmp_path)
    assert pip.wanted == "x>=1\n"
    assert not any("x>=1" in argument for argument in pip.asked)
    assert "--only-binary=:all:" in pip.asked


def test_a_hash_is_asked_for(tmp_path: Path) -> None:
    """With the option that has pip refuse everything else."""
    pip = FakePip(PipEnded(0, "", ""))
    Index(TARGET, pip).fetch({"x==1.0": "a" * 64}, tmp_path)
    assert pip.wanted == f"x==1.0 --hash=sha256:{'a' * 64}\n"
    assert {"--require-hashes", "--no-deps"} <= set(pip.asked)


def test_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    """A server that starts has nobody in front of it who could answer."""
    pip = FakePip(PipEnded(0, "", ""))
    index = Index(TARGET, pip)
    for ask in (
        lambda: index.download(["x"], tmp_path),
        lambda: index.fetch({"x==1.0": "a" * 64}, tmp_path),
        lambda: index.versions("x", "browser"),
    ):
        ask()
        assert "--no-input" in pip.asked


@pytest.mark.parametrize("status", [1, 2, -9])
def test_every_status_but_zero_is_a_failure(status: int, tmp_path: Path) -> None:
    """Also where pip was ended by somebody."""
    index = Index(TARGET, FakePip(PipEnded(status, "", "")))
    with pytest.raises(PackageError, match=f"pip has failed: exit status {status}"):
        index.download(["x"], tmp_path)


@pytest.mark.parametrize(
    ("complained", "sentence"),
    [
        (
            "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for x",
            "The package index cannot be reached: is there a network?",
        ),
        (
            "ERROR: Cannot install x, y because these versions have conflicting dependencies.\n"
            "ERROR: ResolutionImpossible: for help visit https://example.org",
            "pip has failed: Cannot install x, y because these versions have conflicting",
        ),
        (
            "ERROR: Could not open https://user:secret@example.org/x or /home/me/x, sorry.",
            "pip has failed: Could not open (an address) or (an address) sorry.",
        ),
        ("ERROR: No matching distribution found for ???", "pip has failed: No matching"),
        ("", "pip has failed: exit status 2."),
    ],
)
def test_a_failure_is_one_sentence(complained: str, sentence: str) -> None:
    """Without addresses: they may hold a password."""
    said = str(failure_of(PipEnded(2, "", complained)))
    assert said.startswith(sentence)
    assert "secret" not in said
    assert "\n" not in said


def test_a_failure_is_a_short_sentence() -> None:
    """Whatever pip has to say."""
    assert len(str(failure_of(PipEnded(2, "", f"ERROR: {'word ' * 1000}")))) < 400


def test_words_that_are_no_text_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in another encoding hides no reason."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nprintf 'ERROR: \\377' >&2\nexit 2\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert run_pip([]).complained.startswith("ERROR: ")


def test_a_python_without_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""

    def run(command: list[str], **given: object) -> subprocess.CompletedProcess[str]:
        assert command[:4] == [sys.executable, "-P", "-m", "pip"]
        return subprocess.CompletedProcess(command, 1, "", "python: No module named pip\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(PackageError, match="There is no pip in the Python that runs this"):
        run_pip(["list"])


def test_a_pip_that_hangs_is_ended() -> None:
    """Nobody waits for ever."""
    with pytest.raises(PackageError, match=r"pip took longer than 0\.001 s"):
        run_pip(["list"], timeout_s=0.001)
