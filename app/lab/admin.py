"""The server's admin interface as a client: sessions, games and the event log, as JSON."""

import json
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from app.lab.waiting import until

Event: TypeAlias = dict[str, Any]
"""One entry of the server's event log: `{seq, at, session_id, event, ...}`, `at` in UTC seconds."""

REQUEST_TIMEOUT_S = 10.0
"""Seconds for one answer. The server shares its cores with throttled browsers."""


class AdminClient:
    """Reads what the server knows, with its bearer token.

    Every method raises `OSError` (`urllib.error.URLError`) when the server does not answer.

    Args:
        url: address of the server, without a path.
        token: its `GRACE_ADMIN_TOKEN`.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def sessions(self) -> list[dict[str, Any]]:
        """Every session that the server still lists."""
        return self._list("sessions")

    def games(self) -> list[dict[str, Any]]:
        """Every game that the server still lists."""
        return self._list("games")

    def events(self, after: int = 0) -> list[Event]:
        """The event log, in order.

        Args:
            after: only entries whose `seq` is greater.
        """
        return self._list(f"events?after={after}")

    def session(self, session_id: str) -> dict[str, Any] | None:
        """One session, or None when the server does not list it."""
        return next((one for one in self.sessions() if one["session_id"] == session_id), None)

    def opened_by(self, participant: str, timeout_s: float = 30.0) -> str:
        """The id of the session that a participant has opened, waited for if there is none yet.

        Unlike asking the page, it works while the page is frozen.

        Args:
            participant: the label that the page was opened with.
            timeout_s: seconds to wait at most.

        Raises:
            NotReached: it was not opened in time.
        """
        opened = self.wait_for_event(
            "session_opened",
            where=lambda entry: entry.get("participant") == participant,
            timeout_s=timeout_s,
        )
        return str(opened["session_id"])

    def wait_for_event(
        self,
        name: str,
        *,
        session_id: str | None = None,
        where: Callable[[Event], bool] | None = None,
        timeout_s: float = 10.0,
    ) -> Event:
        """The first entry of the whole log that fits, waited for if it is not there yet.

        Args:
            name: its `event`.
            session_id: of this session only.
            where: a further condition.
            timeout_s: seconds to wait at most.

        Raises:
            NotReached: it did not come in time; the message ends with the names that did.
        """

        def look() -> Event | None:
            fitting = select(self.events(), name, session_id=session_id, where=where)
            return fitting[0] if fitting else None

        return until(
            look,
            what=f"event {name}" + (f" of session {session_id}" if session_id else ""),
            timeout_s=timeout_s,
            instead=lambda: ", ".join(str(entry["event"]) for entry in self.events()),
        )

    def process(self) -> dict[str, Any]:
        """What is alive in the server: `{up_for_s, sockets, connections, greenlets}`."""
        figures: dict[str, Any] = self._get("process")
        return figures

    def _list(self, path: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._get(path)
        return listed

    def _get(self, path: str) -> Any:
        address = f"{self._url}/admin/api/{path}"
        token = {"Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(address, headers=token)  # noqa: S310 - our own http server
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as answer:  # noqa: S310
            return json.load(answer)


def select(
    events: Sequence[Event],
    name: str,
    *,
    session_id: str | None = None,
    where: Callable[[Event], bool] | None = None,
) -> list[Event]:
    """The entries of a log with this name, of this session, under this condition, in order."""
    return [
        entry
        for entry in events
        if entry["event"] == name
        and (session_id is None or entry.get("session_id") == session_id)
        and (where is None or where(entry))
    ]
