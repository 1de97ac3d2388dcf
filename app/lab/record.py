"""The merged record of one run: what every page and the server wrote down, ordered by time.

Pages and server run on one machine, so their clocks are one clock: a page's `at_ms` is
`performance.timeOrigin + performance.now()` (W3C High Resolution Time, epoch milliseconds), the
server's `at` is UTC seconds.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SERVER = "server"
"""The origin of the server's own events."""

SHOWN_DETAIL_LENGTH = 140


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that somebody wrote down.

    Attributes:
        at: UTC seconds.
        origin: "server", or the participant's name.
        event: its name.
        detail: everything else about it.
    """

    at: float
    origin: str
    event: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def merge(
    pages: Mapping[str, Sequence[Mapping[str, Any]]], events: Sequence[Mapping[str, Any]]
) -> list[Entry]:
    """One list of what the pages and the server recorded, ordered by time.

    What happened at the same time keeps the order of its own log, the server's before the pages'.

    Args:
        pages: every participant's event log, `{at_ms, event, ...}`, by the participant's name.
        events: the server's event log, `{seq, at, event, ...}`.
    """
    merged = [_entry(SERVER, float(event["at"]), event, without="at") for event in events]
    for name, log in pages.items():
        merged += [_entry(name, float(line["at_ms"]) / 1000, line, without="at_ms") for line in log]
    return sorted(merged, key=lambda entry: entry.at)


def write_json_lines(entries: Iterable[Entry], file: Path) -> None:
    """Write a record, one JSON object a line: `{at, origin, event, ...}`; folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as lines:
        for entry in entries:
            head = {"at": entry.at, "origin": entry.origin, "event": entry.event}
            lines.write(json.dumps({**entry.detail, **head}, default=str) + "\n")


def shown(entries: Sequence[Entry], last: int = 80) -> str:
    """The end of a record for people: seconds since its first entry, origin, event, detail.

    Args:
        entries: the record, ordered.
        last: entries to show.
    """
    if not entries:
        return "nothing was recorded"
    first = entries[0].at
    begun = datetime.fromtimestamp(first, UTC).isoformat(timespec="milliseconds")
    left_out = len(entries) - last
    lines = [f"{begun} begins" + (f"; {left_out} entries left out" if left_out > 0 else "")]
    for entry in entries[-last:]:
        detail = json.dumps(entry.detail, default=str) if entry.detail else ""
        if len(detail) > SHOWN_DETAIL_LENGTH:
            detail = detail[:SHOWN_DETAIL_LENGTH] + "..."
        lines.append(f"{entry.at - first:9.3f}  {entry.origin:8}  {entry.event}  {detail}".rstrip())
    return "\n".join(lines)


def _entry(origin: str, at: float, line: Mapping[str, Any], *, without: str) -> Entry:
    detail = {key: value for key, value in line.items() if key not in (without, "event")}
    return Entry(at=at, origin=origin, event=str(line["event"]), detail=detail)
