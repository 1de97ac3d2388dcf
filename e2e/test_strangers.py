"""Who is not the participant does not get the session, and who is not the admin sees nothing."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.admin.api import WRONG_TOKENS
from app.lab.admin import select
from app.lab.crowd import Crowd, for_each
from app.lab.raw_page import ConnectRefused, RawPage
from app.lab.server import ServerProcess
from app.services.addresses import Limits
from e2e.raw_scenes import accepted, game_id_of, running_pair

Serve = Callable[..., ServerProcess]

LAB = 200
"""Pages of a lab that start at once, behind one address."""

BOUND_S = 1.0
"""Seconds in which somebody else is answered, whatever strangers do meanwhile."""

ADMIN_PATHS = ("sessions", "events", "games")
LIMITS = Limits()


async def refusal(url: str, **auth: Any) -> str:
    """The code with which a CONNECT is refused."""
    try:
        page = await RawPage.open(url, **auth)
    except ConnectRefused as refused:
        return refused.code
    raise AssertionError(f"{page} was let in")


async def unharmed(server: ServerProcess, page: RawPage) -> None:
    """The page has its session as it had it, on its first connection, and is answered in time."""
    asked_at = time.monotonic()
    accepted(await page.say("advance_scene", {"scene_id": "past"}))
    assert time.monotonic() - asked_at < BOUND_S
    session = await asyncio.to_thread(server.admin.session, page.session_id)
    assert session is not None
    assert (session["link"], session["epoch"]) == ("connected", page.epoch)
    assert page.heard("session_taken_over") == []


def status_of(url: str, **headers: str) -> int:
    """The HTTP status of an address."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own http server
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


class TestKnowing:
    """What others can know of a participant is not enough."""

    def test_a_session_id_opens_nothing(self, serve: Serve, crowd: Crowd) -> None:
        """In the token's place it is refused; beside it, it is passed over."""
        server = serve()

        async def scenario() -> None:
            ada = await RawPage.open(server.url, participant="ada")
            for known in (ada.session_id, ada.page_id, ada.session_id.removeprefix("s_")):
                assert await refusal(server.url, token=known) == "session_expired"
            stranger = await RawPage.open(server.url, session_id=ada.session_id)
            assert stranger.session_id != ada.session_id
            await unharmed(server, ada)

        crowd.run(scenario())
        assert len(server.admin.sessions()) == 2

    def test_the_label_of_another_is_only_a_label(self, serve: Serve, crowd: Crowd) -> None:
        """Two who call themselves the same are two, even with the same page id."""
        server = serve()

        async def scenario() -> None:
            ada = await RawPage.open(server.url, participant="ada")
            stranger = await RawPage.open(server.url, participant="ada", page_id=ada.page_id)
            assert stranger.session_id != ada.session_id
            assert not stranger.opened["resumed"]
            accepted(await stranger.say("leave"))
            await unharmed(server, ada)

        crowd.run(scenario())

    def test_a_partner_learns_nothing_that_opens_a_session(
        self, serve: Serve, crowd: Crowd
    ) -> None:
        """All that a player hears in a game holds no credential but the player's own."""
        server = serve()

        async def scenario() -> None:
            ada, bob = await running_pair(server.url)
            for player, partner in ((ada, bob), (bob, ada)):
                heard = json.dumps(player.events)
                assert player.token in heard
                assert partner.token not in heard
                for word in {*_words([*map(list, player.events)])} - {player.token}:
                    assert await refusal(server.url, token=word) == "session_expired"
            await unharmed(server, ada)
            await unharmed(server, bob)

        crowd.run(scenario())

    def test_who_knows_a_game_has_no_seat_in_it(self, serve: Serve, crowd: Crowd) -> None:
        """With its id a stranger can neither play, nor end it, nor spoil it."""
        server = serve()

        async def scenario() -> None:
            ada, bob = await running_pair(server.url)
            stranger = await RawPage.open(server.url)
            game = {"game_id": game_id_of(ada)}
            for event, more in (
                ("player_ready", {}),
                ("player_action", {"frame": 0, "action": 1}),
                ("game_state_hash", {"frame": 3, "hash": "wrong", "result": {}}),
                ("environment_failed", {"frame": 0, "traceback": "none"}),
            ):
                answer = await stranger.say(event, {**game, **more})
                assert answer["error"]["code"] == "unknown_game"
            for page in (ada, bob):
                assert page.heard("game_ended") == page.heard("frame_actions") == []

        crowd.run(scenario())
        (game,) = server.admin.games()
        assert game["state"] == "running"


