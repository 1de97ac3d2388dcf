"""The embedded store keeps the contract, in memory and in a file, and says what it cannot do."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.errors import StoreBusy, StoreError
from app.sessions import Record, Step
from app.stores.base import Change, LogEntry, Store
from app.stores.sqlite import SCHEMA_VERSION, SqliteStore
from unit.stores.contract import StoreContract
from unit.stores.records import a_game, a_session, away


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a store that is not there yet."""
    return tmp_path / "grace.db"


class TestInMemory(StoreContract):
    """The contract, in memory."""

    @pytest.fixture
    def store(self, clock: ManualClock) -> Iterator[Store]:
        """An empty store."""
        with closing(SqliteStore(":memory:", sleep=clock.sleep)) as store:
            yield store


class TestInAFile(StoreContract):
    """The contract, in a file."""

    @pytest.fixture
    def store(self, file: Path, clock: ManualClock) -> Iterator[Store]:
        """An empty store."""
        with closing(SqliteStore(file, sleep=clock.sleep)) as store:
            yield store


def fill(store: Store) -> None:
    """One of everything that a store keeps."""
    store.create(away(a_session("s_1"), deadline=5.0), "hash", [LogEntry(1.0, "s_1", "noted")])
    store.change_many([], None, lambda *_: Change(game=a_game(deadline=6.0)))
    store.mark_alive(7.0)


def contents(store: Store) -> list[object]:
    """Everything that a store can tell."""
    return [
        store.sessions(),
        store.games(),
        store.events(),
        store.session_id_of("hash"),
        store.due_before(9e9, 9),
        store.alive_at(),
    ]


def test_a_file_keeps_everything(file: Path, clock: ManualClock) -> None:
    """What a store kept is there when its file is opened again, and the log goes on counting."""
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        fill(store)
        before = contents(store)
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        assert contents(store) == before
        store.append([LogEntry(8.0, None, "noted")])
        assert [entry["seq"] for entry in store.events()] == [1, 2]


def test_a_change_is_kept_without_closing(file: Path, clock: ManualClock) -> None:
    """A killed process closes nothing; what it had changed is in the file all the same."""
    with closing(SqliteStore(file, sleep=clock.sleep)) as alive:
        fill(alive)
        with closing(sqlite3.connect(file)) as other:
            for table, kept in (
                ("sessions", alive.sessions()),
                ("games", alive.games()),
                ("events", alive.events()),
            ):
                (count,) = other.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
                assert count == len(kept) > 0


def test_a_file_is_for_one_server(file: Path, clock: ManualClock) -> None:
    """A second server would give the first one's participants a deadline; it is refused."""
    with (
        closing(SqliteStore(file, sleep=clock.sleep)),
        pytest.raises(StoreError, match="in use by another server"),
    ):
        SqliteStore(file, sleep=clock.sleep)
    SqliteStore(file, sleep=clock.sleep).close()


def test_numbers_of_the_log_are_never_given_twice(file: Path, clock: ManualClock) -> None:
    """Who asks for what came after a number misses nothing, even if somebody cut the log."""
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        store.append([LogEntry(0.0, None, "first"), LogEntry(0.0, None, "second")])
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM events")
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        store.append([LogEntry(0.0, None, "third")])
        assert [entry["seq"] for entry in store.events()] == [3]


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, -1])
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_store_of_another_version_is_refused(
    file: Path, clock: ManualClock, version: int, mode: str
) -> None:
    """A file that another version of the server made is named with both versions, and left."""
    SqliteStore(file, sleep=clock.sleep).close()
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA journal_mode={mode}")
        db.execute(f"PRAGMA user_version={version}")
    before = file.read_bytes()
    with pytest.raises(
        StoreError, match=f"{file} .* version {version} .* version {SCHEMA_VERSION}"
    ):
        SqliteStore(file, sleep=clock.sleep)
    assert file.read_bytes() == before


def test_a_database_of_somebody_else_is_refused(file: Path, clock: ManualClock) -> None:
    """A mistyped path does not put our tables into another program's database."""
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE notes (text TEXT)")
    before = file.read_bytes()
    with pytest.raises(StoreError, match=f"{file} is a database, but not a store"):
        SqliteStore(file, sleep=clock.sleep)
    assert file.read_bytes() == before


def test_a_file_that_a_killed_start_left_empty_is_used(file: Path, clock: ManualClock) -> None:
    """Who is killed between making the file and laying it out leaves what the next start takes."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode=WAL")
    assert file.stat().st_size > 0
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        fill(store)
        assert len(store.sessions()) == 1


@pytest.mark.parametrize(
    ("table", "read"),
    [
        ("sessions", lambda store: store.sessions()),
        ("sessions", lambda store: store.session("s_1")),
        ("games", lambda store: store.games()),
    ],
    ids=["sessions", "session", "games"],
)
def test_a_record_that_cannot_be_read_is_said_in_a_sentence(
    file: Path, clock: ManualClock, table: str, read: Callable[[Store], object]
) -> None:
    """A record of another version's making: what it lacks is named, and nothing of it is quoted."""
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        fill(store)
        with closing(sqlite3.connect(file)) as db, db:
            db.execute(f"UPDATE {table} SET record=json_remove(record, '$.study')")  # noqa: S608
        with pytest.raises(ValueError, match=r"cannot read \(\w+\.study: Field required\): use "):
            read(store)


