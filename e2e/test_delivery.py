"""What is sent to a page that does not read, or is not there, reaches it whole in the end."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from app.lab.admin import Event, select
from app.lab.bench import Bench
from app.lab.crowd import Crowd
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from app.sockets.emitter import MAX_BACKLOG_PACKETS
from e2e.paced_game import DELAY, LARGE, MINUTE, SMALL, PacedGame, delivered
from e2e.playing import assert_equal_states, block_main_thread, finish_episode
from e2e.raw_scenes import accepted, logged, session_of

Serve = Callable[..., ServerProcess]

CATCH_UP_S = 30.0
"""For reading what a minute has left behind."""

NO_HEARTBEAT = {"ping_interval_s": 60, "ping_timeout_s": 60}
"""No PING is due while a test lasts: what is lost, is lost by something else."""


def test_a_page_that_did_not_read_for_a_minute_gets_every_step_in_order_and_once(
    serve: Serve, crowd: Crowd
) -> None:
    """What the network does not take is queued, whole; the partner's game is not held up by it."""
    server = serve(**NO_HEARTBEAT)

    async def scenario() -> list[Event]:
        async with await PacedGame.start(server.url, LARGE) as game:
            reader, partner = game.reader, game.partner
            reader.stop_reading()
            answers = []
            for _ in range(MINUTE // 100):
                assert await game.play(100)
                # It is answered, and says in the stream of steps how many there are.
                answers.append(await reader.send("player_ready", {"game_id": game.game_id}))
            assert delivered(reader.events, DELAY) == []
            assert delivered(partner.events, DELAY) == game.steps()[DELAY:]

            reader.go_on_reading()
            await all_heard(reader, game)
            for answer in answers:
                accepted(await answer)
            assert await game.play(100)
            await all_heard(reader, game)
            assert delivered(reader.events, DELAY) == game.steps()[DELAY:]
            assert len(reader.heard("game_resumed")) == len(answers)
            assert reader.is_open
            return await asyncio.to_thread(server.admin.events)

    events = crowd.run(scenario())
    # Must not happen: that it only came through because the page had to connect again.
    assert select(events, "link_lost") == []


def test_what_is_sent_directly_and_what_is_queued_keep_their_order(
    serve: Serve, crowd: Crowd
) -> None:
    """A page that reads by fits and starts is sent to in both ways, a dozen times in turn."""
    server = serve(**NO_HEARTBEAT)
    fits = random.Random(3)

    async def scenario() -> list[Event]:
        async with await PacedGame.start(server.url, LARGE) as game:
            for _ in range(12):
                game.reader.stop_reading()
                assert await game.play(fits.randrange(100, 200))
                # The game goes on while it catches up.
                game.reader.go_on_reading()
                assert await game.play(fits.randrange(10, 30))
            await all_heard(game.reader, game)
            for page in (game.reader, game.partner):
                assert delivered(page.events, DELAY) == game.steps()[DELAY:]
            return await asyncio.to_thread(server.admin.events)

    events = crowd.run(scenario())
    assert select(events, "link_lost") == []


def test_too_long_a_backlog_ends_the_connection_and_not_the_session(
    serve: Serve, crowd: Crowd
) -> None:
    """Behind the bound the page loses its connection, the grace begins, and it catches up whole."""
    server = serve(**NO_HEARTBEAT, reconnect_grace_s=30)

    async def scenario() -> list[Event]:
        async with await PacedGame.start(server.url, LARGE) as game:
            reader, partner = game.reader, game.partner
            reader.stop_reading()
            assert not await game.play(2 * MAX_BACKLOG_PACKETS)
            assert game.frame > MAX_BACKLOG_PACKETS
            lost = await logged(server, "link_lost", session_id=reader.session_id)
            assert lost["grace"] == "reconnect"
            kept = await session_of(server, reader)
            assert (kept["link"], kept["place"]) == ("away", "playing")

            reader.go_on_reading()
            await reader.wait_closed()
            read = delivered(reader.events, DELAY)
            # What the network had taken is whole as far as it goes; it can't be all.
            assert read == game.steps()[DELAY : DELAY + len(read)]
            assert 0 < len(read) < game.frame
            caught_up = await game.come_back(server.url, last_frame=DELAY + len(read))
            assert read + caught_up["actions"] == game.steps()[DELAY:]
            await assert_goes_on(game)
            assert "gone" not in {told["link"] for told in partner.heard("partner_status")}
            return await asyncio.to_thread(server.admin.events)

    events = crowd.run(scenario())
    assert len(select(events, "link_lost")) == 1
    assert select(events, "session_gone") == select(events, "game_ended") == []


def test_a_page_frozen_for_a_minute_and_lost_gets_its_catch_up_whole(
    serve: Serve, crowd: Crowd
) -> None:
    """It answers no heartbeat and reads nothing; back, it gets all since its last frame, or all."""
    server = serve(ping_interval_s=1, ping_timeout_s=12, reconnect_grace_s=30)

    async def scenario() -> list[Event]:
        async with await PacedGame.start(server.url, SMALL) as game:
            reader = game.reader
            assert await game.play(10)
            await all_heard(reader, game)
            reader.answers_heartbeat = False
            reader.stop_reading()
            # The game pauses for it, as for any busy page; that its actions count stays as it was.
            assert not await game.play(2 * MINUTE)
            assert game.frame > MINUTE
            last_frame = DELAY + 10
            caught_up = await game.come_back(server.url, last_frame=last_frame)
            assert caught_up["actions"] == game.steps()[last_frame:]

            # Reloaded, it knows nothing.
            caught_up = await game.come_back(server.url, last_frame=None)
            assert caught_up["actions"] == game.steps()
            await assert_goes_on(game)
            return await asyncio.to_thread(server.admin.events)

    events = crowd.run(scenario())
    assert select(events, "link_lost")[0]["grace"] == "reconnect"
    assert select(events, "session_gone") == select(events, "game_ended") == []


def test_a_frozen_page_whose_connection_was_lost_catches_up_in_a_browser(
    bench: Bench, studies: Path
) -> None:
    """The page computes until its heartbeat is given up; then both finish in equal states."""
    server = bench.serve(
        studies / "game_first.py", ping_interval_s=1, ping_timeout_s=1, reconnect_grace_s=30
    )
    admin = server.admin
    frozen, partner = bench.participant("frozen"), bench.participant("partner")
    for player in (frozen, partner):
        player.open(server.url)
    frozen_id = admin.opened_by("frozen")
    started = admin.wait_for_event("game_started", timeout_s=60)
    for player in (frozen, partner):
        player.wait_for(game="running")

    block_main_thread(frozen, seconds=6)
    lost = admin.wait_for_event(
        "link_lost", session_id=frozen_id, where=lambda entry: entry["seq"] > started["seq"]
    )
    assert lost["grace"] == "reconnect"
    restored = admin.wait_for_event(
        "link_restored", session_id=frozen_id, where=lambda entry: entry["seq"] > lost["seq"]
    )
    admin.wait_for_event("game_resumed", where=lambda entry: entry["seq"] > restored["seq"])
    ended = finish_episode(server, frozen, partner)
    assert_equal_states(ended, frozen, partner)

    # Must not happen: a new page, another game, or a partner who hears that the other is gone.
    assert frozen.announced()["session"] == frozen_id
    events = admin.events()
    assert len(select(events, "game_matched")) == 1
    assert select(events, "session_gone") == []
    links = [told["link"] for told in partner.recorded("partner_status")]
    assert "away" in links
    assert "gone" not in links


async def all_heard(page: RawPage, game: PacedGame) -> None:
    """Wait until a page has heard the last step of its game."""
    last = DELAY + game.frame
    await page.wait_for(
        "frame_actions",
        where=lambda told: told["from_frame"] + len(told["actions"]) == last,
        timeout_s=CATCH_UP_S,
    )


async def assert_goes_on(game: PacedGame) -> None:
    """After coming back the game makes steps again, and the reader hears them."""
    first = DELAY + game.frame
    assert await game.play(60)
    await all_heard(game.reader, game)
    assert delivered(game.reader.events, first) == game.steps()[first:]