def _words(value: object) -> list[str]:
    """Every string in a JSON value that could be sent as a token."""
    if isinstance(value, str):
        return [value] if 0 < len(value) <= 256 else []
    if isinstance(value, dict):
        value = list(value.values())
    return [word for part in value for word in _words(part)] if isinstance(value, list) else []


class TestOldTokens:
    """A token is worth its session, and nothing after that."""

    def test_a_token_of_a_session_that_is_over_opens_none(self, serve: Serve, crowd: Crowd) -> None:
        """While the session is still listed, and after it was pruned; no new one begins."""
        server = serve(gone_kept_s=1)

        async def scenario() -> None:
            ada = await RawPage.open(server.url, participant="ada")
            accepted(await ada.say("leave"))
            assert await refusal(server.url, token=ada.token) == "session_expired"
            assert server.admin.session(ada.session_id) is not None
            async with asyncio.timeout(10):
                while await asyncio.to_thread(server.admin.sessions):
                    pass
            assert await refusal(server.url, token=ada.token) == "session_expired"

        crowd.run(scenario())
        assert server.admin.sessions() == []
        assert len(select(server.admin.events(), "session_opened")) == 1

    def test_a_page_that_was_replaced_does_not_come_back(self, serve: Serve, crowd: Crowd) -> None:
        """Its token is right, and the page that took over stays."""
        server = serve()

        async def scenario() -> None:
            ada = await RawPage.open(server.url)
            newest = await ada.reload(server.url)
            code = await refusal(server.url, page_id=ada.page_id, token=ada.token)
            assert code == "session_taken_over"
            await unharmed(server, newest)

        crowd.run(scenario())

    def test_a_token_of_another_study_opens_nothing(
        self, serve: Serve, crowd: Crowd, tmp_path: Path
    ) -> None:
        """Neither on a server with another store, nor when another study takes this store over."""
        shared = f"sqlite:///{tmp_path / 'shared.db'}"
        first, elsewhere = serve(store=shared), serve(study="raises.py")

        async def open_one() -> str:
            ada = await RawPage.open(first.url)
            assert await refusal(elsewhere.url, token=ada.token) == "session_expired"
            assert await refusal(elsewhere.url, study="game-first") == "unknown_study"
            return ada.token

        token = crowd.run(open_one())
        first.stop()
        second = serve(study="raises.py", store=shared)
        assert crowd.run(refusal(second.url, token=token)) == "unknown_study"
        assert len(second.admin.sessions()) == 1
        assert elsewhere.admin.sessions() == []


