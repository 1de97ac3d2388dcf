"""What participants see, on a phone too: pictures for people, and checks that need no eyes."""

from pathlib import Path

from playwright.sync_api import Route

from app.lab.bench import Bench
from app.lab.holding import RUNTIME_FILE
from e2e.album import Album


def test_every_screen_fits_and_says_what_goes_on(
    bench: Bench, shipped_study: Path, album: Album
) -> None:
    """One who loads, fails and retries, and one who is told all along, at a desk and on a phone."""
    # One refusal is to be enough: after a snapshot that fails, Python would be loaded plainly.
    server = bench.serve(shipped_study, reconnect_grace_s=3, snapshots=False)
    desk, phone = bench.participant("desk"), bench.participant("phone", phone=True)
    held: list[Route] = []
    desk.page.route(RUNTIME_FILE, lambda route: held.append(route))

    for participant in (desk, phone):
        participant.open(server.url)
        participant.wait_for(scene="welcome", link="connected")
    desk.wait_for(runtime="loading")
    desk.part("progress").wait_for(state="visible")
    album.take("welcome", desk, phone)

    phone.wait_for(runtime="ready", timeout_s=30)
    phone.part("continue").press("Enter")
    phone.wait_for(place="waiting")
    phone.part("waiting").wait_for(state="visible")
    album.take("waiting", phone)

    desk.part("continue").press("Enter")
    phone.wait_for(game="matched", place="playing")
    phone.part("partner").wait_for(state="visible")
    album.take("partner-loads", desk, phone)

    for route in held:
        route.abort()
    desk.page.unroute(RUNTIME_FILE)
    desk.wait_for(runtime="failed")
    desk.part("retry").wait_for(state="visible")
    phone.wait_for(place="waiting")
    album.take("load-failed", desk, phone)

    desk.part("retry").click()
    for participant in (desk, phone):
        participant.wait_for(game="running", timeout_s=30)
    album.take("playing", desk, phone)

    desk.page.close()
    phone.wait_for(game="paused")
    album.take("partner-away", phone)
    phone.wait_for(game="ended", link="connected")
    album.take("partner-gone", phone)

    phone.part("leave").click()
    album.take("leave", phone)
    phone.part("confirm-leave").click()
    phone.wait_for(link="over")
    phone.part("over").wait_for(state="visible")
    album.take("over", phone)

    # Must not happen: that the session ended before its participant wanted to, with the other's.
    assert [entry["code"] for entry in phone.recorded("session_ended")] == ["left"]
