"""Order: two players whose losses, returns, matches and loads cross each other. Raw pages only."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from app.lab.admin import select
from app.lab.crowd import Crowd, for_each
from app.lab.raw_page import ConnectRefused, RawPage
from app.lab.server import ServerProcess
from e2e.raw_scenes import (
    Pair,
    act,
    complete_loading,
    declare_ready,
    game_id_of,
    join,
    logged,
    refused_with,
    running_pair,
    session_of,
    start_loading,
)

Serve = Callable[..., ServerProcess]

SCALED: dict[str, Any] = {"ping_interval_s": 1, "ping_timeout_s": 1, "reconnect_grace_s": 2}

PAIRS = 40
"""How many losses are answered around their deadline."""

ENDS = ("link_restored", "session_gone", "cleanup_done")
"""How the log says that a loss went out."""

EARLIEST_S, LATEST_S = -0.15, 0.35
"""When they are answered, from the deadline: the sweeper looks every quarter of a second."""


def test_return_that_races_the_sweeper_is_one_thing_or_the_other(
    serve: Serve, crowd: Crowd
) -> None:
    """Around the deadline a page is restored or refused; log, session and partner agree on which.

    The instants themselves are in `unit/rules/test_instants.py`, where the clock stands still.
    """
    server = serve(**{**SCALED, "ping_timeout_s": 10})

    async def come_back_at(page: RawPage, instant: float) -> str:
        await asyncio.sleep(instant - time.time())
        try:
            back = await page.come_back(server.url)
        except ConnectRefused as refused:
            return refused.code
        assert back.opened["game"]["game_id"] == game_id_of(page)
        return "restored"

    async def scenario() -> tuple[list[Pair], list[str]]:
        pairs = [await running_pair(server.url) for _ in range(PAIRS)]
        await for_each(pairs, lambda pair: pair[0].drop())
        lost = [await logged(server, "link_lost", session_id=ada.session_id) for ada, _ in pairs]
        deadlines = [loss["at"] + loss["deadline_in_s"] for loss in lost]
        step_s = (LATEST_S - EARLIEST_S) / PAIRS
        returns = [
            come_back_at(ada, deadline + EARLIEST_S + number * step_s)
            for number, ((ada, _), deadline) in enumerate(zip(pairs, deadlines, strict=True))
        ]
        outcomes = await asyncio.gather(*returns)
        for (_, bob), outcome in zip(pairs, outcomes, strict=True):
            if outcome != "restored":
                await bob.wait_for("game_ended")
        return pairs, outcomes

    pairs, outcomes = crowd.run(scenario())
    assert set(outcomes) == {"restored", "session_expired"}, "not around the deadline"
    events = server.admin.events()
    for (ada, bob), outcome in zip(pairs, outcomes, strict=True):
        mine = [entry["event"] for entry in events if entry["session_id"] == ada.session_id]
        restored = outcome == "restored"
        ends = ["link_restored"] if restored else ["session_gone", "cleanup_done"]
        assert [name for name in mine if name in ENDS] == ends
        told = [] if restored else ["player_gone"]
        assert [ended["reason"] for ended in bob.heard("game_ended")] == told
        gone = [status for status in bob.heard("partner_status") if status["link"] == "gone"]
        assert len(gone) == len(told)
        assert len(select(events, "partner_told", session_id=bob.session_id)) == len(told)


def test_both_away_and_both_back_play_on(serve: Serve, crowd: Crowd) -> None:
    """Two losses at once pause the game once; it goes on where it was when both are ready."""
    server = serve(**{**SCALED, "reconnect_grace_s": 5})

    async def scenario() -> None:
        pair = await running_pair(server.url)
        game_id = game_id_of(pair[0])
        for page in pair:
            await act(page, 0, action=1)
        for page in pair:
            await page.wait_for("frame_actions")
        await asyncio.gather(*(page.drop() for page in pair))
        for page in pair:
            await logged(server, "link_lost", session_id=page.session_id)
        ada = await pair[0].come_back(server.url)
        await declare_ready(ada)
        (told,) = ada.heard("partner_status")
        assert told["link"] == "away"
        bob = await pair[1].come_back(server.url)
        assert ada.heard("game_resumed") == []
        await declare_ready(bob)
        for page in (ada, bob):
            assert page.opened["game"]["game_id"] == game_id
            assert page.opened["game"]["paused"]
            resumed = await page.wait_for("game_resumed")
            # The three steps of the input delay, and the one that both have sent.
            assert resumed["frame"] == 4
            assert page.opened["game"]["actions"][-1] == [1, 1]
            assert page.heard("game_ended") == []

    crowd.run(scenario())
    events = server.admin.events()
    assert len(select(events, "game_paused")) == len(select(events, "game_resumed")) == 1
    assert select(events, "session_gone") == []


def test_both_away_for_good_end_their_game_once(serve: Serve, crowd: Crowd) -> None:
    """Nobody is left to be told; both are cleaned up, once each, and nothing waits for them."""
    server = serve(**SCALED)

    async def scenario() -> None:
        pair = await running_pair(server.url)
        await asyncio.gather(*(page.drop() for page in pair))
        for page in pair:
            await logged(server, "cleanup_done", session_id=page.session_id)
        await logged(server, "game_ended")
        newcomer = await RawPage.open(server.url)
        await join(newcomer)
        (room,) = newcomer.heard("waiting_room")
        assert room["waiting"] == 1

    crowd.run(scenario())
    events = server.admin.events()
    (ended,) = select(events, "game_ended")
    assert ended["reason"] == "player_gone"
    assert len(select(events, "cleanup_done")) == 2
    assert select(events, "partner_told") == []
    assert len(select(events, "game_matched")) == 1


def test_game_that_ended_while_both_were_away_is_over_for_who_returns(
    serve: Serve, crowd: Crowd
) -> None:
    """Ada's grace ends while Bob is away too: Bob comes back to the study, not to the game."""
    server = serve(**{**SCALED, "reconnect_grace_s": 1})

    async def scenario() -> None:
        ada, bob = await running_pair(server.url)
        # Bob's page loads, so his grace is longer than hers.
        await start_loading(bob)
        await asyncio.gather(ada.drop(), bob.drop())
        await logged(server, "game_ended")
        back = await bob.come_back(server.url)
        assert "game" not in back.opened
        assert (back.opened["place"], back.opened["scene"]["done"]) == ("lobby", True)
        action = {"game_id": game_id_of(bob), "frame": 0, "action": 0}
        assert refused_with(await back.say("player_action", action)) == "unknown_game"
        session = await session_of(server, back)
        assert (session["link"], session["game_id"]) == ("connected", None)

    crowd.run(scenario())
    assert len(select(server.admin.events(), "game_ended")) == 1