class TestGuessing:
    """Guessing is bounded by address, and costs nobody else behind it anything."""

    def test_guesses_are_limited_and_a_lab_is_not_shut_out(
        self, serve: Serve, crowd: Crowd
    ) -> None:
        """After a burst guesses are refused and closed; tokens and new pages are served."""
        server = serve(reconnect_grace_s=60)

        async def guess(number: int) -> str:
            page = await RawPage.open_socket(server.url)
            try:
                await page.connect(token=f"guess-{number}")
            except ConnectRefused as refused:
                if refused.code == "rate_limited":
                    await page.wait_closed(timeout_s=BOUND_S)
                return refused.code
            finally:
                await page.close()
            raise AssertionError("a guess was right")

        async def scenario() -> None:
            ada = await RawPage.open(server.url)
            lab = await for_each(range(LAB), lambda _: RawPage.open(server.url), at_once=LAB)
            began_at = time.monotonic()
            codes = await for_each(range(int(LIMITS.guesses_burst) + 100), guess)
            took_s = time.monotonic() - began_at
            answered = codes.count("session_expired")
            assert set(codes) == {"session_expired", "rate_limited"}
            assert answered >= LIMITS.guesses_burst
            assert answered <= LIMITS.guesses_burst + took_s * LIMITS.guesses_per_s + 1
            await unharmed(server, ada)
            for page in lab[:20]:
                await page.drop()
                back = await page.come_back(server.url)
                assert back.session_id == page.session_id
            await RawPage.open(server.url)

        crowd.run(scenario())
        assert len(server.admin.sessions()) == LAB + 2
        assert select(server.admin.events(), "session_gone") == []

    def test_a_lab_starts_at_once(self, serve: Serve, crowd: Crowd) -> None:
        """Two hundred pages of one address, in one moment: each has its session."""
        server = serve()

        async def scenario() -> None:
            pages = await for_each(range(LAB), lambda _: RawPage.open(server.url), at_once=LAB)
            assert len({page.session_id for page in pages}) == LAB

        crowd.run(scenario())

    def test_sockets_without_a_session_shut_nobody_out(self, serve: Serve, crowd: Crowd) -> None:
        """The oldest of too many goes; who has a token, or comes anew, gets through."""
        server = serve()
        too_many = LIMITS.sockets + 50

        async def scenario() -> None:
            ada = await RawPage.open(server.url)
            idle = await for_each(range(too_many), lambda _: RawPage.open_socket(server.url))
            await unharmed(server, ada)
            back = await ada.come_back(server.url)
            assert back.epoch == 2
            await RawPage.open(server.url)
            await idle[0].wait_closed()
            # What had no session is closed by itself, too.
            await for_each(idle, lambda page: page.wait_closed(timeout_s=15), at_once=too_many)

        crowd.run(scenario())
        assert len(server.admin.sessions()) == 2

    def test_new_sessions_of_one_address_are_bounded(self, serve: Serve, crowd: Crowd) -> None:
        """After a burst no more begin than the rate lets; whoever has a session keeps it."""
        server = serve()

        async def begin(_: int) -> str:
            try:
                page = await RawPage.open(server.url)
            except ConnectRefused as refused:
                return refused.code
            await page.drop()
            return "begun"

        async def scenario() -> None:
            ada = await RawPage.open(server.url)
            began_at = time.monotonic()
            outcomes = await for_each(range(int(LIMITS.sessions_burst) + 600), begin)
            took_s = time.monotonic() - began_at
            begun = outcomes.count("begun")
            assert set(outcomes) == {"begun", "rate_limited"}
            assert begun <= LIMITS.sessions_burst + took_s * LIMITS.sessions_per_s + 1
            await unharmed(server, ada)
            assert (await ada.come_back(server.url)).epoch == 2

        crowd.run(scenario())


class TestAdmin:
    """Without its token nobody sees anything, and nobody who has it is locked out."""

    def test_without_the_token_nobody_gets_in(self, serve: Serve) -> None:
        """Without any, with a wrong one, in another place, or in another form."""
        server = serve()
        right = server.environment()["GRACE_ADMIN_TOKEN"]
        for path in ADMIN_PATHS:
            address = f"{server.url}/admin/api/{path}"
            assert status_of(address) == 401
            assert status_of(f"{address}?token={right}") == 401
            for wrong in ("", "Bearer", "Bearer wrong", f"Bearer {right}x", f"Basic {right}"):
                assert status_of(address, Authorization=wrong) == 401
            assert status_of(address, Cookie=f"token={right}") == 401
            assert status_of(address, Authorization=f"Bearer {right}") == 200

    def test_guessing_the_token_is_limited_and_locks_nobody_out(
        self, serve: Serve, crowd: Crowd
    ) -> None:
        """Wrong ones get 429 after a burst; the right one and the participants go on."""
        server = serve()
        address = f"{server.url}/admin/api/sessions"

        async def scenario() -> list[int]:
            ada = await RawPage.open(server.url)
            statuses = await for_each(
                range(int(WRONG_TOKENS.guesses_burst) + 50),
                lambda n: asyncio.to_thread(status_of, address, Authorization=f"Bearer {n}"),
                at_once=8,
            )
            await unharmed(server, ada)
            return statuses

        statuses = crowd.run(scenario())
        assert set(statuses) == {401, 429}
        assert status_of(address, Authorization="Bearer x") == 429
        spoofed = {"Authorization": "Bearer x", "X-Forwarded-For": "192.0.2.7"}
        assert status_of(address, **spoofed) == 429
        assert len(server.admin.sessions()) == 1
