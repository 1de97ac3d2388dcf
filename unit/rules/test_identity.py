"""Rules 5 and 6: which page a session belongs to, and that it is bound before anything is said."""

from typing import Any

import pytest

from app import create_app
from unit.fakes.pairs import come_to_wait, running_pair
from unit.fakes.world import World


def test_rule_05_the_newest_page_wins(world: World) -> None:
    """A page that was replaced is told so, closed, and refused when it tries again."""
    ann = world.connect()
    old_sid, old_page = ann.sid, ann.page_id
    ann.reload()
    assert ann.opened["epoch"] == 2
    assert world.outbox.events(old_sid)[-1] == "session_taken_over"
    assert old_sid in world.outbox.closed
    assert world.refusal(old_page, token=ann.token) == "session_taken_over"
    assert ann.session.page_id == ann.page_id


def test_rule_05_a_refused_page_changes_nothing(world: World) -> None:
    """The page that took over does not notice that the other one tried."""
    ann = world.connect()
    old_page = ann.page_id
    ann.reload()
    before = ann.session
    world.refusal(old_page, token=ann.token)
    world.advance(20.0)
    assert ann.session == before
    assert ann.say("join_game")["ok"]


def test_rule_05_what_a_replaced_page_still_says_is_refused(world: World) -> None:
    """Until its connection is closed a replaced page may talk, and is not listened to."""
    ann = world.connect()
    old_sid = ann.sid
    ann.reload()
    for event, payload in [("join_game", {}), ("leave", {}), ("advance_scene", {"scene_id": "a"})]:
        assert world.say(old_sid, event, payload)["error"]["code"] == "session_taken_over"
    assert ann.session.place.state == "lobby"


def test_rule_05_the_end_of_an_old_connection_changes_nothing(world: World) -> None:
    """A loss that is noticed after the reconnection is not a loss."""
    ann, _ = running_pair(world)
    old_sid = ann.sid
    ann.come_back()
    before, logged = ann.session, len(world.log())
    world.lose(old_sid, close_code=1006)
    assert ann.session == before
    assert len(world.log()) == logged


def test_rule_05_a_reconnection_is_no_take_over(world: World) -> None:
    """The same page on a new connection is not told that it was replaced by itself."""
    ann = world.connect()
    old_sid = ann.sid
    ann.come_back()
    assert "session_taken_over" not in world.outbox.events(old_sid)
    assert old_sid in world.outbox.closed


def test_rule_05_a_session_has_one_current_connection(world: World) -> None:
    """However often somebody reconnects, one connection is left, and nothing of the others."""
    ann = world.connect()
    for _ in range(20):
        ann.come_back()
        ann.reload()
    world.advance(3.0)
    assert len(world.core.connections) == 1
    assert ann.session.epoch == 41


def test_rule_06_the_first_event_is_the_session(world: World) -> None:
    """`session_opened` comes before everything else on a connection, on the first and on later."""
    ann, bob = running_pair(world)
    ann.lose()
    world.advance(1.0)
    ann.come_back()
    waiting = come_to_wait(world)
    waiting.reload()
    for somebody in (ann, bob, waiting):
        assert world.outbox.events(somebody.sid)[0] == "session_opened"


def test_rule_06_nothing_is_heard_of_a_connection_without_a_session(world: World) -> None:
    """Identity is bound at CONNECT; there is no other way to say who one is."""
    answer = world.say("sid_unknown", "join_game")
    assert answer["error"]["code"] == "session_over"


BUFFERED: list[list[str]] = [
    ["start", "packages", "complete"],
    ["complete", "start", "packages"],
    ["packages", "start", "complete", "complete"],
    ["start", "start", "complete", "packages"],
]


@pytest.mark.parametrize("order", BUFFERED, ids=" ".join)
def test_rule_06_the_order_of_buffered_events_does_not_matter(
    world: World, order: list[str]
) -> None:
    """The runtime is restated at CONNECT: what was buffered may come after it in any order."""
    ann = world.connect()
    ann.lose()
    world.advance(2.0)
    ann.come_back(runtime={"state": "loading", "attempt_id": "attempt_1"})
    said: dict[str, Any] = {
        "start": ann.start_loading,
        "packages": lambda: ann.reach("packages"),
        "complete": ann.complete_loading,
    }
    for what in order:
        assert said[what]()["ok"]
    assert ann.session.runtime.state == "ready"


def test_rule_06_events_of_one_connection_are_handled_in_order(world: World) -> None:
    """Socket.IO may not give each event a greenlet of its own: they would overtake each other."""
    app = create_app(world.settings, clock=world.clock, store=world.store, study=world.core.study)
    assert app.extensions["grace"].socketio.server.async_handlers is False
