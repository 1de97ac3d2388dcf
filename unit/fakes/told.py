"""What a page knows from what it was told on its present connection, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

from unit.fakes.participant import Participant


@dataclass(slots=True)
class Told:
    """A page's view of the world.

    Attributes:
        place: where the participant is.
        waiting: how many wait in the room, as last said.
        game: "matched", "running", "paused", or None without a game.
        partners: every partner's link and runtime, by player.
        steps: the steps of the game, from its beginning.
    """

    place: str = ""
    waiting: int | None = None
    game: str | None = None
    partners: dict[str, tuple[str, str]] = field(default_factory=dict)
    steps: list[list[Any]] = field(default_factory=list)

    def hear(self, event: str, payload: dict[str, Any]) -> None:
        """Take one event in, as a page does."""
        match event:
            case "session_opened":
                self.place = payload["place"]
                if "game" in payload:
                    self._resume(payload["game"])
            case "waiting_room":
                self.place, self.waiting = "waiting", payload["waiting"]
            case "game_matched":
                self.place, self.game, self.partners = "playing", "matched", {}
                self.steps = [[0] * len(payload["players"])] * payload["input_delay_frames"]
            case "game_started" | "game_resumed":
                self.game = "running"
            case "game_paused":
                self.game = "paused"
            case "game_ended":
                self.place, self.game, self.partners = payload["place"], None, {}
            case "scene_activated":
                self.place = "finished" if payload["kind"] == "end" else "lobby"
            case "partner_status":
                self.partners[payload["player"]] = (payload["link"], payload["runtime"])
            case "frame_actions":
                assert payload["from_frame"] == len(self.steps), "steps are missing, or twice"
                self.steps += payload["actions"]

    def _resume(self, game: dict[str, Any]) -> None:
        assert game["from_frame"] == 0
        self.steps = list(game["actions"])
        self.game = "matched"
        if game["started"]:
            self.game = "paused" if game["paused"] else "running"


def told(participant: Participant) -> Told:
    """What the participant's page knows now."""
    view = Told()
    for one in participant.world.outbox.emitted:
        if one.sid == participant.sid:
            view.hear(one.event, one.payload)
    return view
