"""What passes through a network and what does not, on transports that have no socket."""

from dataclasses import dataclass

import pytest

from app.clock import ManualClock
from app.lab.errors import LabError
from app.lab.lines import Line, Lines, Passed
from unit.lab.fake_transport import FakeTransport

UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@dataclass
class Joined:
    """A line whose two ends have their connections."""

    line: Line
    page: FakeTransport
    server: FakeTransport

    @property
    def told(self) -> tuple[bytes, bytes]:
        """What the page has heard, and what the server has heard."""
        return self.page.sent, self.server.sent

    @property
    def nobody_knows(self) -> bool:
        """Whether neither side was told of an end."""
        return not (self.page.was_told or self.server.was_told)


@pytest.fixture
def clock() -> ManualClock:
    """The time."""
    return ManualClock(100.0)


@pytest.fixture
def lines(clock: ManualClock) -> Lines:
    """A network that is whole."""
    return Lines(clock.now)


def joined(lines: Lines, answer: bytes = b"") -> Joined:
    """A new line that leads to the server, which has begun with that answer."""
    line = lines.begin()
    new = Joined(line, FakeTransport(line.page), FakeTransport(line.server))
    if answer:
        new.server.arrive(answer)
        new.page.sent = b""
    return new


def test_what_arrives_passes_on(lines: Lines) -> None:
    """Unchanged and in order, in both directions."""
    one = joined(lines)
    one.page.arrive(b"GET ")
    one.page.arrive(b"/")
    one.server.arrive(b"200")
    assert one.told == (b"200", b"GET /")


def test_nothing_is_taken_before_it_can_be_passed_on(lines: Lines) -> None:
    """Whichever end has its connection first waits for the other."""
    line = lines.begin()
    page = FakeTransport(line.page)
    assert page.is_paused
    server = FakeTransport(line.server)
    assert (page.is_paused, server.is_paused) == (False, False)


def test_who_sends_waits_for_who_reads(lines: Lines) -> None:
    """A side that does not read makes the other one stop, so that nothing piles up."""
    one = joined(lines)
    one.line.page.pause_writing()
    assert (one.page.is_paused, one.server.is_paused) == (False, True)
    one.line.page.resume_writing()
    assert not one.server.is_paused


def test_each_stream_ends_by_itself(lines: Lines) -> None:
    """The end of one is passed on, the other goes on; after both all is closed and forgotten."""
    one = joined(lines)
    one.page.arrive_eof()
    assert one.server.has_sent_eof
    one.server.arrive(b"last words")
    assert one.told == (b"last words", b"")
    assert len(lines) == 1
    one.server.arrive_eof()
    assert one.page.has_sent_eof
    assert (one.page.ended, one.server.ended, len(lines)) == ("closed", "closed", 0)


def test_a_broken_connection_breaks_the_other(lines: Lines) -> None:
    """At once, whichever side it was."""
    one, two = joined(lines), joined(lines)
    one.page.arrive_reset()
    two.server.arrive_reset()
    assert (one.server.ended, two.page.ended, len(lines)) == ("aborted", "aborted", 0)


def test_a_server_that_is_out_of_reach_ends_the_page(lines: Lines) -> None:
    """Also when that is known before the page's connection is there."""
    late, early = lines.begin(), lines.begin()
    page = FakeTransport(late.page)
    late.page.abort()
    early.page.abort()
    assert (page.ended, FakeTransport(early.page).ended, len(lines)) == ("aborted", "aborted", 0)


def test_a_page_that_does_not_wait_is_not_passed_on(lines: Lines) -> None:
    """The server's connection that comes too late is closed."""
    line = lines.begin()
    FakeTransport(line.page).abort()
    assert FakeTransport(line.server).ended == "aborted"


def test_a_cut_is_silent(lines: Lines) -> None:
    """Neither data nor an end nor a break passes, in either direction, and nobody is told."""
    quiet, ended, broken = joined(lines), joined(lines), joined(lines)
    lines.cut(only_from_server=False)
    for one in (quiet, ended, broken):
        one.page.arrive(b"anybody?")
        one.server.arrive(b"anybody?")
        assert one.told == (b"", b"")
        assert one.nobody_knows
    ended.server.arrive_eof()
    broken.server.arrive_reset()
    assert ended.nobody_knows
    assert not broken.page.was_told
    quiet.page.arrive_reset()
    assert not quiet.server.was_told


def test_a_cut_loses_only_what_the_server_sends_if_wanted(lines: Lines) -> None:
    """The server still hears the page, and that it goes."""
    one = joined(lines)
    lines.cut(only_from_server=True)
    one.page.arrive(b"anybody?")
    one.server.arrive(b"yes")
    assert one.told == (b"", b"anybody?")
    one.page.arrive_eof()
    assert one.server.has_sent_eof
    one.server.arrive_reset()
    assert one.page.ended


def test_a_page_may_speak_to_a_server_that_is_gone(lines: Lines) -> None:
    """It was not told, so it goes on; nobody hears it."""
    one = joined(lines)
    lines.cut(only_from_server=True)
    one.server.arrive_reset()
    one.page.arrive(b"anybody?")
    assert one.told == (b"", b"")
    assert not one.page.was_told


