"""Sessions, games and scenes as JSON."""

import json
from dataclasses import replace

import pytest

from app.games import GameState, PlayerStatus
from app.services.views import game_view, partner_payload, scene_payload, session_view
from app.sessions import LinkState, RuntimeState, Session
from app.sessions.events import LeaveRequested
from app.studies import Stager, StagerState
from unit.fakes.games import matched
from unit.fakes.sessions import NOW, after, loading, lost, opened, playing
from unit.fakes.studies import one_game


def status(**given: object) -> PlayerStatus:
    """A player who is there."""
    fields = {"player": "player_0", "epoch": 3, "link": "connected", "runtime": "ready", **given}
    return PlayerStatus(**fields)  # type: ignore[arg-type]


class TestPartner:
    """What a player may know of another."""

    def test_a_partner_who_is_there_has_no_time(self) -> None:
        """Player, link and runtime, and nothing that could be used against the session."""
        assert partner_payload("g_1", status(), NOW) == {
            "game_id": "g_1",
            "player": "player_0",
            "link": "connected",
            "runtime": "ready",
        }

    @pytest.mark.parametrize(("later", "left"), [(0.0, 12.3), (5.0, 7.3), (20.0, 0.0)])
    def test_the_time_that_is_left_is_never_negative(self, later: float, left: float) -> None:
        """A sweeper that is a moment late is no news to a partner."""
        away = status(link=LinkState.AWAY, runtime=RuntimeState.LOADING, deadline=NOW + 12.34)
        payload = partner_payload("g_1", away, NOW + later)
        assert payload["seconds_left"] == pytest.approx(left)
        assert json.loads(json.dumps(payload))["link"] == "away"


class TestScene:
    """The current scene, whole."""

    def test_only_a_game_has_an_environment(self) -> None:
        """Its address is that of the scene."""
        stager = Stager(one_game().study)
        game = scene_payload(stager, StagerState("match", done=True), "/{}.py".format)
        assert game["environment_url"] == "/match.py"
        assert game["done"] is True
        text = scene_payload(stager, StagerState("questions"), "/{}.py".format)
        assert (text["kind"], "environment_url" in text) == ("text", False)


class TestSession:
    """A session for the experimenter."""

    def test_a_session_that_is_away(self) -> None:
        """Since when, by which grace, and for how long still."""
        session = loading()
        session = after(session, lost(session), at=10)
        view = session_view(session, NOW + 25)
        assert (view["link"], view["since"], view["grace"]) == ("away", NOW + 10, "loading")
        assert view["deadline_in_s"] == 35.0
        assert view["loading"]["for_s"] == 25.0
        assert view["loading"]["deadline_in_s"] == 35.0

    def test_a_session_that_is_over_has_no_deadline(self) -> None:
        """When it is pruned is nobody's business; why it ended is."""
        session = after(opened(), LeaveRequested(), at=10)
        view = session_view(session, NOW + 25)
        assert (view["link"], view["why"], view["deadline_in_s"]) == ("gone", "left", None)

    def test_a_late_sweeper_can_be_seen(self) -> None:
        """A deadline that has passed is negative."""
        session = after(opened(), lost(opened()))
        assert session_view(session, NOW + 16)["deadline_in_s"] == -1.0

    def test_a_seat_is_shown(self) -> None:
        """With its game."""
        view = session_view(playing(), NOW)
        assert (view["place"], view["game_id"], view["scene_id"]) == ("playing", "g_1", "match")

    @pytest.mark.parametrize("session", [opened(), loading(), playing()])
    def test_it_is_json_and_names_no_page(self, session: Session) -> None:
        """A page's id would let another page pass for it."""
        text = json.dumps(session_view(session, NOW), allow_nan=False)
        assert session.page_id not in text


class TestGame:
    """A game for the experimenter."""

    def test_a_game_that_waits(self) -> None:
        """For whom, and how long still."""
        view = game_view(replace(matched(), waiting_for="player_1"), NOW + 60)
        assert view["players"] == {"player_0": "s_0", "player_1": "s_1"}
        assert (view["state"], view["waiting_for"]) == ("matched", "player_1")
        assert view["deadline_in_s"] == 120.0

    def test_a_game_that_is_over(self) -> None:
        """When, why, with what result, after how many frames."""
        over = replace(
            matched(),
            state=GameState.ENDED,
            deadline=None,
            ended_at=NOW + 5,
            reason="completed",
            result={"rewards": {"player_0": 1.0}},
            frames=150,
        )
        view = json.loads(json.dumps(game_view(over, NOW + 60)))
        assert (view["ended_at"], view["reason"], view["frames"]) == (NOW + 5, "completed", 150)
        assert view["result"] == {"rewards": {"player_0": 1.0}}
        assert view["deadline_in_s"] is None
