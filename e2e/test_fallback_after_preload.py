"""The fallback load, where the preload was tried and failed."""

from pathlib import Path

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.holding import RUNTIME_FILE, refused


def test_failed_preload_is_made_good_by_the_fallback(
    bench: Bench, shipped_study: Path, runtime: str
) -> None:
    """Who comes to play with a preload that failed while reading has Python loaded all the same."""
    server = bench.serve(shipped_study, runtime=runtime)
    reader = bench.participant("reader")
    with refused(reader.page, RUNTIME_FILE):
        reader.open(server.url)
        reader.wait_for(runtime="failed", timeout_s=30)
    reader.part("continue").click()
    reader.wait_for(runtime="ready", place="waiting", timeout_s=60)

    events = server.admin.events()
    started = select(events, "loading_started")
    assert [(load["path"], load["runtime"]) for load in started] == [
        ("preload", runtime),
        ("fallback", runtime),
    ]
    # Must not happen: that the failure cost the participant the session, or a connection.
    assert select(events, "link_lost") == []
    assert select(events, "session_gone") == []