def test_who_waits_when_it_is_cut_waits_no_more(lines: Lines) -> None:
    """What is lost needs no room, and its end has to be seen; so all is read from then on."""
    one = joined(lines)
    one.line.page.pause_writing()
    lines.cut(only_from_server=False)
    assert not one.server.is_paused
    one.line.page.pause_writing()
    assert not one.server.is_paused


def test_a_line_that_begins_while_it_is_cut_leads_nowhere(lines: Lines) -> None:
    """It is open and silent; when the network is mended, it is over."""
    lines.cut(only_from_server=False)
    page = FakeTransport(lines.begin().page)
    assert (page.is_paused, page.ended) == (True, "")
    lines.mend()
    assert (page.ended, len(lines)) == ("aborted", 0)


def test_what_was_cut_stays_dead(lines: Lines) -> None:
    """Mended, its page is told, its server is not; new lines are whole."""
    old = joined(lines)
    lines.cut(only_from_server=False)
    lines.mend()
    old.server.arrive(b"anybody?")
    assert (old.page.ended, old.told) == ("aborted", (b"", b""))
    assert not old.server.was_told
    new = joined(lines)
    new.page.arrive(b"GET /")
    assert new.server.sent == b"GET /"
    old.server.arrive_eof()
    assert (old.server.ended, len(lines)) == ("closed", 1)


@pytest.mark.parametrize("only_from_server", [True, False])
def test_no_server_is_told_by_mending(lines: Lines, only_from_server: bool) -> None:
    """Whichever direction it was."""
    one = joined(lines)
    lines.cut(only_from_server=only_from_server)
    lines.mend()
    assert not one.server.was_told


def test_mending_may_leave_the_pages_in_the_dark(lines: Lines) -> None:
    """Nothing passes on what was cut, and nobody is told; a new line leads through."""
    one = joined(lines)
    lines.cut(only_from_server=False)
    lines.mend(tell_pages=False)
    one.server.arrive(b"late")
    assert not one.page.was_told
    assert one.page.sent == b""
    another = joined(lines)
    another.server.arrive(b"new")
    assert another.page.sent == b"new"


def test_ends_by_the_server_are_timed(lines: Lines, clock: ManualClock) -> None:
    """From the cut on, however it ends, also after mending; all have to have ended."""
    first, second, gone = (joined(lines, UPGRADE) for _ in range(3))
    gone.server.arrive_eof()
    clock.advance(1)
    assert lines.cut(only_from_server=False) == 101.0
    clock.advance(10)
    second.server.arrive_eof()
    assert lines.delays() is None
    assert lines.left() == "1 of 2 WebSockets are open"
    lines.mend()
    clock.advance(2)
    first.server.arrive_reset()
    clock.advance(2)
    second.server.arrive_reset()
    assert lines.delays() == [10.0, 12.0]


def test_only_websockets_are_timed(lines: Lines) -> None:
    """A browser's other connections are kept open for later requests, maybe for ever."""
    joined(lines, b"HTTP/1.1 200 OK")
    joined(lines)
    lines.cut(only_from_server=False)
    assert lines.delays() == []


def test_what_was_cut_before_is_not_cut_again(lines: Lines) -> None:
    """The last cut counts, and who was whole then."""
    joined(lines, UPGRADE)
    lines.cut(only_from_server=False)
    lines.mend()
    joined(lines, UPGRADE)
    lines.cut(only_from_server=False)
    assert lines.left() == "1 of 1 WebSockets are open"


def test_cut_twice_or_never_is_a_mistake(lines: Lines) -> None:
    """Times would be counted from another moment than the test believes, or from none."""
    with pytest.raises(LabError, match="never cut"):
        lines.delays()
    lines.cut(only_from_server=True)
    with pytest.raises(LabError, match="cut already"):
        lines.cut(only_from_server=False)


def test_in_the_end_all_is_over(lines: Lines) -> None:
    """Whole lines and dead ones, and those that are not there yet."""
    begun = lines.begin()
    dead = joined(lines)
    lines.cut(only_from_server=False)
    lines.mend()
    whole = joined(lines)
    lines.abort()
    ends = (dead.page, dead.server, whole.page, whole.server, FakeTransport(begun.page))
    assert all(one.ended for one in ends)
    assert len(lines) == 0


def test_bytes_are_counted_on_the_wire(lines: Lines) -> None:
    """In each direction, of lines that are over too, each once, and of what was lost."""
    one, two = joined(lines), joined(lines)
    one.page.arrive(b"GET /")
    one.server.arrive(b"200")
    two.page.arrive(b"GET /again")
    one.page.arrive_eof()
    one.server.arrive_eof()
    assert (len(lines), lines.passed()) == (1, Passed(from_pages=15, from_server=3))
    lines.cut(only_from_server=False)
    two.server.arrive(b"lost")
    assert lines.passed() == Passed(15, 7)
    assert lines.passed().total == 22
