"""Operators: the log is on the disk that is full, and the clock of a store was ahead."""

from collections.abc import Callable
from pathlib import Path

from app.lab.admin import select
from app.lab.crowd import Crowd
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from app.lab.waiting import until
from e2e.raw_scenes import join, logged, start_loading
from e2e.store_mishaps import fill_disk, set_clock_ahead, small_disk

Serve = Callable[..., ServerProcess]


def test_full_disk_under_the_log_ends_no_service(
    crowd: Crowd, studies: Path, tmp_path: Path
) -> None:
    """A server that can write neither its store nor its log goes on when there is room again.

    Nobody can be told of what is lost then; but the sweeper lives, and ends graces as before.
    """
    with small_disk(tmp_path / "small", megabytes=4) as disk:
        settings = {"ping_interval_s": 1, "ping_timeout_s": 10, "reconnect_grace_s": 2}
        with ServerProcess(studies / "game_first.py", disk / "server", settings) as server:

            async def scenario() -> None:
                ada, bob = await RawPage.open(server.url), await RawPage.open(server.url)
                ballast = fill_disk(disk)
                codes = set()
                for number in range(200):
                    said = {"attempt_id": f"load-{number:04}", "path": "preload", "runtime": "main"}
                    answer = await ada.say("pyodide_loading_start", said)
                    codes.add(answer.get("error", {}).get("code"))
                await bob.drop()
                assert codes - {None} == {"try_again"}
                ballast.unlink()
                await logged(server, "link_lost", session_id=bob.session_id)
                await logged(server, "session_gone", session_id=bob.session_id)
                await start_loading(ada, "load-after-all")

            crowd.run(scenario())


def test_clock_that_was_ahead_keeps_the_queue_and_nobody_for_ever(
    serve: Serve, crowd: Crowd, tmp_path: Path
) -> None:
    """Who waited already stands before who comes now; who is over is pruned in their time."""
    file = tmp_path / "ahead.db"
    server = serve(
        store=f"sqlite:///{file}",
        ping_interval_s=1,
        ping_timeout_s=10,
        reconnect_grace_s=5,
        gone_kept_s=2,
    )

    async def before() -> tuple[RawPage, RawPage]:
        waiting, leaving = await RawPage.open(server.url), await RawPage.open(server.url)
        await join(waiting)
        await leaving.say("leave")
        return waiting, leaving

    waiting, leaving = crowd.run(before())
    server.kill()
    set_clock_ahead(file, 3600.0)
    server.start()

    async def after() -> None:
        newcomer = await RawPage.open(server.url)
        await join(newcomer)
        back = await waiting.come_back(server.url)
        assert (await back.wait_for("game_matched"))["you"] == "player_0"

    crowd.run(after())
    until(
        lambda: server.admin.session(leaving.session_id) is None or None,
        what="who left being pruned",
        timeout_s=10,
    )
    assert select(server.admin.events(), "session_gone")[0]["why"] == "left"
