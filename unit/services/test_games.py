"""Games are matched, start, pause, go on, relay actions and end, each with the reason."""

from typing import Any

import pytest

from app.errors import StoreBusy
from app.protocol import ErrorCode
from app.services.games import SEED_BITS
from app.stores.base import Due
from unit.fakes.studies import one_game
from unit.fakes.world import World
from unit.services.players import forgotten, seated, started, step


class TestMatch:
    """Who waits is given a seat."""

    def test_each_player_is_told(self, world: World) -> None:
        """The same game, seed and seats, and to each which of them is theirs."""
        one, other = seated(world)
        (first,), (second,) = one.heard("game_matched"), other.heard("game_matched")
        assert (first.pop("you"), second.pop("you")) == ("player_0", "player_1")
        assert first == second
        assert first["players"] == ["player_0", "player_1"]
        assert first["input_delay_frames"] == 3
        assert 0 <= first["seed"] < 2**SEED_BITS
        assert first["game_id"] == one.game_id == other.game_id

    def test_the_match_is_logged_and_kept(self, world: World) -> None:
        """With its members, and a deadline for its start."""
        one, other = seated(world)
        (entry,) = world.log("game_matched")
        assert entry["members"] == [one.session_id, other.session_id]
        game = world.store.game(one.game_id)
        assert game is not None
        assert game.deadline == world.clock.now() + 180

    def test_seeds_and_ids_differ(self, world: World) -> None:
        """No two games are alike."""
        games = [seated(world)[0].heard("game_matched")[0] for _ in range(20)]
        assert len({game["game_id"] for game in games}) == 20
        assert len({game["seed"] for game in games}) > 15

    def test_the_input_delay_is_the_servers(self) -> None:
        """Both pages step with the delay of the settings."""
        one, _ = started(World(input_delay_frames=0))
        assert one.heard("game_matched")[0]["input_delay_frames"] == 0
        assert one.heard("game_started") == [{"game_id": one.game_id, "frame": 0}]

    @pytest.mark.parametrize("players", [3, 5])
    def test_a_game_may_be_for_more(self, players: int) -> None:
        """Everybody has a seat, in the order of the queue."""
        world = World(one_game(players=players))
        everybody = [world.connect() for _ in range(players)]
        for participant in everybody:
            participant.join()
            world.clock.advance(1)
        you = [participant.heard("game_matched")[0]["you"] for participant in everybody]
        assert you == [f"player_{seat}" for seat in range(players)]

    def test_somebody_lost_meanwhile_is_not_seated(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the store was waited for, the room may have changed: it is read again."""
        one, other = world.connect(), world.connect()
        one.join()
        change_many = world.store.change_many

        def lose_first(*given: Any) -> Any:
            monkeypatch.undo()
            one.lose()
            return change_many(*given)

        monkeypatch.setattr(world.store, "change_many", lose_first)
        other.join()
        assert (one.session.place.state, other.session.place.state) == ("waiting", "waiting")
        assert world.log("game_matched") == []
        one.come_back()
        assert one.session.place.state == "playing"


class TestStart:
    """A game begins when every player is there and ready."""

    def test_it_starts_when_all_are_ready(self, world: World) -> None:
        """At the frame up to which no action counts, and not before the last has said so."""
        one, other = seated(world)
        assert one.declare_ready() == {"ok": True}
        assert one.heard("game_started") == []
        assert other.declare_ready() == {"ok": True}
        for participant in (one, other):
            assert participant.heard("game_started") == [{"game_id": one.game_id, "frame": 3}]
        (entry,) = world.log("game_started")
        assert (entry["game_id"], entry["frame"]) == (one.game_id, 3)

    def test_being_ready_again_starts_nothing_again(self, world: World) -> None:
        """The page says it until it is acknowledged."""
        one, _ = started(world)
        assert one.declare_ready() == {"ok": True}
        assert len(one.heard("game_started")) == len(world.log("game_started")) == 1

    def test_a_game_that_does_not_start_is_given_up(self, world: World) -> None:
        """At its deadline it ends, and who is there waits again; for each other, if need be."""
        one, other = seated(world)
        game_id = one.game_id
        one.declare_ready()
        world.advance(180)
        for participant in (one, other):
            (ended,) = participant.heard("game_ended")
            assert (ended["game_id"], ended["reason"]) == (game_id, "start_timeout")
            assert ended["place"] == "waiting"
            assert len(participant.heard("game_matched")) == 2
        (entry,) = world.log("game_ended")
        assert (entry["game_id"], entry["reason"]) == (game_id, "start_timeout")

    def test_an_old_deadline_ends_nothing(self, world: World) -> None:
        """What the sweeper saw a moment ago is checked again inside the change."""
        one, _ = started(world)
        world.games.deadline_passed(Due("game", one.game_id, world.clock.now(), 0))
        assert world.log("game_ended") == []

    def test_a_player_who_fails_before_the_start_ends_it(self, world: World) -> None:
        """The other goes back to the queue; who has no Python waits, and is not matched."""
        one, other = seated(world)
        one.start_loading()
        one.complete_loading(error="no memory")
        assert [ended["reason"] for ended in other.heard("game_ended")] == ["player_failed"]
        assert other.session.place.state == one.session.place.state == "waiting"
        assert len(world.log("game_matched")) == 1
        assert forgotten(world)


class TestPause:
    """A running game waits for everybody who is away."""

    def test_it_pauses_and_goes_on(self, world: World) -> None:
        """All are told who is missing and, once that player is back and ready, that it goes on."""
        one, other = players = started(world)
        step(players, 0, 1, 1)
        other.lose()
        game_id = one.game_id
        assert one.heard("game_paused") == [{"game_id": game_id, "frame": 4, "player": "player_1"}]
        other.come_back()
        assert one.heard("game_resumed") == []
        other.declare_ready()
        for participant in players:
            assert participant.heard("game_resumed") == [{"game_id": game_id, "frame": 4}]
        assert [len(world.log(f"game_{what}")) for what in ("paused", "resumed")] == [1, 1]

    def test_it_ends_when_the_player_does_not_come_back(self, world: World) -> None:
        """Once, with the reason, and the one who is left goes on with the study."""
        one, other = started(world)
        game_id = one.game_id
        other.lose()
        world.advance(20)
        assert one.heard("game_ended") == [
            {"game_id": game_id, "reason": "player_gone", "place": "lobby"}
        ]
        assert one.session.scene.done
        assert len(world.log("game_ended")) == 1
        assert forgotten(world)

    def test_it_ends_when_the_player_is_back_and_never_ready(self, world: World) -> None:
        """A page that reloads and cannot play does not hold the other for ever."""
        one, other = started(world)
        other.lose()
        other.reload()
        world.advance(180)
        assert [ended["reason"] for ended in one.heard("game_ended")] == ["resume_timeout"]
        assert forgotten(world)

    def test_a_deliberate_leave_ends_it_at_once(self, world: World) -> None:
        """There is nothing to wait for."""
        one, other = started(world)
        other.say("leave")
        assert [ended["reason"] for ended in one.heard("game_ended")] == ["player_left"]
        assert one.heard("game_paused") == []
        assert forgotten(world)

    def test_failing_in_a_running_game_is_no_reason_by_itself(self, world: World) -> None:
        """Only a game that has not started needs a runtime that has not failed."""
        one, other = started(world)
        one.start_loading()
        one.complete_loading(error="no memory")
        assert other.heard("game_ended") == []


class TestResume:
    """A returning page gets the game, and what it has missed."""

    def test_before_the_start(self, world: World) -> None:
        """The seat and the seed, not started, with the steps in which nobody acts."""
        one, _ = seated(world)
        matched = one.heard("game_matched")[0]
        one.lose()
        one.come_back()
        assert one.opened["game"] == {
            **matched,
            "started": False,
            "paused": False,
            "from_frame": 0,
            "actions": [[0, 0]] * 3,
            "next_frame": 0,
        }

    @pytest.mark.parametrize(
        ("last_frame", "from_frame"), [(None, 0), (0, 0), (4, 4), (5, 5), (6, 0), (10**9, 0)]
    )
    def test_from_the_last_frame_that_the_page_has(
        self, world: World, last_frame: int | None, from_frame: int
    ) -> None:
        """A reloaded page has none; one that claims more than there is begins again."""
        one, other = players = started(world)
        step(players, 0, 1, 2)
        step(players, 1, 3, 4)
        other.act(2, 6)
        one.lose()
        given = {} if last_frame is None else {"last_frame": last_frame}
        one.come_back(**given)
        game = one.opened["game"]
        steps = [[0, 0], [0, 0], [0, 0], [1, 2], [3, 4]]
        assert (game["from_frame"], game["actions"]) == (from_frame, steps[from_frame:])
        assert (game["started"], game["paused"], game["next_frame"]) == (True, True, 2)

    def test_each_has_a_next_frame_of_its_own(self, world: World) -> None:
        """Who has sent more goes on later."""
        one, other = started(world)
        other.act(0, 6)
        for participant, following in ((one, 0), (other, 1)):
            participant.lose()
            participant.come_back()
            assert participant.opened["game"]["next_frame"] == following

    def test_without_a_game_there_is_none(self, world: World) -> None:
        """Neither before nor after one."""
        one, other = started(world)
        assert "game" not in one.opened
        other.say("leave")
        one.lose()
        one.come_back()
        assert "game" not in one.opened


def test_a_stranger_has_no_seat(world: World) -> None:
    """Who knows a game's id can neither play in it, nor spoil it, nor end it."""
    one, _ = started(world)
    stranger = world.connect()
    before = world.log()
    for event, fields in (
        ("player_ready", {}),
        ("player_action", {"frame": 0, "action": 0}),
        ("game_state_hash", {"frame": 0, "hash": "x"}),
        ("environment_failed", {"frame": 0, "traceback": "x"}),
    ):
        answer = stranger.say(event, game_id=one.game_id, **fields)
        assert answer["error"]["code"] == ErrorCode.UNKNOWN_GAME
    assert world.log() == before


def test_a_game_that_ended_stays_ended(world: World) -> None:
    """Whatever is refreshed, due or restarted afterwards."""
    one, other = started(world)
    game_id = one.game_id
    other.say("leave")
    before = [world.store.games(), world.log()]
    world.games.refresh(game_id)
    world.games.end_for_restart(game_id)
    world.games.deadline_passed(Due("game", game_id, 0.0, 0))
    world.games.refresh("g_unknown")
    assert [world.store.games(), world.log()] == before
    assert forgotten(world)


def test_a_store_that_is_busy_at_the_end_does_not_keep_the_game(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the end could not be saved, the sweeper makes it good."""
    one, other = started(world)
    change_many = world.store.change_many

    def busy(*given: Any) -> Any:
        monkeypatch.setattr(world.store, "change_many", change_many)
        raise StoreBusy("another process")

    other.lose()
    world.clock.advance(15)
    monkeypatch.setattr(world.store, "change_many", busy)
    world.advance(6)
    assert [ended["reason"] for ended in one.heard("game_ended")] == ["player_gone"]
    assert forgotten(world)


def test_many_games_leave_nothing(world: World) -> None:
    """Memory is bounded by the games that are alive."""
    for _ in range(10):
        one, other = started(world)
        other.say("leave")
        one.say("leave")
    assert forgotten(world)
    assert world.store.unended_games() == []
