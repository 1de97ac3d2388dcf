"""An entry appears whole or not at all, is made once, and goes when nobody uses it."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.errors import GraceError
from app.python.cache import MOST_PRUNED, UNUSED_DAYS, Cache, open_cache, temporary_cache

DAY_S = 86_400
ROOT = Path(__file__).parents[2]


def write(text: str) -> Callable[[Path], None]:
    """Fills an entry with a file of that text."""

    def make(folder: Path) -> None:
        (folder / "file").write_text(text)

    return make


def refuse(folder: Path) -> None:
    """Fills an entry with something that must not be made."""
    raise AssertionError(f"{folder} is made again")


def names(folder: Path) -> list[str]:
    """All that lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def age(entry: Path, days: float) -> None:
    """Let the last use of an entry lie that far back."""
    then = entry.parent.stat().st_mtime - days * DAY_S
    os.utime(entry / ".in-use", (then, then))


def before_the_lock(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen just before the next lock is taken, once."""
    flock = fcntl.flock

    def late(file: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        happens()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """An empty cache in a folder that was not there."""
    made = Cache(tmp_path / "some" / "where")
    yield made
    made.close()


@pytest.fixture
def other(cache: Cache) -> Iterator[Cache]:
    """The same folder, as another server has it."""
    made = Cache(cache.folder)
    yield made
    made.close()


def test_an_entry_is_made_once(cache: Cache, other: Cache) -> None:
    """By whichever server needs it first; nothing else is left in the folder."""
    entry = cache.entry("key-1", write("content"))
    assert (entry / "file").read_text() == "content"
    assert cache.entry("key-1", refuse) == other.entry("key-1", refuse) == entry
    assert names(cache.folder) == ["key-1"]


def test_an_entry_can_be_read_by_others(cache: Cache) -> None:
    """A cache that a service's user fills can be looked into by its operator."""
    assert cache.entry("key", write("")).stat().st_mode & 0o777 == 0o755


def test_what_fails_leaves_nothing(cache: Cache) -> None:
    """The next start tries again."""

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        cache.entry("key", fail)
    assert names(cache.folder) == []
    assert (cache.entry("key", write("whole")) / "file").read_text() == "whole"


def test_two_that_start_at_once_make_it_once(cache: Cache, other: Cache) -> None:
    """The second waits for the first and takes what that has made."""
    began, waits = threading.Event(), threading.Event()
    entries: list[Path] = []

    def make(folder: Path) -> None:
        began.set()
        assert waits.wait(10)
        write("first")(folder)

    def second() -> None:
        waits.set()
        entries.append(other.entry("key", refuse))

    first = threading.Thread(target=lambda: entries.append(cache.entry("key", make)))
    first.start()
    assert began.wait(10)
    after = threading.Thread(target=second)
    after.start()
    for thread in (first, after):
        thread.join(10)
    assert [(entry / "file").read_text() for entry in entries] == ["first", "first"]
    assert names(cache.folder) == ["key"]


def test_two_that_cannot_lock_both_end_with_an_entry(
    cache: Cache, other: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have no locks; what was there first stays."""

    def no_locks(*given: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)

    def make(folder: Path) -> None:
        other.entry("key", write("theirs"))
        write("ours")(folder)

    assert (cache.entry("key", make) / "file").read_text() == "theirs"
    assert names(cache.folder) == ["key"]


def test_a_file_in_the_way_is_an_error(cache: Cache) -> None:
    """Not a content: whatever lies there was not made here."""
    (cache.folder / "key").mkdir()
    (cache.folder / "key" / "somebody's").touch()
    with pytest.raises(OSError):  # noqa: PT011 - systems have two names for it
        cache.entry("key", write(""))
    assert names(cache.folder) == ["key"]


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", ".hidden", "KEY", "a" * 122])
def test_a_key_is_a_simple_name(cache: Cache, key: str) -> None:
    """So that no entry lies outside, or is taken for something that is being made."""
    with pytest.raises(ValueError, match="not a key"):
        cache.entry(key, refuse)


def test_what_somebody_removes_is_made_again(cache: Cache) -> None:
    """A cache may be emptied by hand, whoever uses it."""
    shutil.rmtree(cache.entry("key", write("old")))
    assert (cache.entry("key", write("new")) / "file").read_text() == "new"
    shutil.rmtree(cache.folder / "key")
    Cache(cache.folder).entry("key", write("theirs"))
    assert (cache.entry("key", refuse) / "file").read_text() == "theirs"


def test_what_is_removed_just_before_it_is_held_is_made_again(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server may tidy up at the same time."""
    entry = cache.entry("key", write("old"))
    cache.close()
    before_the_lock(monkeypatch, lambda: shutil.rmtree(entry))
    assert (cache.entry("key", write("new")) / "file").read_text() == "new"


def test_an_entry_is_on_the_disk_before_it_is_there(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that stops has no entry afterwards whose files are empty."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
    entry = cache.entry("key", write("content"))
    assert (entry / "file").stat().st_ino in synced


def test_a_folder_is_meant_from_where_the_server_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it goes from there."""
    monkeypatch.chdir(tmp_path)
    cache = Cache(Path("cache"))
    assert cache.entry("key", write("")) == tmp_path / "cache" / "key"
    cache.close()


class TestPrune:
    """What nobody has used for a month is removed."""

    def test_old_entries_go(self, cache: Cache, other: Cache) -> None:
        """Those that are younger stay."""
        age(cache.entry("old", write("")), UNUSED_DAYS + 1)
        age(cache.entry("young", write("")), UNUSED_DAYS - 1)
        cache.close()
        assert other.prune() == 1
        assert names(cache.folder) == ["young"]

    def test_a_use_makes_young(self, cache: Cache, other: Cache) -> None:
        """The last use counts, and not the age."""
        age(cache.entry("key", write("")), UNUSED_DAYS + 1)
        cache.close()
        other.entry("key", refuse)
        other.close()
        assert cache.prune() == 0
        assert names(cache.folder) == ["key"]

    def test_what_a_server_uses_stays(self, cache: Cache, other: Cache) -> None:
        """A server that has run for a month still serves what it started with."""
        age(cache.entry("key", write("")), UNUSED_DAYS + 1)
        assert (cache.prune(), other.prune()) == (0, 0)
        assert names(cache.folder) == ["key"]

    def test_what_is_used_just_before_it_goes_stays(
        self, cache: Cache, other: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even by a server that has ended since."""
        age(cache.entry("key", write("")), UNUSED_DAYS + 1)
        cache.close()

        def use() -> None:
            cache.entry("key", refuse)
            cache.close()

        before_the_lock(monkeypatch, use)
        assert other.prune() == 0
        assert names(other.folder) == ["key"]

    def test_what_is_made_anew_just_before_it_goes_stays(
        self, cache: Cache, other: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock on the old one says nothing of the new one."""
        entry = cache.entry("key", write("old"))
        age(entry, UNUSED_DAYS + 1)
        cache.close()

        def replace() -> None:
            shutil.rmtree(entry)
            cache.entry("key", write("new"))

        before_the_lock(monkeypatch, replace)
        assert other.prune() == 0
        assert (entry / "file").read_text() == "new"

    def test_what_is_going_is_made_again(
        self, cache: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever needs it waits until its remover has let go, and then holds one of its own."""
        entry = cache.entry("key", write("old"))
        cache.close()
        marker = (entry / ".in-use").open("r+b")
        fcntl.flock(marker, fcntl.LOCK_EX)
        with ThreadPoolExecutor(1) as threads:
            asked = threading.Event()
            before_the_lock(monkeypatch, asked.set)
            made = threads.submit(cache.entry, "key", write("new"))
            assert asked.wait(10)
            shutil.move(entry, entry.with_name("gone"))
            marker.close()
            assert (made.result(10) / "file").read_text() == "new"
        with (entry / ".in-use").open("rb") as again, pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_it_can_be_made_again(self, cache: Cache, other: Cache) -> None:
        """A removed entry is one that was never there."""
        age(cache.entry("key", write("old")), UNUSED_DAYS + 1)
        cache.close()
        other.prune()
        assert (cache.entry("key", write("new")) / "file").read_text() == "new"

    def test_what_is_not_ours_stays(self, cache: Cache) -> None:
        """Whoever names a folder with other things in it keeps them."""
        theirs = cache.folder / "photos"
        theirs.mkdir()
        (cache.folder / "letter.txt").touch()
        for path in (theirs, cache.folder / "letter.txt"):
            os.utime(path, (0, 0))
        assert cache.prune() == 0
        assert names(cache.folder) == ["letter.txt", "photos"]

    def test_remains_of_a_killed_server_go(self, cache: Cache) -> None:
        """After a day, since nothing takes so long to make."""
        (cache.folder / ".making-abc").mkdir()
        (cache.folder / ".making-abc" / "half").touch()
        (cache.folder / ".making-key.lock").touch()
        assert cache.prune() == 0
        for name in names(cache.folder):
            os.utime(cache.folder / name, (0, 0))
        assert cache.prune() == 2
        assert names(cache.folder) == []

    def test_it_is_bounded(self, cache: Cache, other: Cache) -> None:
        """A start does not take long because of what earlier ones left."""
        for number in range(MOST_PRUNED + 3):
            age(cache.entry(f"key-{number}", write("")), UNUSED_DAYS + 1)
        cache.close()
        assert other.prune() == MOST_PRUNED
        assert other.prune() == 3

    def test_without_locks_nothing_goes(
        self, cache: Cache, other: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nobody can tell what is used, everything may be."""
        age(cache.entry("key", write("")), UNUSED_DAYS + 1)
        cache.close()

        def no_locks(*given: Any) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("fcntl.flock", no_locks)
        assert other.prune() == 0

    def test_a_folder_that_is_gone_is_no_error(self, cache: Cache) -> None:
        """Tidying up keeps no server from starting."""
        shutil.rmtree(cache.folder)
        assert cache.prune() == 0


class TestFallback:
    """A cache that cannot be used keeps no server from starting."""

    def test_a_folder_that_works_is_taken(self, tmp_path: Path) -> None:
        """In silence."""
        said: list[str] = []
        assert open_cache(tmp_path / "cache", said.append).folder == tmp_path / "cache"
        assert said == []

    def test_the_home_folder_is_meant(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As in a shell."""
        monkeypatch.setenv("HOME", str(tmp_path))
        assert open_cache(Path("~/cache"), print).folder == tmp_path / "cache"

    def test_another_folder_takes_its_place(self, tmp_path: Path) -> None:
        """With one sentence that says why."""
        (tmp_path / "file").touch()
        said: list[str] = []
        cache = open_cache(tmp_path / "file" / "cache", said.append)
        assert cache.folder.parent == Path(tempfile.gettempdir())
        assert (cache.entry("key", write("content")) / "file").read_text() == "content"
        (sentence,) = said
        assert f"{tmp_path / 'file' / 'cache'} cannot be used (Not a directory)" in sentence
        cache.close()
        shutil.rmtree(cache.folder)

    def test_no_home_folder_is_no_end(self) -> None:
        """A service may have a user without one."""
        said: list[str] = []
        cache = open_cache(Path("~nobody-has-this-name/cache"), said.append)
        assert cache.folder.parent == Path(tempfile.gettempdir())
        assert len(said) == 1
        cache.close()
        shutil.rmtree(cache.folder)

    def test_a_temporary_cache_ends_with_its_process(self) -> None:
        """Nothing fills the disk from one start to the next."""
        code = "from app.python.cache import temporary_cache; print(temporary_cache().folder)"
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True
        )
        folder = Path(ended.stdout.strip())
        assert folder.name.startswith("grace-server-")
        assert not folder.exists()

    def test_a_folder_that_is_read_only_is_not_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is found out at once, and not when something is to be kept."""

        def read_only(*given: Any, **more: Any) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
        with pytest.raises(OSError, match="Read-only"):
            Cache(tmp_path)

    def test_no_folder_anywhere_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then nothing can be served."""

        def full(**given: Any) -> str:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(tempfile, "mkdtemp", full)
        with pytest.raises(GraceError, match=r"No temporary folder.*No space"):
            temporary_cache()
