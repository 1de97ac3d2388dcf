"""The merged record of one run."""

import json
from pathlib import Path

from app.lab.record import Entry, merge, shown, write_json_lines

EVENTS = [
    {"seq": 1, "at": 10.0, "session_id": "s", "event": "session_opened"},
    {"seq": 2, "at": 12.5, "session_id": "s", "event": "link_lost"},
]
PAGES = {
    "ada": [{"at_ms": 9_000.0, "event": "page_opened"}, {"at_ms": 12_000.0, "event": "frozen"}],
    "bob": [{"at_ms": 12_500.0, "event": "told", "player": "player_0"}],
}


def test_merge_orders_by_time_across_origins() -> None:
    """Milliseconds of pages and seconds of the server become one order."""
    assert [(entry.origin, entry.event) for entry in merge(PAGES, EVENTS)] == [
        ("ada", "page_opened"),
        ("server", "session_opened"),
        ("ada", "frozen"),
        ("server", "link_lost"),
        ("bob", "told"),
    ]


def test_merge_keeps_every_detail() -> None:
    """What an entry says beyond time and name is kept as it was."""
    last = merge(PAGES, EVENTS)[-1]
    assert last == Entry(at=12.5, origin="bob", event="told", detail={"player": "player_0"})


def test_merge_keeps_each_logs_own_order_at_the_same_time() -> None:
    """Events of one moment stay in the order in which they were written."""
    same = [{"at": 1.0, "event": name} for name in ("c", "a", "b")]
    assert [entry.event for entry in merge({}, same)] == ["c", "a", "b"]


def test_json_lines_hold_one_object_each(tmp_path: Path) -> None:
    """The file is JSON lines in the record's order, in a folder that is made when missing."""
    file = tmp_path / "new" / "record.jsonl"
    write_json_lines(merge(PAGES, EVENTS), file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["event"] for line in lines][:2] == ["page_opened", "session_opened"]
    assert lines[1] == {
        "at": 10.0, "origin": "server", "event": "session_opened", "seq": 1, "session_id": "s",
    }  # fmt: skip


def test_shown_is_short() -> None:
    """People see the end of a long record, how much was left out, and no endless line."""
    long = [Entry(at=float(n), origin="server", event="tick") for n in range(100)]
    long.append(Entry(at=100.0, origin="ada", event="failed", detail={"traceback": "x" * 9000}))
    lines = shown(long, last=3).splitlines()
    assert "98 entries left out" in lines[0]
    assert len(lines) == 4
    assert max(map(len, lines)) < 250


def test_nothing_recorded_is_said() -> None:
    """An empty record is a sentence, too."""
    assert shown([]) == "nothing was recorded"
