"""Players are told of each other, whenever it changes and not otherwise."""

from typing import Any

import pytest

from app.errors import StoreBusy
from unit.fakes.participant import Participant
from unit.fakes.studies import one_game
from unit.fakes.world import World
from unit.services.players import started


def seated(world: World, count: int = 2) -> list[Participant]:
    """Participants in one game, in the order of their seats."""
    everybody = []
    for _ in range(count):
        participant = world.connect()
        participant.join()
        world.clock.advance(1)
        everybody.append(participant)
    return everybody


def of(participant: Participant) -> list[tuple[str, str, str]]:
    """Who was said to be how: player, link and runtime."""
    return [
        (status["player"], status["link"], status["runtime"])
        for status in participant.heard("partner_status")
    ]


def test_partners_hear_of_each_other_at_the_match(world: World) -> None:
    """Each of the others, nobody of themselves."""
    one, other = seated(world)
    assert of(one) == [("player_1", "connected", "cold")]
    assert of(other) == [("player_0", "connected", "cold")]


def test_a_load_is_seen_with_its_time(world: World) -> None:
    """The partner sees that Python loads, and how long that can last at most."""
    one, other = seated(world)
    one.start_loading()
    status = other.heard("partner_status")[-1]
    assert status == {
        "game_id": one.game_id,
        "player": "player_0",
        "link": "connected",
        "runtime": "loading",
        "seconds_left": 60.0,
    }
    one.complete_loading()
    assert of(other)[-1] == ("player_0", "connected", "ready")
    assert "seconds_left" not in other.heard("partner_status")[-1]


def test_a_loss_is_seen_with_its_time(world: World) -> None:
    """Away, with the seconds left; back; and gone when they have passed."""
    one, other = seated(world)
    one.lose()
    assert other.heard("partner_status")[-1]["seconds_left"] == 15.0
    one.come_back()
    one.lose()
    world.advance(15)
    assert [link for _, link, _ in of(other)] == [
        "connected", "away", "connected", "away", "gone",
    ]  # fmt: skip


def test_what_has_not_changed_is_not_told(world: World) -> None:
    """A refresh without news sends nothing to anybody."""
    one, other = seated(world)
    before = len(world.outbox.emitted)
    for _ in range(5):
        world.games.refresh(one.game_id)
    assert len(world.outbox.emitted) == before
    other.start_loading()
    other.start_loading()
    assert len(world.outbox.emitted) == before + 1


def test_who_connects_hears_of_all_the_others() -> None:
    """Right after `session_opened`, as they are then."""
    world = World(one_game(players=3))
    one, other, third = seated(world, 3)
    other.start_loading()
    third.lose()
    one.lose()
    world.clock.advance(5)
    one.come_back()
    events = world.outbox.events(one.sid)
    assert events[:3] == ["session_opened", "partner_status", "partner_status"]
    assert of(one)[:2] == [("player_1", "connected", "loading"), ("player_2", "away", "cold")]
    assert [status["seconds_left"] for status in one.heard("partner_status")[:2]] == [55.0, 10.0]


def test_nothing_that_is_told_could_take_a_session_over(world: World) -> None:
    """Partners know each other as players: no session id, no label, no page."""
    one, other = seated(world)
    one.start_loading()
    one.lose()
    for payload in other.heard("partner_status") + other.heard("game_matched"):
        text = str(payload)
        assert not [
            secret for secret in (one.session_id, one.token, one.page_id, one.sid) if secret in text
        ]


def test_the_log_says_who_was_told_that_a_partner_is_gone(world: World) -> None:
    """Once for each player who was there to hear it, with the reason."""
    one, other = seated(world)
    game_id = one.game_id
    one.lose()
    assert world.log("partner_told") == []
    world.advance(20)
    (entry,) = world.log("partner_told")
    assert entry["session_id"] == other.session_id
    assert (entry["game_id"], entry["gone"], entry["reason"]) == (
        game_id, ["player_0"], "player_gone",
    )  # fmt: skip


def test_who_is_away_was_not_told(world: World) -> None:
    """When both are away and one is gone, nobody has heard it."""
    one, other = seated(world)
    other.start_loading()
    one.lose()
    other.lose()
    world.advance(20)
    assert world.log("game_ended")
    assert world.log("partner_told") == []


def test_an_end_in_which_nobody_is_gone_tells_of_nobody(world: World) -> None:
    """A desync is no partner who left."""
    one, other = seated(world)
    for participant in (one, other):
        participant.declare_ready()
    game_id = one.game_id
    for participant, digest in ((one, "a"), (other, "b")):
        participant.say("game_state_hash", game_id=game_id, frame=0, hash=digest)
    assert world.log("game_ended")
    assert world.log("partner_told") == []


def test_nothing_is_kept_of_a_game_that_ended(world: World) -> None:
    """What the players were told is forgotten with it, also when somebody connects later."""
    partners: Any = world.games._partners
    for _ in range(5):
        one, other = seated(world)
        other.say("leave")
        one.lose()
        one.come_back()
        one.say("leave")
    assert partners._told == {}


def test_who_was_told_is_saved_with_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that fails right after the end was saved loses nothing of it, and leaves nothing."""
    one, other = started(world)

    def fail(*_: object) -> None:
        raise StoreBusy("another process")

    monkeypatch.setattr(world.store, "append", fail)
    one.say("leave")
    monkeypatch.undo()
    world.advance(20)
    assert [told["reason"] for told in other.heard("game_ended")] == ["player_left"]
    assert len(world.log("partner_told", session_id=other.session_id)) == 1
    assert world.games._live == {}
    assert world.games._partners._told == {}
