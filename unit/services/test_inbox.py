"""Losses are taken without waiting, and worked off in order."""

from collections.abc import Callable
from typing import cast

import pytest
from structlog.testing import capture_logs

from app.clock import ManualClock
from app.errors import GraceError, StoreBusy
from app.services.inbox import RETRY_S, Loss, LossInbox
from app.services.sessions import SessionService
from app.sessions import LossCause
from app.sessions.events import ConnectionLost


class Sessions:
    """In place of the session service: notes losses, and fails as it is told to."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.failures: list[Exception] = []

    def connection_lost(self, sid: str, event_of: Callable[[int], ConnectionLost]) -> None:
        """Note it, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        loss = event_of(1)
        self.lost.append(f"{sid} {loss.reason} {loss.close_code} {loss.cause}")


class Desk:
    """An inbox, what it hands over to, and the clock it waits on."""

    def __init__(self) -> None:
        self.sessions = Sessions()
        self.clock = ManualClock(0.0)
        self.inbox = LossInbox(cast("SessionService", self.sessions), self.clock)

    def put(self, *sids: str) -> None:
        """Lose these connections."""
        for sid in sids:
            self.inbox.put(Loss(sid, "transport close", 1001, LossCause.PAGE_CLOSED))

    @property
    def lost(self) -> list[str]:
        """The connections whose loss was handed over, in order."""
        return [line.split()[0] for line in self.sessions.lost]


def test_nothing_happens_until_it_is_worked_off() -> None:
    """`put` is called inside the task that watches all clients."""
    desk = Desk()
    desk.put("a", "b")
    assert desk.lost == []
    desk.inbox.drain()
    assert desk.sessions.lost == [
        "a transport close 1001 page_closed",
        "b transport close 1001 page_closed",
    ]


def test_draining_ends_when_it_is_empty() -> None:
    """Also when nothing is in it, and what is drained is not done again."""
    desk = Desk()
    desk.inbox.drain()
    desk.put("a")
    desk.inbox.drain()
    desk.inbox.drain()
    assert desk.lost == ["a"]


def test_running_ends_after_what_is_there() -> None:
    """`stop` lets what came before it be worked off, and nothing after it."""
    desk = Desk()
    desk.put("a", "b")
    desk.inbox.stop()
    desk.put("c")
    desk.inbox.run()
    assert desk.lost == ["a", "b"]


def test_a_store_that_is_busy_is_tried_again() -> None:
    """A loss that was forgotten would leave its session connected for ever."""
    desk = Desk()
    desk.sessions.failures = [StoreBusy("another process")]
    desk.put("a", "b")
    with capture_logs() as logged:
        desk.inbox.drain()
    assert desk.lost == ["b"]
    assert [entry["event"] for entry in logged] == ["loss_postponed"]
    assert desk.clock.now() == RETRY_S
    desk.inbox.drain()
    assert desk.lost == ["b", "a"]


def test_draining_does_not_wait_for_a_store_that_stays_busy() -> None:
    """Each loss is tried once, so that the server can stop."""
    desk = Desk()
    desk.sessions.failures = [StoreBusy("another process")] * 5
    desk.put("a", "b")
    desk.inbox.drain()
    assert desk.lost == []
    assert len(desk.sessions.failures) == 3


@pytest.mark.parametrize("failure", [GraceError("ours"), KeyError("a fault"), TypeError("a fault")])
def test_a_loss_that_fails_does_not_keep_the_others(failure: Exception) -> None:
    """Whatever goes wrong is logged, and everybody else's grace begins."""
    desk = Desk()
    desk.sessions.failures = [failure]
    desk.put("a", "b")
    desk.inbox.stop()
    with capture_logs() as logged:
        desk.inbox.run()
    assert desk.lost == ["b"]
    assert [entry["event"] for entry in logged] == ["loss_failed"]
