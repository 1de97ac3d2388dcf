"""Effects are performed in order, one at a time, and each once."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs

from app.protocol import ServerEvent
from app.services.core import EffectQueue
from app.sessions import Effect, Record, RefreshGame, RefreshWaitingRoom, ShowNextScene, WakeSweeper
from unit.fakes.world import World

ROOM, GAME, WAKE = RefreshWaitingRoom("match"), RefreshGame("g_1"), WakeSweeper()
NEXT = ShowNextScene("match")


class Performed:
    """A queue, what was performed from it, and what performing an effect causes.

    Attributes:
        log: session and effect, in order; "end" after each.
        causes: what an effect pushes while it is performed.
    """

    def __init__(self) -> None:
        self.queue = EffectQueue()
        self.queue.perform = self._perform
        self.log: list[tuple[str, Effect] | str] = []
        self.causes: dict[Effect, Callable[[], None]] = {}

    def _perform(self, session_id: str, effect: Effect) -> None:
        self.log.append((session_id, effect))
        if effect in self.causes:
            self.causes[effect]()
        self.log.append("end")


def test_effects_keep_their_order() -> None:
    """They are performed at once, in the order in which they were decided."""
    performed = Performed()
    performed.queue.push("s_1", (ROOM, GAME))
    performed.queue.push("s_2", (WAKE,))
    assert performed.log == [("s_1", ROOM), "end", ("s_1", GAME), "end", ("s_2", WAKE), "end"]


def test_what_an_effect_causes_waits_its_turn() -> None:
    """Nothing is performed in the middle of something else, however deep it goes."""
    performed = Performed()
    performed.causes[ROOM] = lambda: performed.queue.push("s_2", (GAME,))
    performed.causes[GAME] = lambda: performed.queue.push("s_3", (RefreshGame("g_2"),))
    performed.queue.push("s_1", (ROOM, WAKE))
    assert performed.log == [
        ("s_1", ROOM), "end",
        ("s_1", WAKE), "end",
        ("s_2", GAME), "end",
        ("s_3", RefreshGame("g_2")), "end",
    ]  # fmt: skip


def test_a_long_chain_needs_no_stack() -> None:
    """Effects that cause one another are a queue and no recursion."""
    performed = Performed()
    left = 5000

    def again() -> None:
        nonlocal left
        left -= 1
        if left:
            performed.queue.push("s_1", (ROOM,))

    performed.causes[ROOM] = again
    performed.queue.push("s_1", (ROOM,))
    assert left == 0


def test_what_waits_already_is_not_queued_twice() -> None:
    """Once is enough for a refresh that has not begun, whoever caused it; else it is done again."""
    performed = Performed()

    def cause() -> None:
        performed.queue.push("s_1", (GAME, GAME))
        performed.queue.push("s_1", (GAME,))
        performed.queue.push("s_2", (GAME,))

    performed.causes[WAKE] = cause
    performed.queue.push("s_1", (WAKE, GAME))
    assert [one for one in performed.log if one != "end"] == [
        ("s_1", WAKE), ("s_1", GAME),
    ]  # fmt: skip
    performed.queue.push("s_2", (GAME,))
    assert performed.log[-2] == ("s_2", GAME)


def test_what_is_gathered_is_performed_at_the_end_and_once() -> None:
    """However many change at once, their room is read once; also when something goes wrong."""
    performed = Performed()

    def change_many() -> None:
        with performed.queue.gathered():
            for session_id in ("s_1", "s_2", "s_3"):
                performed.queue.push(session_id, (ROOM, NEXT))
            assert performed.log == []
            raise KeyError

    with pytest.raises(KeyError):
        change_many()
    assert [one for one in performed.log if one != "end"] == [
        ("s_1", ROOM), ("s_1", NEXT), ("s_2", NEXT), ("s_3", NEXT),
    ]  # fmt: skip


def test_gathering_while_effects_are_performed_changes_nothing() -> None:
    """What is pushed there waits its turn as it would anyway."""
    performed = Performed()

    def cause() -> None:
        with performed.queue.gathered():
            performed.queue.push("s_2", (GAME,))

    performed.causes[ROOM] = cause
    performed.queue.push("s_1", (ROOM,))
    assert performed.log == [("s_1", ROOM), "end", ("s_2", GAME), "end"]


def test_gathering_outlasts_what_is_performed_when_it_begins() -> None:
    """As in another greenlet, while a store is waited for; nothing is left behind in the end."""
    performed = Performed()
    with ExitStack() as gathering:
        performed.causes[ROOM] = lambda: gathering.enter_context(performed.queue.gathered())
        performed.queue.push("s_1", (ROOM,))
        performed.queue.push("s_2", (GAME,))
        assert performed.log == [("s_1", ROOM), "end"]
    performed.queue.push("s_3", (WAKE,))
    assert [one for one in performed.log if one != "end"] == [
        ("s_1", ROOM), ("s_2", GAME), ("s_3", WAKE),
    ]  # fmt: skip


def test_records_are_logged_and_not_performed() -> None:
    """They are in the store already; the log of the process shows them too."""
    performed = Performed()
    with capture_logs() as logged:
        performed.queue.push("s_1", (Record("link_lost", {"reason": "ping timeout"}), ROOM))
    assert logged == [
        {
            "event": "link_lost",
            "session_id": "s_1",
            "reason": "ping timeout",
            "log_level": "info",
        }
    ]
    assert performed.log == [("s_1", ROOM), "end"]


def test_an_effect_that_fails_does_not_keep_the_others() -> None:
    """The change it belongs to is saved, so its failure is logged and nobody else's."""
    performed = Performed()

    def fail() -> None:
        raise KeyError("a fault")

    performed.causes[ROOM] = fail
    with capture_logs() as logged:
        performed.queue.push("s_1", (ROOM, GAME))
    assert performed.log == [("s_1", ROOM), ("s_1", GAME), "end"]
    assert [entry["log_level"] for entry in logged] == ["error"]


def test_the_times_come_from_the_settings() -> None:
    """Both policies are made of what the operator set."""
    core = World(
        loading_timeout_s=5,
        loading_budget_s=6,
        loading_grace=False,
        reconnect_grace_s=7,
        gone_kept_s=8,
        game_start_timeout_s=9,
    ).core
    assert (core.policy.loading_timeout_s, core.policy.loading_budget_s) == (5, 6)
    assert (core.policy.reconnect_grace_s, core.policy.gone_kept_s) == (7, 8)
    assert core.policy.loading_grace is False
    assert core.game_policy.game_start_timeout_s == 9


def test_telling_reaches_the_current_connection(world: World) -> None:
    """And says whether there is one: a session that is away is told when it is back."""
    participant = world.connect()
    payload: dict[str, object] = {"waiting": 1}
    assert world.core.tell(participant.session_id, ServerEvent.WAITING_ROOM, payload)
    assert participant.heard("waiting_room") == [payload]
    participant.lose()
    assert not world.core.tell(participant.session_id, ServerEvent.WAITING_ROOM, payload)
    assert not world.core.tell("nobody", ServerEvent.WAITING_ROOM, payload)
