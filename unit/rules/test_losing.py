"""Rules 1, 2, 3 and 12: what a lost connection is, and what ends a session."""

from typing import Any

import pytest

from app.sessions import advance
from app.sessions.events import LeaveRequested
from unit.fakes.pairs import come_to_wait, matched_pair, running_pair
from unit.fakes.participant import Participant
from unit.fakes.stores import FaultyStore
from unit.fakes.world import World
from unit.rules.conftest import Faults


def reading(world: World) -> Participant:
    """Somebody in the lobby."""
    return world.connect()


def playing(world: World) -> Participant:
    """Somebody whose game runs."""
    return running_pair(world)[0]


@pytest.mark.parametrize("somewhere", [reading, come_to_wait, playing])
def test_rule_01_a_lost_connection_cleans_nothing_up(world: World, somewhere: Any) -> None:
    """A loss starts a deadline: place, scene and seat are kept, and nobody is told of an end."""
    ann = somewhere(world)
    place, scene = ann.session.place, ann.session.scene
    ann.lose(close_code=1006)
    assert ann.session.link.state == "away"
    assert ann.session.deadline == world.clock.now() + 15.0
    assert (ann.session.place, ann.session.scene) == (place, scene)
    assert not world.log("cleanup_done")
    assert not any(one.payload.get("link") == "gone" for one in world.outbox.emitted)
    assert not any(one.event == "game_ended" for one in world.outbox.emitted)


@pytest.mark.parametrize("loads", [True, False], ids=["loading", "not loading"])
def test_rule_01_with_grace_off_a_lost_link_is_over_at_once(loads: bool) -> None:
    """The control run: the same loss ends the session, the partner is told, the log says `none`."""
    world = World(loading_grace=False)
    ann, bob = running_pair(world)
    if loads:
        ann.start_loading()
    ann.lose()
    assert world.log("link_lost", session_id=ann.session_id)[0]["grace"] == "none"
    assert ann.session.link.state == "gone"
    assert len(world.log("cleanup_done", session_id=ann.session_id)) == 1
    assert len(world.log("partner_told", session_id=bob.session_id)) == 1
    assert bob.heard("game_ended")[0]["reason"] == "player_gone"
    assert world.refusal(ann.page_id, token=ann.token) == "session_expired"


@pytest.mark.parametrize(
    ("loaded_for_s", "grace", "deadline_in_s"),
    [(0.0, "loading", 60.0), (20.0, "loading", 40.0), (50.0, "loading", 15.0)],
)
def test_rule_02_a_loading_page_has_the_rest_of_the_loading_grace(
    world: World, loaded_for_s: float, grace: str, deadline_in_s: float
) -> None:
    """While loading, the deadline is the rest of the grace, never less than the reconnect grace."""
    ann = world.connect()
    ann.start_loading()
    world.advance(loaded_for_s)
    ann.lose()
    (lost,) = world.log("link_lost")
    assert (lost["grace"], lost["deadline_in_s"]) == (grace, deadline_in_s)
    world.advance(deadline_in_s - 0.1)
    assert ann.session.link.state == "away"
    world.advance(0.1)
    assert ann.session.link.state == "gone"


def test_rule_03_grace_ends_by_itself_and_the_partner_is_told_once(world: World) -> None:
    """If the page never comes back, the skipped cleanup runs on time, once, and is told once."""
    ann, bob = running_pair(world)
    ann.start_loading()
    ann.lose()
    world.advance(59.5)
    assert not world.log("session_gone")
    assert not bob.heard("game_ended")
    world.advance(0.5)
    world.advance(3000.0)
    assert len(world.log("session_gone", session_id=ann.session_id)) == 1
    assert len(world.log("cleanup_done", session_id=ann.session_id)) == 1
    assert len(world.log("partner_told")) == 1
    assert [told["link"] for told in bob.heard("partner_status")].count("gone") == 1
    assert [ended["reason"] for ended in bob.heard("game_ended")] == ["player_gone"]


def test_rule_03_nothing_is_logged_of_a_load_whose_page_is_gone(world: World) -> None:
    """The end of a loading grace is logged as lost, gone and cleaned up, and as nothing else."""
    ann = world.connect()
    ann.start_loading()
    ann.lose()
    world.advance(100.0)
    logged = [entry["event"] for entry in world.log(session_id=ann.session_id)]
    assert logged == [
        "session_opened",
        "loading_started",
        "link_lost",
        "session_gone",
        "cleanup_done",
    ]


def test_rule_03_a_cleanup_that_was_not_performed_is_made_good(world: World) -> None:
    """A process that dies after saving a session's end leaves a game, which the sweeper ends."""
    ann, bob = running_pair(world)
    now, policy = world.clock.now(), world.core.policy
    world.store.change(
        ann.session_id, now, lambda session: advance(session, LeaveRequested(), now, policy)
    )
    world.advance(10.0)
    assert bob.heard("game_ended")[0]["reason"] == "player_left"
    assert len(world.log("partner_told")) == 1


