"""Reads a study file and the environments that it names, and checks them, at start.

A study file is Python. It is executed once, as the operator's own code, and must define `study`.
"""

import importlib.machinery
import importlib.util
import io
import sys
import tokenize
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from app.errors import StudyError, StudyFileError
from app.services.environment_check import EnvironmentSource, check_environment
from app.studies import Game, Study

STUDY_FILE_NAME = "study.py"
"""The study file of a folder."""

_MODULE_NAME = "_grace_study"


@dataclass(frozen=True, slots=True)
class LoadedStudy:
    """A study that can be served.

    Attributes:
        study: its scenes.
        environments: the environment of each game scene, by scene id.
        path: the study file.
        notes: sentences for the operator, about what could not be checked.
    """

    study: Study
    environments: Mapping[str, EnvironmentSource]
    path: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """A study as its file has it; nobody has looked at its environments yet.

    Attributes:
        study: its scenes and packages.
        path: the study file.
    """

    study: Study
    path: Path


def load_study(path: Path) -> LoadedStudy:
    """Load the study at `path`: a study file, or a folder that holds a `study.py`.

    Raises StudyFileError, with the file and the line that is to blame, for whatever cannot be read,
    executed or played.
    """
    return check_study(read_study(path))


def read_study(path: Path) -> WrittenStudy:
    """Read a study file, or that of a folder. Raises StudyFileError as `load_study()` does."""
    file = path / STUDY_FILE_NAME if path.is_dir() else path
    module = _execute(file)
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        found = "nothing" if study is None else f"a {type(study).__name__}"
        raise StudyFileError(
            str(file),
            _line_with(_read(file), "study ="),
            f"`study` is {found}: let the file define study = Study(...).",
        )
    return WrittenStudy(study, file)


def check_study(written: WrittenStudy, packages: Path | None = None) -> LoadedStudy:
    """Read the environments of a study and play each for a moment.

    Args:
        written: the study.
        packages: a folder with Python packages that the environments may import.

    Raises StudyFileError as `load_study()` does.
    """
    study, file = written.study, written.path
    environments: dict[str, EnvironmentSource] = {}
    notes: list[str] = []
    for scene in study.scenes:
        if isinstance(scene, Game):
            environment = _read_environment(file, scene)
            environments[scene.scene_id] = environment
            note = check_environment(environment, scene, packages=packages)
            if note is not None:
                notes.append(note)
    return LoadedStudy(study=study, environments=environments, path=file, notes=tuple(notes))


def _execute(file: Path) -> ModuleType:
    """Execute the study file as a module of a private name; sys.path stays as it is."""
    _read(file)
    loader = importlib.machinery.SourceFileLoader(_MODULE_NAME, str(file))
    spec = importlib.util.spec_from_loader(_MODULE_NAME, loader)
    if spec is None:
        raise StudyFileError(str(file), None, "The file cannot be loaded as a Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE_NAME] = module
    try:
        # Compiled here and not by exec_module(), which would write a cache beside the study and,
        # within one second, take an old one for the edited file.
        code = loader.source_to_code(loader.get_data(str(file)), str(file))
        exec(code, module.__dict__)  # noqa: S102 - the operator's own file
    except SyntaxError as error:
        line = error.lineno if error.filename == str(file) else _failing_line(error, file)
        raise StudyFileError(str(file), line, f"SyntaxError: {error.msg}.") from error
    except StudyError as error:
        raise StudyFileError(str(file), _failing_line(error, file), str(error)) from error
    except (Exception, SystemExit) as error:
        reason = "".join(traceback.format_exception_only(error)).strip()
        raise StudyFileError(str(file), _failing_line(error, file), reason) from error
    finally:
        del sys.modules[_MODULE_NAME]
    return module


def _read_environment(study_file: Path, game: Game) -> EnvironmentSource:
    path = study_file.parent / game.environment
    if not path.is_file():
        raise StudyFileError(
            str(study_file),
            _line_with(_read(study_file), game.environment),
            f"Game {game.scene_id!r}: there is no environment file {path}.",
        )
    return EnvironmentSource(path=path, source=_read(path))


def _read(file: Path) -> str:
    """Return a Python file's text in the encoding that it declares (PEP 263)."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise StudyFileError(str(file), None, f"{error.strerror}.") from error
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise StudyFileError(str(file), 1, f"The text is not readable: {error}.") from error


def _failing_line(error: BaseException, file: Path) -> int | None:
    """Return the innermost line of the study file that the error came through."""
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(file)
    ]
    return lines[-1] if lines else None


def _line_with(source: str, text: str) -> int | None:
    """Return the first line that contains `text`, counted from 1."""
    for number, line in enumerate(source.splitlines(), start=1):
        if text in line:
            return number
    return None