def test_who_is_away_at_the_moment_of_the_match_keeps_the_place(serve: Serve, crowd: Crowd) -> None:
    """Away: the next two are matched instead. Back: matched before everybody who came later."""
    server = serve(**{**SCALED, "reconnect_grace_s": 10})

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        await join(ada)
        await ada.drop()
        await logged(server, "link_lost", session_id=ada.session_id)
        bob, carol = await RawPage.open(server.url), await RawPage.open(server.url)
        await join(bob)
        (room,) = bob.heard("waiting_room")
        assert room["waiting"] == 1
        assert bob.heard("game_matched") == []
        await join(carol)
        matched = await bob.wait_for("game_matched")
        assert matched == {**await carol.wait_for("game_matched"), "you": "player_0"}
        back = await ada.come_back(server.url)
        assert back.opened["place"] == "waiting"
        dave, erin = await RawPage.open(server.url), await RawPage.open(server.url)
        await join(dave)
        assert (await back.wait_for("game_matched"))["you"] == "player_0"
        await join(erin)
        assert game_id_of(back) == game_id_of(dave) != matched["game_id"]
        assert erin.heard("game_matched") == []

    crowd.run(scenario())


def test_who_is_matched_while_frozen_finds_the_seat(serve: Serve, crowd: Crowd) -> None:
    """A loss that is noticed only after the match costs neither the seat nor the partner's game."""
    server = serve(**{**SCALED, "reconnect_grace_s": 5}, presence_ping_s=1)

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        await join(ada)
        await start_loading(ada)
        ada.answers_heartbeat = False
        ada.stop_reading()
        bob = await RawPage.open(server.url)
        await join(bob)
        matched = await bob.wait_for("game_matched")
        await logged(server, "link_lost", session_id=ada.session_id)
        told = await bob.wait_for("partner_status", where=lambda one: one["link"] == "away")
        assert told["runtime"] == "loading"
        back = await ada.come_back(
            server.url, runtime={"state": "loading", "attempt_id": "load-0001"}
        )
        assert ada.heard("game_matched") == []
        game = back.opened["game"]
        assert (game["game_id"], game["you"]) == (matched["game_id"], "player_0")
        await complete_loading(back)
        for page in (back, bob):
            await declare_ready(page)
        for page in (back, bob):
            await page.wait_for("game_started")
        assert bob.heard("game_ended") == []

    crowd.run(scenario())
    assert len(select(server.admin.events(), "game_matched")) == 1


def test_both_load_and_one_fails(serve: Serve, crowd: Crowd) -> None:
    """The match is given up once; who still loads goes on loading, and is matched with the next."""
    server = serve(**SCALED)

    async def scenario() -> None:
        ada, bob, carol = [await RawPage.open(server.url) for _ in range(3)]
        for page, attempt in ((ada, "load-of-ada"), (bob, "load-of-bob")):
            await start_loading(page, attempt)
            await join(page)
        first = (await bob.wait_for("game_matched"))["game_id"]
        await complete_loading(ada, "load-of-ada", error="out of memory")
        for page in (ada, bob):
            ended = await page.wait_for("game_ended")
            assert (ended["game_id"], ended["reason"]) == (first, "player_failed")
            assert ended["place"] == "waiting"
        assert (await session_of(server, bob))["loading"]["attempt_id"] == "load-of-bob"
        await join(carol)
        second = await carol.wait_for("game_matched")
        assert second["game_id"] != first
        assert (await session_of(server, bob))["game_id"] == second["game_id"]
        assert (await session_of(server, ada))["place"] == "waiting"
        await complete_loading(bob, "load-of-bob")
        for page in (bob, carol):
            await declare_ready(page)
        await carol.wait_for("game_started")
        assert len(ada.heard("game_matched")) == 1

    crowd.run(scenario())
    events = server.admin.events()
    assert len(select(events, "game_ended")) == 1
    assert select(events, "partner_told") == []
    assert select(events, "session_gone") == []