@pytest.mark.parametrize("kind", ["a folder", "in no folder", "no database"])
def test_a_path_that_cannot_be_a_store_is_refused(
    tmp_path: Path, clock: ManualClock, kind: str
) -> None:
    """The sentence names the file."""
    path = {"a folder": tmp_path, "in no folder": tmp_path / "no" / "grace.db"}.get(
        kind, tmp_path / "notes.txt"
    )
    if kind == "no database":
        path.write_text("These are my notes, and they are longer than a page of SQLite. " * 99)
    with pytest.raises(StoreError, match=f"the store {path} cannot be used: "):
        SqliteStore(path, sleep=clock.sleep)


class Held:
    """A store whose file another connection holds, and how long was waited for it."""

    def __init__(self, file: Path, release_after: int | None = None) -> None:
        self.slept: list[float] = []
        self._release_after = release_after
        self.store = SqliteStore(file, sleep=self._sleep, patience_s=2.0)
        self.store.create(a_session("s_1"), "hash", [])
        self.other = sqlite3.connect(file, isolation_level=None)
        self.other.execute("BEGIN IMMEDIATE")

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._release_after:
            self.other.execute("COMMIT")

    def close(self) -> None:
        """Let go of both connections."""
        self.store.close()
        self.other.close()


def test_a_lock_that_is_let_go_is_waited_for(file: Path) -> None:
    """While another process holds the file, the store sleeps in short steps and tries again."""
    with closing(Held(file, release_after=3)) as held:
        held.store.change("s_1", 0.0, lambda session: Step(session, (Record("noted"),)))
        assert [entry["event"] for entry in held.store.events()] == ["noted"]
        assert len(held.slept) == 3
        assert all(0 < seconds <= 0.1 for seconds in held.slept)


def test_a_lock_that_is_kept_is_given_up(file: Path) -> None:
    """After its patience, and not before, the store says that it is busy; nothing was decided."""
    with closing(Held(file)) as held:
        decided: list[object] = []

        def decide(session: object) -> Step:
            decided.append(session)
            return Step(None)

        with pytest.raises(StoreBusy, match=r"another process has held the store for 2\.\d s"):
            held.store.change("s_1", 0.0, decide)
        assert decided == []
        assert sum(held.slept) == pytest.approx(2.0, abs=0.11)


def test_reading_does_not_wait(file: Path) -> None:
    """What was committed last can be read while another process writes."""
    with closing(Held(file)) as held:
        assert held.store.session("s_1") == a_session("s_1")
        assert held.store.due_before(9e9, 5) == []
        assert held.slept == []


def test_a_change_within_a_change_is_refused(clock: ManualClock) -> None:
    """A decision is pure: one that writes to the store fails, and what it was part of is undone."""
    with closing(SqliteStore(":memory:", sleep=clock.sleep)) as store:
        store.create(a_session("s_1"), "hash", [])

        def decide(_: object) -> Step:
            store.append([LogEntry(0.0, None, "noted")])
            return Step(None)

        with pytest.raises(StoreError, match="could not begin a change"):
            store.change("s_1", 0.0, decide)
        assert store.session("s_1") == a_session("s_1")
        assert store.events() == []


def test_a_write_that_the_file_refuses_is_a_store_error(file: Path, clock: ManualClock) -> None:
    """What SQLite raises in the middle of a change comes out as ours, and nothing is kept."""
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        fill(store)
        with closing(sqlite3.connect(file)) as db:
            db.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN "
                       "SELECT RAISE(ABORT, 'the disk is full'); END")  # fmt: skip
        with pytest.raises(StoreError, match="could not keep a change: the disk is full"):
            store.change("s_1", 0.0, lambda _: Step(None, (Record("noted"),)))
        assert store.session("s_1") is not None


READS: dict[str, Callable[[Store], object]] = {
    "session": lambda store: store.session("s_1"),
    "session_id_of": lambda store: store.session_id_of("hash"),
    "due_before": lambda store: store.due_before(9e9, 5),
    "waiting": lambda store: store.waiting("study", "match"),
    "sessions": lambda store: store.sessions(),
    "game": lambda store: store.game("g_1"),
    "games": lambda store: store.games(),
    "unended_games": lambda store: store.unended_games(),
    "events": lambda store: store.events(),
    "alive_at": lambda store: store.alive_at(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_that_the_file_refuses_is_a_store_error(
    file: Path, clock: ManualClock, read: Callable[[Store], object]
) -> None:
    """Who reads has to know one error only, ours: the sweeper lives on after it."""
    with closing(SqliteStore(file, sleep=clock.sleep)) as store:
        with closing(sqlite3.connect(file)) as db:
            for table in ("sessions", "games", "events", "server"):
                db.execute(f"DROP TABLE {table}")
        with pytest.raises(StoreError):
            read(store)
