"""The models of a study: frozen dataclasses that refuse, when they are made, what cannot be played.

Every refusal is an `app.errors.StudyError` whose message says what to change. Lists are accepted
wherever a sequence is asked for, and kept as tuples.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from app.errors import StudyError
from app.studies.checks import (
    as_tuple_of,
    first_repeated,
    require,
    require_identifier,
    require_text,
    require_whole,
)
from app.studies.requirements import checked_packages

# The page combines held controls with JavaScript's `|`, which works on signed 32-bit integers.
HIGHEST_CONTROL_VALUE = 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """A thing that a player can do, and the keys that do it.

    Attributes:
        label: what the page calls it, such as "Jump".
        keys: `KeyboardEvent.code` names (UI Events specification), such as "ArrowUp" or "KeyW".
        value: a power of two; the action of a step is the bitwise OR of the held controls' values.
    """

    label: str
    keys: Sequence[str]
    value: int

    def __post_init__(self) -> None:
        """Refuse a control that no key reaches or whose value is not one bit."""
        require_text(self.label, "A control's label")
        name = f"Control {self.label!r}"
        object.__setattr__(self, "keys", as_tuple_of(str, self.keys, f"{name}: keys"))
        require(
            len(self.keys) > 0 and all(key.isascii() and key.isalnum() for key in self.keys),
            f"{name}: keys is {self.keys!r}: give at least one KeyboardEvent.code, "
            "such as 'ArrowLeft' or 'KeyA'.",
        )
        require_whole(self.value, f"{name}: value", 1, HIGHEST_CONTROL_VALUE)
        require(
            self.value.bit_count() == 1,
            f"{name}: value is {self.value}: use a power of two (1, 2, 4, 8, ...), "
            "so that held controls can be told apart.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A scene to read, with a button that leads on.

    Attributes:
        scene_id: the scene's name in the study, in the log and in addresses.
        title: heading, plain text.
        markdown: the body in CommonMark with tables; raw HTML is shown as text.
        button: label of the button.
    """

    scene_id: str
    title: str
    markdown: str
    button: str = "Continue"

    def __post_init__(self) -> None:
        """Refuse a scene without a name, a heading or a button."""
        name = _check_heading("Text", self.scene_id, self.title)
        require_text(self.markdown, f"{name}: markdown", may_be_empty=True)
        require_text(self.button, f"{name}: button")


