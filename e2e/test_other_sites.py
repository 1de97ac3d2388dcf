"""A page of another site reaches nothing, and a script that somebody wrote is only text."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page
from websockets.exceptions import InvalidStatus

from app.lab.bench import Bench
from app.lab.chromium import Chromium
from app.lab.crowd import Crowd
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from e2e.foreign_site import INNER, ForeignSite
from e2e.raw_scenes import accepted, game_id_of, join, running_pair
from e2e.studies.spiteful import SCRIPT

Serve = Callable[..., ServerProcess]


class TestOtherSites:
    """A page of another site reaches nothing, in a frame or by itself."""

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "https://127.0.0.1", "http://127.0.0.1:1", "null"]
    )
    def test_a_handshake_from_another_origin_is_refused(
        self, serve: Serve, crowd: Crowd, origin: str
    ) -> None:
        """With HTTP status 400, before there is a WebSocket; our own origin is let in."""
        server = serve()

        async def scenario() -> None:
            with pytest.raises(InvalidStatus) as refused:
                await RawPage.open(server.url, origin=origin)
            assert refused.value.response.status_code == 400
            assert (await RawPage.open(server.url, origin=server.url)).epoch == 1

        crowd.run(scenario())
        assert len(server.admin.sessions()) == 1

    def test_another_site_opens_no_websocket(self, serve: Serve, chromium: Chromium) -> None:
        """A browser names the origin itself; the same line from our own origin connects."""
        server = serve()
        with ForeignSite({"/": "<p>elsewhere"}) as site:
            context = chromium.new_context()
            page = context.new_page()
            page.goto(f"{server.url}/healthz")
            assert _opens_websocket(page, server.url) == "open"
            page.goto(site.url)
            assert _opens_websocket(page, server.url) == "refused"
            context.close()
        assert server.admin.sessions() == []

    def test_our_page_is_shown_in_no_frame(self, serve: Serve, chromium: Chromium) -> None:
        """Another site's frame stays empty, and no session begins in it; its own page is shown."""
        server = serve()
        pages = {
            "/": f'<iframe src="/inner"></iframe><iframe src="{server.url}/"></iframe>',
            "/inner": f"<p>{INNER}</p>",
        }
        with ForeignSite(pages) as site:
            context = chromium.new_context()
            page = context.new_page()
            is_refusal = "frame-ancestors"
            with page.expect_console_message(lambda said: is_refusal in said.text):
                page.goto(site.url)
            own, ours = page.frames[1:]
            assert own.get_by_text(INNER).count() == 1
            assert ours.locator("#grace-config").count() == 0
            # Control: the same address outside of a frame is the page.
            page.goto(server.url)
            assert page.locator("#grace-config").count() == 1
            context.close()


def _opens_websocket(page: Page, url: str) -> str:
    """Whether a script of this page gets a WebSocket to the server: "open" or "refused"."""
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    outcome: str = page.evaluate(
        """(address) => new Promise((done) => {
            const socket = new WebSocket(address);
            socket.onopen = () => { socket.close(); done("open"); };
            socket.onerror = () => done("refused");
        })""",
        address,
    )
    return outcome


class TestScripts:
    """A script that somebody wrote is text, wherever it is shown."""

    def test_no_script_of_a_label_a_study_or_a_traceback_runs(
        self, bench: Bench, crowd: Crowd, studies: Path
    ) -> None:
        """The page shows them letter by letter; nothing was even tried, or a fault would be kept.

        `bench` fails the test for every refusal by the content security policy. The environment
        raises in the browser once it is played, with a script for a reason.
        """
        server = bench.serve(studies / "spiteful.py")
        ada = bench.participant("ada")
        ada.page.goto(f"{server.url}/?participant={quote(SCRIPT)}", wait_until="commit")
        ada.wait_for(link="connected", runtime="ready", place="waiting", timeout_s=60)
        shown = ada.page.locator("body").inner_text()
        for text in (f"A heading {SCRIPT}", f"A text {SCRIPT}"):
            assert text in shown
        assert ada.page.title().startswith(f"A title {SCRIPT}")

        async def play() -> None:
            bob = await RawPage.open(server.url)
            await join(bob)
            await bob.wait_for("game_matched")
            ended = await bob.wait_for("game_ended", timeout_s=30)
            assert ended["reason"] == "environment_failed"
            assert "stolen" not in json.dumps(ended)

        crowd.run(play())
        failed = server.admin.wait_for_event("environment_failed")
        assert f"{SCRIPT}the reason" in failed["traceback"]
        ada.wait_for(place="lobby")
        markup = "main script, main img, main [onerror], main a[href^=javascript]"
        assert ada.page.locator(markup).count() == 0
        assert ada.page.evaluate("window.stolen") is None
        labels = [session["participant"] for session in server.admin.sessions()]
        assert SCRIPT in labels

    def test_the_admin_json_is_no_page(
        self, serve: Serve, crowd: Crowd, chromium: Chromium
    ) -> None:
        """Labels and tracebacks in it are shown as JSON by a browser that opens it."""
        server = serve()

        async def scenario() -> None:
            ada, bob = await running_pair(server.url)
            stranger = await RawPage.open(server.url, participant=SCRIPT)
            await join(stranger)
            failed = {"game_id": game_id_of(ada), "frame": 3, "traceback": SCRIPT}
            accepted(await ada.say("environment_failed", failed))
            ended = await bob.wait_for("game_ended")
            assert SCRIPT not in json.dumps(ended)

        crowd.run(scenario())
        context = chromium.new_context()
        page = context.new_page()
        token = server.environment()["GRACE_ADMIN_TOKEN"]
        page.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        for path, fields in (("sessions", "participant"), ("events", "traceback")):
            answer = page.goto(f"{server.url}/admin/api/{path}")
            assert answer is not None
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert page.evaluate("document.contentType") == "application/json"
            assert SCRIPT in [entry.get(fields) for entry in answer.json()]
            assert page.locator("img").count() == 0
            assert page.evaluate("window.stolen") is None
        context.close()
