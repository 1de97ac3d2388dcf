"""Order: what one page says and loses, too early, too late, or twice. Raw pages only.

The reload of a page that really is frozen by its load is in `test_loading_again.py`.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.lab.admin import select
from app.lab.crowd import Crowd
from app.lab.raw_page import ConnectRefused, RawPage
from app.lab.server import ServerProcess
from e2e.raw_scenes import (
    complete_loading,
    game_id_of,
    join,
    logged,
    matched_pair,
    refused_with,
    session_of,
    start_loading,
    work_off_losses,
)

Serve = Callable[..., ServerProcess]

SCALED: dict[str, Any] = {"ping_interval_s": 1, "ping_timeout_s": 1, "reconnect_grace_s": 2}
"""A page that answers nothing is lost after 2 to 3 s. Loads keep their minute."""

COMPLETED = {"attempt_id": "load-0001"}

LOADING = {"state": "loading", "attempt_id": "load-0001", "stage": "packages"}


def loads_in(events: list[dict[str, Any]], page: RawPage) -> list[str]:
    """What the log says of a page's loads."""
    mine = [entry for entry in events if entry["session_id"] == page.session_id]
    return [str(entry["event"]) for entry in mine if entry["event"].startswith("loading_")]


@pytest.mark.parametrize("restated", [LOADING, {"state": "ready"}], ids=["loading", "ready"])
def test_completion_right_behind_connect_counts(
    serve: Serve, crowd: Crowd, restated: dict[str, str]
) -> None:
    """`complete` sent behind CONNECT, before its answer, is heard: the session is bound by then.

    socket.io-client does so with what it buffered while the connection was lost, before its own
    `connect` handler runs.
    """
    server = serve(**SCALED)

    async def scenario() -> RawPage:
        ada = await RawPage.open(server.url)
        await start_loading(ada)
        await ada.drop()
        back = await RawPage.open_socket(server.url, page_id=ada.page_id)
        auth = {"page_id": ada.page_id, "token": ada.token, "runtime": restated}
        await back.send_text("40" + json.dumps(auth))
        answer = await back.send("pyodide_loading_complete", COMPLETED)
        assert (await answer)["ok"]
        assert back.events[0][0] == "session_opened"
        assert (back.opened["epoch"], back.opened["runtime"]) == (2, restated["state"])
        assert (await session_of(server, back))["runtime"] == "ready"
        return back

    back = crowd.run(scenario())
    # Must not happen: a completion that counts twice, or a load that goes on.
    ended = loads_in(server.admin.events(), back)
    assert ended.count("loading_completed") == 1
    assert ended[-1] == "loading_completed"


@pytest.mark.parametrize("restated", [LOADING, {"state": "ready"}], ids=["loading", "ready"])
def test_completion_before_connect_is_not_heard_and_not_needed(
    serve: Serve, crowd: Crowd, restated: dict[str, str]
) -> None:
    """What comes before CONNECT is nobody's; the runtime that CONNECT restates stands instead."""
    server = serve(**SCALED)

    async def scenario() -> RawPage:
        ada = await RawPage.open(server.url)
        await start_loading(ada)
        await ada.drop()
        back = await RawPage.open_socket(server.url, page_id=ada.page_id)
        unheard = await back.send("pyodide_loading_complete", COMPLETED)
        opened = await back.connect(token=ada.token, runtime=restated)
        assert opened["runtime"] == restated["state"]
        await complete_loading(back)
        assert not unheard.done()
        assert (await session_of(server, back))["runtime"] == "ready"
        return back

    back = crowd.run(scenario())
    ended = loads_in(server.admin.events(), back)
    assert ended.count("loading_completed") == 1
    assert ended[-1] == "loading_completed"


