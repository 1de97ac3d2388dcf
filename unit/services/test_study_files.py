"""Study files: what is loaded, and the file, line and sentence of every refusal."""

import shutil
import sys
from pathlib import Path

import pytest

from app.errors import StudyFileError
from app.services.study_files import load_study

ENVIRONMENT = Path(__file__).with_name("environments") / "counting.py"

STUDY = """\
from app.studies import Control, End, Game, Study, Text

study = Study(
    study_id="counting",
    title="Counting",
    scenes=[
        Text(scene_id="welcome", title="Welcome", markdown="Grüße!"),
        Game(
            scene_id="match",
            title="Match",
            environment="counting.py",
            controls=[Control(label="One", keys=["KeyA"], value=1)],
            config={"length": 40},
        ),
        End(scene_id="thanks", title="Thanks", markdown=""),
    ],
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a study and its environment."""
    (tmp_path / "study.py").write_text(STUDY, encoding="utf-8")
    shutil.copy(ENVIRONMENT, tmp_path)
    return tmp_path


def refused(path: Path) -> StudyFileError:
    """The error with which the study at `path` is refused."""
    with pytest.raises(StudyFileError) as caught:
        load_study(path)
    return caught.value


def rewrite(file: Path, old: str, new: str) -> None:
    """Change one thing about a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def line_of(file: Path, text: str) -> int:
    """Where `text` stands in a file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return 1 + next(index for index, line in enumerate(lines) if text in line)


def test_a_folder_and_its_study_file_are_the_same(folder: Path) -> None:
    """A study is named by its file or by the folder that holds `study.py`."""
    loaded = load_study(folder)
    assert loaded == load_study(folder / "study.py")
    assert loaded.path == folder / "study.py"
    assert [scene.scene_id for scene in loaded.study.scenes] == ["welcome", "match", "thanks"]
    assert loaded.environments["match"].path == folder / "counting.py"
    assert loaded.environments["match"].source == ENVIRONMENT.read_text(encoding="utf-8")
    assert loaded.notes == ()


def test_loading_leaves_no_trace(folder: Path) -> None:
    """Loading changes neither sys.path nor sys.modules, and writes nothing beside the study."""
    path, modules, files = list(sys.path), set(sys.modules), sorted(folder.iterdir())
    load_study(folder)
    assert (sys.path, set(sys.modules), sorted(folder.iterdir())) == (path, modules, files)


def test_an_edited_study_is_read_again(folder: Path) -> None:
    """Loading again gives what the file says now, however short the time between."""
    (folder / "study.py").write_text(STUDY.replace('title="Match"', 'title="First"'), "utf-8")
    load_study(folder)
    (folder / "study.py").write_text(STUDY.replace('title="Match"', 'title="Again"'), "utf-8")
    assert load_study(folder).study.scenes[1].title == "Again"


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    """A missing file, and a folder without a study, are refused by their names."""
    error = refused(tmp_path / "nothing.py")
    assert str(error) == f"{tmp_path / 'nothing.py'}: No such file or directory."
    assert refused(tmp_path).file == str(tmp_path / "study.py")


@pytest.mark.parametrize(
    ("old", "new", "at", "sentence"),
    [
        ('title="Counting",', 'title="Counting', 'title="Counting', "SyntaxError: unterminated"),
        ("study = Study(", "study = 1 / 0 or Study(", "1 / 0", "ZeroDivisionError: division by"),
        ("study = Study(", "exit('no')\nstudy = Study(", "exit", "SystemExit: no"),
        (
            "import Control",
            "import Kontrol",
            "Kontrol",
            "ImportError: cannot import name 'Kontrol'",
        ),
        ("study = Study(", "import helpers\nstudy = Study(", "helpers", "ModuleNotFoundError: No"),
        ("study = Study(", "other = Study(", "", "`study` is nothing: let the file define study"),
        ("study = Study(", "study = dict(", "study = dict(", "`study` is a dict: let the file"),
        ('"welcome"', '"wel come"', '"wel come"', "Text: scene_id is 'wel come': use 1 to 64"),
        ("value=1", "value=3", "value=3", "Control 'One': value is 3: use a power of two"),
        ('"counting.py"', '"gone.py"', '"gone.py"', "Game 'match': there is no environment file"),
    ],
)
def test_a_broken_study(folder: Path, old: str, new: str, at: str, sentence: str) -> None:
    """Whatever is wrong with a study file is told with the line in that file."""
    file = folder / "study.py"
    rewrite(file, old, new)
    error = refused(folder)
    assert error.file == str(file)
    assert error.line == (line_of(file, at) if at else None)
    assert error.sentence.startswith(sentence)


def test_a_failure_below_the_study_file(folder: Path) -> None:
    """An error inside a library is told at the line of the study file that called it."""
    file = folder / "study.py"
    rewrite(file, "study = Study(", "import json\njson.loads('{')\nstudy = Study(")
    assert refused(folder).line == line_of(file, "json.loads")


def test_a_study_that_is_not_text(folder: Path) -> None:
    """Bytes that are no text in the file's encoding are refused, not guessed."""
    (folder / "study.py").write_bytes(b"# \xff\xfe\n" + STUDY.encode())
    assert refused(folder).sentence.startswith("The text is not readable")
    (folder / "study.py").write_bytes(b"# coding: no-such-code\n")
    assert refused(folder).sentence.startswith("The text is not readable: unknown encoding")


def test_a_declared_encoding_is_respected(folder: Path) -> None:
    """A study may declare another encoding than UTF-8 (PEP 263)."""
    (folder / "study.py").write_bytes(b"# coding: latin-1\n" + STUDY.encode("latin-1"))
    assert getattr(load_study(folder).study.scenes[0], "markdown", None) == "Grüße!"


def test_a_broken_environment(folder: Path) -> None:
    """A broken environment is told with the line in the environment's file."""
    file = folder / "counting.py"
    rewrite(file, "self.steps += 1", "self.steps += one")
    error = refused(folder)
    assert (error.file, error.line) == (str(file), line_of(file, "self.steps += one"))
    assert error.sentence.startswith("NameError: name 'one' is not defined")


def test_what_could_not_be_checked_is_noted(folder: Path) -> None:
    """An environment that needs the browser is loaded, with a note for the operator."""
    rewrite(folder / "counting.py", "import random", "import js, random")
    (note,) = load_study(folder).notes
    assert "'js' is not installed here" in note