@dataclass(frozen=True, kw_only=True, slots=True)
class Game:
    """A scene in which participants step one environment together.

    Attributes:
        scene_id: the scene's name in the study, in the log and in addresses.
        title: heading, plain text.
        markdown: what stands beside the canvas, in CommonMark; may be empty.
        environment: the environment's Python file, relative to the study file.
        players: how many participants make one game, 2 to 8.
        steps_per_s: steps of the environment a second, 1 to 60.
        width, height: size of the canvas in its own units, which `render()` draws in.
        controls: what the players can do; distinct values, no key twice.
        config: keyword arguments for `parallel_env()`; JSON values.
        waiting_timeout_s: longest time in the waiting room, in seconds; None: no limit.
        on_unstarted: where those who are left go when a game ends before it started:
            back to the front of the queue, or on with the study.
    """

    scene_id: str
    title: str
    markdown: str = ""
    environment: str
    players: int = 2
    steps_per_s: int = 30
    width: int = 600
    height: int = 400
    controls: Sequence[Control] = ()
    # Left out of the hash because a dict has none; equality still compares it.
    config: Mapping[str, object] = field(default_factory=dict, hash=False)
    waiting_timeout_s: float | None = 600.0
    on_unstarted: Literal["requeue", "continue"] = "requeue"

    def __post_init__(self) -> None:
        """Refuse a game that the server or the page could not play."""
        name = _check_heading("Game", self.scene_id, self.title)
        require_text(self.markdown, f"{name}: markdown", may_be_empty=True)
        _check_environment_path(self.environment, name)
        require_whole(self.players, f"{name}: players", 2, 8)
        require_whole(self.steps_per_s, f"{name}: steps_per_s", 1, 60)
        require_whole(self.width, f"{name}: width", 50, 4000)
        require_whole(self.height, f"{name}: height", 50, 4000)
        controls = as_tuple_of(Control, self.controls, f"{name}: controls")
        object.__setattr__(self, "controls", controls)
        _check_controls(controls, name)
        object.__setattr__(self, "config", _json_copy(self.config, f"{name}: config"))
        timeout_s: object = self.waiting_timeout_s
        require(
            timeout_s is None
            or (isinstance(timeout_s, (int, float)) and math.isfinite(timeout_s) and timeout_s > 0),
            f"{name}: waiting_timeout_s is {timeout_s!r}: use a number of seconds above 0, "
            "or None for no limit.",
        )
        require(
            self.on_unstarted in ("requeue", "continue"),
            f"{name}: on_unstarted is {self.on_unstarted!r}: use 'requeue' or 'continue'.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """The last scene: the participant is done, and the session keeps nothing but its record.

    Attributes:
        scene_id: the scene's name in the study, in the log and in addresses.
        title: heading, plain text.
        markdown: the body in CommonMark with tables; raw HTML is shown as text.
    """

    scene_id: str
    title: str
    markdown: str

    def __post_init__(self) -> None:
        """Refuse a scene without a name or a heading."""
        name = _check_heading("End", self.scene_id, self.title)
        require_text(self.markdown, f"{name}: markdown", may_be_empty=True)


Scene: TypeAlias = Text | Game | End


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """A list of scenes, played from the first to the last.

    Attributes:
        study_id: the study's name in the log and in the export.
        title: what the page shows as its title, plain text.
        scenes: at least one; an `End` may only be the last.
        packages: Python packages of the package index that the environments use, such as
            "networkx>=3.4".
        distribution_packages: names of packages of Pyodide's own distribution, such as "numpy".
    """

    study_id: str
    title: str
    scenes: Sequence[Scene]
    packages: Sequence[str] = ()
    distribution_packages: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse a study without scenes, with two of one name, or with an end before its end."""
        require_identifier(self.study_id, "study_id")
        require_text(self.title, f"Study {self.study_id!r}: title")
        require(
            isinstance(self.scenes, (list, tuple))
            and all(isinstance(scene, Text | Game | End) for scene in self.scenes),
            f"Study {self.study_id!r}: scenes must be a list of Text, Game and End objects.",
        )
        object.__setattr__(self, "scenes", tuple(self.scenes))
        require(
            len(self.scenes) > 0,
            f"Study {self.study_id!r} has no scenes: give it at least one Text or Game.",
        )
        twice = first_repeated([scene.scene_id for scene in self.scenes])
        require(
            twice is None,
            f"Two scenes have the scene_id {twice!r}: give each scene an id of its own.",
        )
        for scene in self.scenes[:-1]:
            require(
                not isinstance(scene, End),
                f"End {scene.scene_id!r} is not the last scene: move it to the end of `scenes`.",
            )
        packages, distributed = checked_packages(
            self.packages, self.distribution_packages, f"Study {self.study_id!r}"
        )
        object.__setattr__(self, "packages", packages)
        object.__setattr__(self, "distribution_packages", distributed)


def _check_heading(kind: str, scene_id: object, title: object) -> str:
    """Check what every scene has; return the scene's name for further refusals."""
    require_identifier(scene_id, f"{kind}: scene_id")
    name = f"{kind} {scene_id!r}"
    require_text(title, f"{name}: title")
    return name


def _check_environment_path(environment: object, name: str) -> None:
    """Refuse what does not name a Python file in the study's folder or below it."""
    path = PurePosixPath(environment) if isinstance(environment, str) else PurePosixPath("/")
    require(
        isinstance(environment, str)
        and path.suffix == ".py"
        and not path.is_absolute()
        and ".." not in path.parts
        and not any(character in environment for character in "\\:\0"),
        f"{name}: environment is {environment!r}: name a .py file in the study's own folder, "
        "relative to the study file, without '..'.",
    )


def _check_controls(controls: Sequence[Control], name: str) -> None:
    """Refuse controls that share a value or a key."""
    value = first_repeated([control.value for control in controls])
    require(
        value is None,
        f"{name}: two controls have the value {value}: give each a power of two of its own.",
    )
    key = first_repeated([key for control in controls for key in control.keys])
    require(key is None, f"{name}: the key {key!r} is used twice: give each control its own keys.")


def _json_copy(config: object, name: str) -> dict[str, object]:
    """Return a copy that nobody else holds, as the browser will read it (tuples become lists)."""
    require(
        isinstance(config, dict) and all(isinstance(key, str) for key in config),
        f"{name} is {config!r}: write a dict whose keys are strings.",
    )
    try:
        copy: dict[str, object] = json.loads(json.dumps(config, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise StudyError(
            f"{name} cannot be written as JSON ({error}): use only strings, finite numbers, "
            "booleans, None, lists and dicts."
        ) from error
    return copy
