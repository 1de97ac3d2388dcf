"""Rows about the core: what a decision costs, and what a sweep costs in which nothing is due."""

import sqlite3
import time
from pathlib import Path

from app import create_app
from app.clock import SystemClock
from app.services.study_files import load_study
from app.sessions import Policy, Session, advance, open_session
from app.sessions.events import (
    ConnectionLost,
    GameOver,
    LoadingEnded,
    LoadingStarted,
    Matched,
    PageConnected,
    QueueJoined,
    Restated,
    SessionEvent,
    StageReached,
)
from app.sessions.models import RuntimeState
from app.settings import load_settings
from app.stores.sqlite import SqliteStore
from app.studies import StagerState
from e2e.speed.table import Row, median

ROUNDS = 5
LIVES = 2_000

STORED = (100_000, 1_000_000)
SWEEPS = 200

FILL = """
INSERT INTO sessions (id, credential, study, scene_id, place, queued_at, created_at, epoch,
    deadline, record)
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
SELECT id || n, credential || n, study, scene_id, place, queued_at, created_at, epoch, ?, record
FROM sessions, number WHERE id = ?
"""


def transitions() -> list[Row]:
    """Events per CPU second that `advance()` decides, over the life of one participant."""
    events = a_life()
    first = opened()
    policy = Policy()
    rates = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(LIVES):
            session = first
            for at, event in events:
                after = advance(session, event, at, policy).session
                session = after if after is not None else session
        rates.append(LIVES * len(events) / (time.process_time() - begun))
    rate = median(rates)
    return [
        Row(
            what="session transitions per CPU second",
            ours=rate,
            target="at least 100,000",
            met=rate >= 100_000,
            note=f"{len(events)} events of one life, every one of which changes the session",
        )
    ]


def opened() -> Session:
    """A session at its beginning, at time 0."""
    step = open_session(
        session_id="s_0123456789abcdef",
        study="study",
        participant=None,
        page_id="page-0001",
        scene=StagerState("match"),
        runtime=None,
        now=0.0,
        policy=Policy(),
    )
    if step.session is None:
        raise AssertionError("a new session exists")
    return step.session


def a_life() -> list[tuple[float, SessionEvent]]:
    """A participant waits, loads, is lost, returns, plays, is lost again, and returns."""
    loading = Restated(RuntimeState.LOADING, "attempt-01", "packages")
    ready = Restated(RuntimeState.READY)
    return [
        (1.0, QueueJoined(600.0)),
        (2.0, LoadingStarted("attempt-01", "preload", "main")),
        (3.0, StageReached("attempt-01", "packages")),
        (20.0, ConnectionLost(1, "ping timeout", None)),
        (30.0, PageConnected("page-0001", loading)),
        (31.0, StageReached("attempt-01", "environment")),
        (32.0, LoadingEnded("attempt-01", None, None)),
        (33.0, Matched("g_0123456789abcdef")),
        (50.0, ConnectionLost(2, "transport close", None)),
        (52.0, PageConnected("page-0001", ready)),
        (90.0, GameOver("g_0123456789abcdef", StagerState("match", done=True))),
    ]


def sweeps(folder: Path) -> list[Row]:
    """A sweep in which nothing is due, over stores of two sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in STORED:
        taken_ms = _sweep_over(number, folder / f"{number}.db")
        middle = median(taken_ms)
        rows.append(
            Row(
                what=f"ms for a sweep with nothing due, {number:,} sessions stored",
                ours=middle,
                target="under 1",
                met=middle < 1.0,
                note=f"the longest of {SWEEPS}: {max(taken_ms):.2f} ms",
            )
        )
    return rows


def _sweep_over(number: int, file: Path) -> list[float]:
    clock = SystemClock()
    settings = load_settings({"admin_token": "not-a-secret"})
    store = SqliteStore(file, sleep=clock.sleep)
    store.create(opened(), "credential", [])
    store.close()
    with sqlite3.connect(file) as db:
        # Due in an hour: as costly for the index as it can be without being due.
        db.execute(FILL, (number - 1, clock.now() + 3600.0, opened().id))
    db.close()
    store = SqliteStore(file, sleep=clock.sleep)
    app = create_app(settings, clock=clock, store=store, study=load_study(settings.study))
    sweeper = app.extensions["grace"].sweeper
    taken_ms = []
    sweeper.sweep()
    for _ in range(SWEEPS):
        begun = time.perf_counter()
        sweeper.sweep()
        taken_ms.append((time.perf_counter() - begun) * 1000)
    store.close()
    return taken_ms
