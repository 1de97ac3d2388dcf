"""A participant: a page of a `World`, which says what a page says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.busy import BUSY_AFTER_S

if TYPE_CHECKING:
    from app.sessions import Session
    from unit.fakes.world import World


class Participant:
    """One person in one tab. The connection and the page change, the session does not.

    Attributes:
        sid: the connection, the last one when there is none now.
        page_id: the page.
        opened: the `session_opened` payload of that connection.
    """

    def __init__(self, world: World, sid: str, page_id: str, opened: dict[str, Any]) -> None:
        self.world = world
        self.sid = sid
        self.page_id = page_id
        self.opened = opened

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return str(self.opened["session_id"])

    @property
    def token(self) -> str:
        """The credential of the session."""
        return str(self.opened["token"])

    @property
    def session(self) -> Session:
        """The session as it is stored."""
        return self.world.session(self.session_id)

    @property
    def game_id(self) -> str:
        """The game in which the participant has a seat."""
        return str(self.session.place.game_id)

    def say(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send a message, and return its acknowledgement."""
        return self.world.say(self.sid, event, payload)

    def heard(self, event: str) -> list[dict[str, Any]]:
        """The payloads of that event on the present connection, in order."""
        return self.world.outbox.heard(self.sid, event)

    def lose(self, close_code: int | None = None) -> None:
        """Lose the connection."""
        self.world.lose(self.sid, close_code)

    def come_back(self, **auth: Any) -> Participant:
        """The same page connects again."""
        return self._connect(self.page_id, auth)

    def reload(self, **auth: Any) -> Participant:
        """A new page connects with the same credential."""
        return self._connect(None, auth)

    def _connect(self, page_id: str | None, auth: dict[str, Any]) -> Participant:
        back = self.world.connect(page_id, token=self.token, **auth)
        self.sid, self.page_id, self.opened = back.sid, back.page_id, back.opened
        return self

    def move_to(self, world: World) -> None:
        """From now on, talk to a server that was started anew."""
        self.world = world

    def freeze(self) -> None:
        """The page's main thread is blocked; it owes a heartbeat, and the server has noticed."""
        self.world.ping(self.sid)
        self.world.advance(BUSY_AFTER_S)

    def thaw(self) -> None:
        """The page answers the heartbeat, and the server has noticed."""
        self.world.pong(self.sid)
        self.world.advance(0.0)

    def start_loading(self, attempt_id: str = "attempt_1", path: str = "preload") -> dict[str, Any]:
        """Announce a load."""
        return self.say("pyodide_loading_start", attempt_id=attempt_id, path=path, runtime="main")

    def reach(self, stage: str, attempt_id: str = "attempt_1") -> dict[str, Any]:
        """Announce a stage of the load."""
        return self.say("pyodide_loading_progress", attempt_id=attempt_id, stage=stage)

    def complete_loading(
        self, attempt_id: str = "attempt_1", error: str | None = None
    ) -> dict[str, Any]:
        """Announce the end of a load."""
        payload: dict[str, Any] = {"attempt_id": attempt_id}
        if error is not None:
            payload["error"] = error
        return self.say("pyodide_loading_complete", **payload)

    def join(self) -> dict[str, Any]:
        """Queue for the game of the scene."""
        return self.say("join_game")

    def declare_ready(self) -> dict[str, Any]:
        """Say that the environment is at the game's present frame."""
        return self.say("player_ready", game_id=self.game_id)

    def act(self, frame: int, action: int = 0) -> dict[str, Any]:
        """Send the action of a frame."""
        return self.say("player_action", game_id=self.game_id, frame=frame, action=action)
