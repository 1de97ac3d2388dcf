"""What two participants do and leave behind when they play slime volleyball."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.lab.admin import Event
from app.lab.participant import Participant
from app.lab.server import ServerProcess
from app.services.static_files import runner_file
from app.services.study_files import load_study
from app.studies import Game

EPISODE_FRAMES = 150
"""`max_steps` of the study `game_first.py`."""

EPISODE_TIMEOUT_S = 60.0

FREEZING: Mapping[str, Any] = {"runtime": "main", "snapshots": False}
"""Settings with which a load freezes the page, as it does on most sites."""


def finish_episode(
    server: ServerProcess,
    first: Participant,
    second: Participant,
    timeout_s: float = EPISODE_TIMEOUT_S,
) -> Event:
    """Play to the end of the episode on real keyboards; returns the server's `game_ended`.

    Args:
        server: their server.
        first: holds the left arrow, and so runs to the wall, away from every ball on the left.
        second: holds the right arrow: no rally can draw the match out.
        timeout_s: seconds from now to the start, and from the start to the end.
    """
    started = server.admin.wait_for_event("game_started", timeout_s=timeout_s)
    with first.hold("ArrowLeft"), second.hold("ArrowRight"):
        ended = server.admin.wait_for_event(
            "game_ended",
            where=lambda entry: entry["game_id"] == started["game_id"],
            timeout_s=timeout_s,
        )
    assert ended["reason"] == "completed"
    for page in (first, second):
        page.wait_for(game="ended", place="lobby")
        page.part("result").wait_for(state="visible")
    return ended


def assert_equal_states(ended: Event, first: Participant, second: Participant) -> None:
    """Both pages have hashed the same states of the game, the last of them the server's too.

    Args:
        ended: the server's `game_ended`.
        first: one player.
        second: the other.
    """
    states = [
        {
            entry["frame"]: entry["hash"]
            for entry in page.recorded("game_state_hashed")
            if entry["game_id"] == ended["game_id"]
        }
        for page in (first, second)
    ]
    assert states[0] == states[1]
    assert states[0][ended["result"]["frame"]] == ended["result"]["hash"]


def idle_state(study_file: Path, seed: int) -> str:
    """The hash of the last state of a study's first game when nobody touches a key.

    Computed here, outside the browser, by the module that also steps it there.
    """
    loaded = load_study(study_file)
    scene = next(scene for scene in loaded.study.scenes if isinstance(scene, Game))
    spec = importlib.util.spec_from_file_location("grace_runner", runner_file())
    assert spec is not None
    assert spec.loader is not None
    runner_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner_module)
    source = loaded.environments[scene.scene_id].source
    runner = runner_module.Runner(source, "environment.py", json.dumps(dict(scene.config)))
    runner.reset(seed)
    idle = json.dumps([0] * scene.players)
    while not runner.step(idle):
        pass
    state: str = runner.state_hash()
    return state


def block_main_thread(participant: Participant, seconds: float) -> None:
    """Let a page compute for a time without yielding, as a load does; returns at once."""
    participant.page.evaluate(
        """(ms) => void setTimeout(() => {
            const end = performance.now() + ms;
            while (performance.now() < end);
        })""",
        seconds * 1000,
    )