def test_rule_03_one_broken_record_keeps_no_other_grace_from_ending(faults: Faults) -> None:
    """Whatever is wrong with one session, the others end on time."""
    store = FaultyStore()
    world = World(store=store)
    ann, bob = world.connect(), world.connect()
    ann.lose()
    bob.lose()
    store.unreadable = ann.session_id
    world.advance(15.0)
    assert bob.session.link.state == "gone"
    assert {entry["event"] for entry in faults if "exc_info" in entry} == {"deadline_failed"}
    faults.clear()


def test_rule_12_leaving_ends_at_once(world: World) -> None:
    """A button is no accident: the session is over, the partner told, the connection closed."""
    ann, bob = running_pair(world)
    assert ann.say("leave") == {"ok": True}
    assert ann.session.link.why == "left"
    assert bob.heard("game_ended")[0]["reason"] == "player_left"
    assert ann.sid in world.outbox.closed
    assert ann.say("join_game")["error"]["code"] in ("session_over", "out_of_turn")
    assert world.refusal(ann.page_id, token=ann.token) == "session_expired"


def test_rule_12_the_end_of_the_study_ends_the_session(world: World) -> None:
    """Who reaches the end scene is finished: shown it, cleaned up, and kept as a record only."""
    ann, bob = running_pair(world)
    bob.say("leave")
    ann.say("advance_scene", scene_id="match")
    assert ann.say("advance_scene", scene_id="questions") == {"ok": True, "scene_id": "end"}
    assert ann.heard("scene_activated")[-1]["kind"] == "end"
    assert (ann.session.link.why, ann.session.place.state) == ("finished", "finished")
    assert len(world.log("cleanup_done", session_id=ann.session_id)) == 1


@pytest.mark.parametrize(
    ("close_code", "grace", "deadline_in_s"),
    [
        (1001, "reconnect", 15.0),
        (None, "loading", 60.0),
        (1000, "loading", 60.0),
        (1005, "loading", 60.0),
        (1006, "loading", 60.0),
        (1011, "loading", 60.0),
    ],
)
def test_rule_12_only_a_page_that_goes_away_is_given_less(
    world: World, close_code: int | None, grace: str, deadline_in_s: float
) -> None:
    """Close code 1001, and no other, gives a loading page the reconnect grace."""
    ann = world.connect()
    ann.start_loading()
    ann.lose(close_code)
    (lost,) = world.log("link_lost")
    assert (lost["close_code"], lost["grace"]) == (close_code, grace)
    assert lost["deadline_in_s"] == deadline_in_s


def test_rule_12_a_reload_fits_into_the_reconnect_grace(world: World) -> None:
    """A page that is reloaded while it loads is the same session, in its seat."""
    ann, bob = matched_pair(world)
    game_id = ann.game_id
    ann.start_loading()
    ann.lose(1001)
    world.advance(3.0)
    ann.reload()
    assert ann.opened["resumed"]
    assert ann.opened["game"]["game_id"] == game_id
    assert not bob.heard("game_ended")


@pytest.mark.parametrize("loads", [True, False], ids=["loading", "not loading"])
def test_rule_12_a_browser_out_of_reach_is_given_its_grace(world: World, loads: bool) -> None:
    """Noticed within two presence intervals; nobody has said that the page goes away."""
    ann, bob = running_pair(world)
    if loads:
        ann.start_loading()
    world.websockets[ann.sid].answers = False
    world.advance(11.0)
    (lost,) = world.log("link_lost")
    assert (lost["cause"], lost["close_code"]) == ("network_lost", None)
    assert lost["grace"] == ("loading" if loads else "reconnect")
    assert "busy" not in [told["link"] for told in bob.heard("partner_status")]


@pytest.mark.parametrize(
    ("close_code", "reason", "cause"),
    [
        (1001, "transport close", "page_closed"),
        (1005, "transport close", "page_disconnected"),
        (None, "transport close", "network_lost"),
        (None, "client disconnect", "page_disconnected"),
        (None, "ping timeout", "heartbeat_missed"),
    ],
)
def test_rule_12_the_log_tells_the_cause(
    world: World, close_code: int | None, reason: str, cause: str
) -> None:
    """From what the browser said, what the server saw, and only then Engine.IO's word."""
    ann = world.connect()
    world.lose(ann.sid, close_code, reason)
    (lost,) = world.log("link_lost")
    assert (lost["cause"], lost["close_code"], lost["reason"]) == (cause, close_code, reason)
    assert ("silent_s" in lost) is (cause == "heartbeat_missed")


def test_rule_12_a_restart_is_a_cause_of_its_own(world: World) -> None:
    """Whoever was connected is lost with the server."""
    world.connect()
    (lost,) = world.restart().log("link_lost")
    assert lost["cause"] == "server_restart"