@pytest.mark.parametrize("loss", ["drops", "answers nothing"])
def test_loss_after_the_completion_is_not_taken_for_loading(
    serve: Serve, crowd: Crowd, loss: str
) -> None:
    """A page that is really lost after its load gets the reconnect grace, and is gone after it."""
    server = serve(**SCALED)

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        await start_loading(ada)
        await complete_loading(ada)
        if loss == "drops":
            await ada.drop()
        else:
            ada.answers_heartbeat = False
        lost = await logged(server, "link_lost", session_id=ada.session_id)
        assert lost["grace"] == "reconnect"
        assert lost["deadline_in_s"] == SCALED["reconnect_grace_s"]
        gone = await logged(server, "session_gone", session_id=ada.session_id)
        assert gone["at"] - lost["at"] == pytest.approx(SCALED["reconnect_grace_s"], abs=1.0)
        with pytest.raises(ConnectRefused) as refused:
            await ada.come_back(server.url, runtime={"state": "ready"})
        assert refused.value.code == "session_expired"

    crowd.run(scenario())
    # Must not happen: that the minute of a load is granted to somebody who does not load.
    assert select(server.admin.events(), "link_lost", where=lambda e: e["grace"] == "loading") == []


@pytest.mark.parametrize("reloads", [False, True], ids=["same page", "reload"])
def test_newest_connection_wins_before_the_old_one_is_reaped(
    serve: Serve, crowd: Crowd, reloads: bool
) -> None:
    """The late end of a connection that was replaced is no loss: seat, link and game are kept."""
    server = serve(**{**SCALED, "ping_timeout_s": 10})

    async def scenario() -> None:
        ada, bob = await matched_pair(server.url)
        # As a page whose network is gone without a word: it answers nothing, and is not closed.
        ada.answers_heartbeat = False
        come = ada.reload if reloads else ada.come_back
        newest = await come(server.url)
        assert ada.is_open
        assert newest.opened["epoch"] == 2
        await ada.wait_closed()
        await work_off_losses(server)
        assert bool(ada.heard("session_taken_over")) is reloads
        session = await session_of(server, newest)
        assert (session["link"], session["epoch"]) == ("connected", 2)
        assert (session["place"], session["game_id"]) == ("playing", game_id_of(bob))
        assert bob.heard("game_ended") == []
        assert {told["link"] for told in bob.heard("partner_status")} <= {"connected", "busy"}
        assert select(server.admin.events(), "link_lost", session_id=newest.session_id) == []

    crowd.run(scenario())


def test_second_tab_on_the_same_token_takes_over(serve: Serve, crowd: Crowd) -> None:
    """A duplicated tab copies the token: the newer tab has the session, the older one is told."""
    server = serve(**SCALED)

    async def scenario() -> None:
        first, bob = await matched_pair(server.url)
        second = await first.reload(server.url)
        await first.wait_for("session_taken_over")
        # Its connection lives for a moment yet, but nothing that it says counts any more.
        assert refused_with(await first.say("leave")) == "session_taken_over"
        await first.wait_closed()
        with pytest.raises(ConnectRefused) as refused:
            await first.come_back(server.url)
        assert refused.value.code == "session_taken_over"
        assert second.opened["game"]["game_id"] == game_id_of(bob)
        await start_loading(second)
        assert (await session_of(server, second))["epoch"] == 2
        assert bob.heard("game_ended") == []

    crowd.run(scenario())
    assert select(server.admin.events(), "session_gone") == []


def test_replaced_page_that_thaws_is_refused(serve: Serve, crowd: Crowd) -> None:
    """A page that was replaced while it was frozen and away cannot come back; nothing changes.

    It is told so when it tries, whatever it states of its runtime, and however often it tries.
    """
    server = serve(**SCALED, heartbeat="engineio")

    async def scenario() -> None:
        frozen = await RawPage.open(server.url)
        await start_loading(frozen, "load-of-old-page")
        frozen.answers_heartbeat = False
        await frozen.wait_closed()
        lost = await logged(server, "link_lost", session_id=frozen.session_id)
        assert lost["grace"] == "loading"
        newest = await frozen.reload(server.url, runtime={"state": "cold"})
        await start_loading(newest, "load-of-new-page")
        before = await session_of(server, newest)
        for state in ({"state": "loading", "attempt_id": "load-of-old-page"}, {"state": "ready"}):
            with pytest.raises(ConnectRefused) as refused:
                await frozen.come_back(server.url, runtime=state)
            assert refused.value.code == "session_taken_over"
        await work_off_losses(server)
        after = await session_of(server, newest)
        assert (after["epoch"], after["link"], after["since"]) == (2, "connected", before["since"])
        assert after["loading"]["attempt_id"] == "load-of-new-page"
        await complete_loading(newest, "load-of-new-page")

    crowd.run(scenario())
    assert len(select(server.admin.events(), "link_lost", where=lambda e: e["epoch"] > 1)) == 0


def test_reload_while_loading_begins_a_load_of_its_own(serve: Serve, crowd: Crowd) -> None:
    """The old page's attempt is over with it: its late completion ends nothing of the new page."""
    server = serve(**SCALED)

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        await start_loading(ada, "load-of-old-page")
        await ada.close(1001)
        lost = await logged(server, "link_lost", session_id=ada.session_id)
        assert (lost["close_code"], lost["grace"]) == (1001, "reconnect")
        newest = await ada.reload(server.url, runtime={"state": "cold"})
        assert newest.opened["runtime"] == "cold"
        assert (await start_loading(newest, "load-of-new-page"))["deadline_in_s"] == pytest.approx(
            60, abs=1
        )
        await complete_loading(newest, "load-of-old-page")
        assert (await session_of(server, newest))["loading"]["attempt_id"] == "load-of-new-page"
        await complete_loading(newest, "load-of-new-page")
        assert (await session_of(server, newest))["runtime"] == "ready"

    crowd.run(scenario())


@pytest.mark.parametrize("arrived", [True, False], ids=["start arrived", "start was lost too"])
def test_lost_acknowledgement_of_start_costs_nothing(
    serve: Serve, crowd: Crowd, arrived: bool
) -> None:
    """The page comes back restating its load: one load, its clock not begun anew by the repeats."""
    server = serve(**SCALED)

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        unheard = None
        if arrived:
            ada.stop_reading()
            said = {"attempt_id": "load-0001", "path": "preload", "runtime": "main"}
            unheard = await ada.send("pyodide_loading_start", said)
            await logged(server, "loading_started", session_id=ada.session_id)
        await ada.drop()
        lost = await logged(server, "link_lost", session_id=ada.session_id)
        assert lost["grace"] == ("loading" if arrived else "reconnect")
        back = await ada.come_back(
            server.url, runtime={"state": "loading", "attempt_id": "load-0001"}
        )
        assert back.opened["runtime"] == "loading"
        if unheard is not None:
            assert unheard.exception() is not None
        first = (await start_loading(back))["deadline_in_s"]
        again = (await start_loading(back))["deadline_in_s"]
        assert again <= first < 60
        await complete_loading(back)
        (started,) = select(server.admin.events(), "loading_started", session_id=ada.session_id)
        assert started["path"] == ("preload" if arrived else "restated")

    crowd.run(scenario())


@pytest.mark.parametrize("error", [None, "out of memory"], ids=["succeeded", "failed"])
@pytest.mark.parametrize("returns", [False, True], ids=["same connection", "next connection"])
def test_late_start_of_an_ended_attempt_begins_nothing(
    serve: Serve, crowd: Crowd, error: str | None, returns: bool
) -> None:
    """A start that arrives after its attempt has ended grants no grace; the runtime stays."""
    server = serve(**SCALED)
    state = "ready" if error is None else "failed"

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        await start_loading(ada)
        await complete_loading(ada, error=error)
        if returns:
            await ada.drop()
            ada = await ada.come_back(server.url, runtime=LOADING)
        assert (await start_loading(ada))["deadline_in_s"] == 0
        assert (await session_of(server, ada))["runtime"] == state
        # And no load is ended by what is late: the next attempt is another one.
        await start_loading(ada, "load-0002")
        await complete_loading(ada, "load-0001", error=error)
        assert (await session_of(server, ada))["loading"]["attempt_id"] == "load-0002"
        await complete_loading(ada, "load-0002")
        await join(ada)
        assert len(select(server.admin.events(), "loading_started")) == 2

    crowd.run(scenario())
