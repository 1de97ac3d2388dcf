"""A WebSocket's server side reads what browsers send, and sends everything, one at a time."""

import tracemalloc

import gevent
import pytest

from app.sockets.packets import text_frame
from app.sockets.websocket import MAX_MESSAGE_BYTES, READ_BYTES, WebSocket, accept_key
from unit.sockets.wire import PATIENCE_S, Browser, frame, masked

CLOSE_1001 = frame(0x88, (1001).to_bytes(2))


class TestHandshake:
    """Only what RFC 6455 calls a handshake is accepted, and nothing is agreed on besides."""

    def test_the_key_of_the_standard(self) -> None:
        """The example of RFC 6455, 1.3."""
        environ = {
            "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
            "HTTP_SEC_WEBSOCKET_VERSION": "13",
        }
        assert accept_key(environ) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("KEY", None),
            ("KEY", ""),
            ("KEY", "dGhlIHNhbXBsZQ=="),
            ("KEY", "dGhlIHNhbXBsZSBub25jZQ"),
            ("KEY", "ungültig"),
            ("KEY", "dGhl\r\nIHNhbXBsZSBub25jZQ=="),
            ("VERSION", None),
            ("VERSION", "8"),
        ],
    )
    def test_what_is_no_handshake(self, browser: Browser, header: str, value: str | None) -> None:
        """A key of another length or form, or another version, accepts nothing."""
        environ = dict(browser.environ)
        environ[f"HTTP_SEC_WEBSOCKET_{header}"] = value
        if value is None:
            del environ[f"HTTP_SEC_WEBSOCKET_{header}"]
        assert accept_key(environ) is None

    def test_no_extension_is_agreed_on(self, browser: Browser, websocket: WebSocket) -> None:
        """A browser offers to compress; nothing is, so that one frame fits every connection."""
        assert "permessage-deflate" in browser.environ["HTTP_SEC_WEBSOCKET_EXTENSIONS"]
        assert browser.extensions() == []
        websocket.send(text_frame("x" * 1000))
        assert browser.heard() == ["x" * 1000]

    def test_a_browser_that_is_gone_already_is_an_os_error(self, browser: Browser) -> None:
        """There is nobody to accept."""
        browser.wire.closed = True
        with pytest.raises(OSError, match="closed"):
            WebSocket(browser.wire, b"key")


class TestReceiving:
    """What a browser says is heard whole and in order, and nothing that is not allowed."""

    def test_short_and_long_and_in_parts(self, browser: Browser, websocket: WebSocket) -> None:
        """Text arrives as it was sent, a character torn between two parts too."""
        said = ["a", "", "é" * 60, "b" * 126, "错" * 30_000, "c"]
        for text in said:
            browser.say(text)
        browser.wire.arrive(frame(0x01, b"in \xe9\x94") + frame(0x00, b"") + frame(0x80, b"\x99"))
        browser.say("d" * 70_000, finished=False)
        browser.say("", finished=True)
        browser.say(b"bytes")
        heard = [websocket.receive() for _ in range(len(said) + 3)]
        assert heard == [*said, "in 错", "d" * 70_000, b"bytes"]

    def test_nothing_is_read_ahead(self, browser: Browser, websocket: WebSocket) -> None:
        """A page that talks faster than it is heard fills its own buffers, not ours."""
        for _ in range(3):
            browser.wire.arrive(masked("a") * READ_BYTES)
        assert browser.wire.unread() == 3
        assert websocket.receive() == "a"
        assert browser.wire.unread() == 3
        assert len(websocket._messages) < READ_BYTES / len(masked("a"))

    def test_a_ping_is_answered(self, browser: Browser, websocket: WebSocket) -> None:
        """RFC 6455 asks for it, and whoever is between may close what does not answer."""
        browser.say("a", finished=False)
        browser.ping()
        browser.say("b")
        assert websocket.receive() == "ab"
        assert browser.pongs() == 1

    def test_a_message_of_a_megabyte_is_taken(self, browser: Browser, websocket: WebSocket) -> None:
        """The bound is on what is more; each message has all of it."""
        for _ in range(2):
            browser.say("x" * MAX_MESSAGE_BYTES)
            assert websocket.receive() == "x" * MAX_MESSAGE_BYTES

    @pytest.mark.parametrize("parts", [1, 3])
    def test_a_longer_message_ends_the_connection(
        self, browser: Browser, websocket: WebSocket, parts: int
    ) -> None:
        """At once or bit by bit, nothing of it is kept; the code is "too big", ours."""
        for number in range(parts):
            part = "x" * (MAX_MESSAGE_BYTES // parts + 1)
            browser.say(part, finished=number == parts - 1)
        assert websocket.receive() is None
        assert websocket.close_code is None
        assert browser.closed_with() == 1009

    @pytest.mark.parametrize(
        "data",
        [
            b"\x81\x01x",
            frame(0xC1, b"x"),
            frame(0x83, b"x"),
            frame(0x09, b"x"),
            frame(0x80, b"x"),
            frame(0x89, b"x" * 126),
            frame(0x01, b"x") + frame(0x81, b"x"),
            frame(0x01, b"x") + masked("42[1]"),
        ],
        ids=[
            "unmasked",
            "reserved bit",
            "reserved opcode",
            "ping in parts",
            "no beginning",
            "long ping",
            "text in text",
            "event in text",
        ],
    )
    def test_an_illegal_frame_ends_the_connection(
        self, browser: Browser, websocket: WebSocket, data: bytes
    ) -> None:
        """With our code for it; nothing that follows is heard (RFC 6455, 5.1 to 5.5)."""
        browser.wire.arrive(masked("a") + data + masked("b"))
        assert websocket.receive() == "a"
        assert websocket.receive() is None
        assert not websocket.is_open
        assert browser.closed_with() == 1002

    @pytest.mark.parametrize("size", [3, 200])
    def test_text_that_is_not_utf_8_ends_the_connection(
        self, browser: Browser, websocket: WebSocket, size: int
    ) -> None:
        """In a short frame and in a long one, and nothing after it is heard."""
        browser.wire.arrive(frame(0x81, b"\xff" * size) + masked("b"))
        assert websocket.receive() is None
        assert not websocket.is_open


class TestEnding:
    """An end is told from a close frame, and neither keeps anybody waiting."""

    @pytest.mark.parametrize(
        ("sent", "code"), [(1001, 1001), (1000, 1000), (4000, 4000), (None, 1005)]
    )
    def test_the_close_code_is_the_browsers(
        self, browser: Browser, websocket: WebSocket, sent: int | None, code: int
    ) -> None:
        """A close frame without one counts as 1005 (RFC 6455, 7.1.5); it is answered."""
        assert websocket.close_code is None
        browser.close(sent)
        assert websocket.receive() is None
        assert websocket.close_code == code
        assert browser.closed_with() is not None

    @pytest.mark.parametrize("error", [None, ConnectionResetError("reset"), TimeoutError("late")])
    def test_an_end_without_a_close_frame_has_no_code(
        self, browser: Browser, websocket: WebSocket, error: Exception | None
    ) -> None:
        """A stream that stops says nothing about the page."""
        browser.vanish(error)
        assert websocket.receive() is None
        assert websocket.receive() is None
        assert websocket.close_code is None

    def test_what_came_before_a_close_frame_is_heard(
        self, browser: Browser, websocket: WebSocket
    ) -> None:
        """In one piece with it, in its order; what comes after it is not."""
        long = frame(0x81, b"b" * 200)
        browser.wire.arrive(masked("a") + long + CLOSE_1001 + masked("c") + frame(0x81, b"d" * 200))
        assert [websocket.receive() for _ in range(3)] == ["a", "b" * 200, None]
        assert websocket.close_code == 1001

    def test_closing_sends_a_close_frame(self, browser: Browser, websocket: WebSocket) -> None:
        """The browser is told once, and the code is not taken for the browser's."""
        websocket.close()
        websocket.close()
        assert browser.closed_with() == 1000
        assert websocket.close_code is None
        assert websocket.receive() is None

    @pytest.mark.parametrize("answer", [CLOSE_1001, masked("a"), frame(0x8A, b"pong"), b""])
    def test_whoever_reads_while_it_is_closed_goes_on(
        self, browser: Browser, websocket: WebSocket, answer: bytes
    ) -> None:
        """With the next that comes, usually the browser's close frame; nothing is sent after."""
        reader = gevent.spawn(lambda: list(iter(websocket.receive, None)))
        gevent.idle()
        websocket.close()
        assert not reader.ready()
        sent = len(browser.wire.sent)
        browser.wire.arrive(answer)
        assert reader.get(timeout=PATIENCE_S) in ([], ["a"])
        assert len(browser.wire.sent) == sent

    def test_closing_what_is_broken_is_no_error(
        self, browser: Browser, websocket: WebSocket
    ) -> None:
        """Nor is aborting it, however often."""
        browser.wire.closed = True
        websocket.close()
        for _ in range(2):
            websocket.abort()
        assert not websocket.is_open

    def test_aborting_waits_for_nobody(self, browser: Browser, websocket: WebSocket) -> None:
        """Whoever reads or writes on the connection goes on, although the browser does neither."""
        browser.wire.freeze(room=10)
        reader = gevent.spawn(websocket.receive)
        sender = gevent.spawn(websocket.send, text_frame("x" * 100))
        gevent.idle()
        websocket.abort()
        assert reader.get(timeout=PATIENCE_S) is None
        with pytest.raises(OSError, match="closed"):
            sender.get(timeout=PATIENCE_S)
        assert browser.wire.closed
        assert websocket.close_code is None


class TestSending:
    """Frames go out whole, one after the other."""

    def test_frames_are_sent_whole(self, browser: Browser, websocket: WebSocket) -> None:
        """A network that takes a little at a time, as to a page that was frozen, gets it all."""
        browser.wire.most = 1000
        messages = ["x" * 300_000, "y" * 70_000, "z"]
        for message in messages:
            websocket.send(text_frame(message))
        assert browser.heard() == messages

    def test_senders_do_not_interleave(self, browser: Browser, websocket: WebSocket) -> None:
        """While one message is half sent, the next one and the answer to a ping wait for it."""
        browser.wire.most = 100
        browser.wire.freeze(room=250)
        letters = ["a" * 5000, "b" * 5000, "c" * 5000]
        tasks = [gevent.spawn(websocket.send, text_frame(letter)) for letter in letters]
        gevent.idle()
        browser.ping()
        browser.say("said")
        tasks.append(gevent.spawn(websocket.receive))
        gevent.idle()
        assert not any(task.ready() for task in tasks)
        browser.wire.thaw()
        gevent.joinall(tasks, timeout=PATIENCE_S, raise_error=True)
        assert browser.heard() == letters
        assert browser.pongs() == 1

    def test_an_ended_connection_is_an_os_error(
        self, browser: Browser, websocket: WebSocket
    ) -> None:
        """Engine.IO's writer ends by it; nothing is sent after a close frame."""
        websocket.close()
        sent = len(browser.wire.sent)
        with pytest.raises(OSError, match="closed"):
            websocket.send(text_frame("a"))
        assert not websocket.send_now(text_frame("a"))
        assert len(browser.wire.sent) == sent


class TestSendNow:
    """A frame can be sent without waiting, and never splices another one."""

    def test_it_is_on_the_wire_at_once(self, browser: Browser, websocket: WebSocket) -> None:
        """Nobody else has run in between."""
        assert websocket.send_now(text_frame("a"))
        assert browser.heard() == ["a"]

    @pytest.mark.parametrize("room", [0, 1, 2, 4000])
    def test_the_rest_follows_before_anything_else(
        self, browser: Browser, websocket: WebSocket, room: int
    ) -> None:
        """What a page takes no more of counts as sent; who comes then has to wait or to queue."""
        before = len(browser.wire.sent)
        browser.wire.freeze(room)
        assert websocket.send_now(text_frame("a" * 5000))
        assert not websocket.send_now(text_frame("b"))
        other = gevent.spawn(websocket.send, text_frame("c"))
        gevent.idle()
        assert not websocket.send_now(text_frame("d"))
        assert len(browser.wire.sent) - before == room
        browser.wire.thaw()
        other.get(timeout=PATIENCE_S)
        assert websocket.send_now(text_frame("e"))
        assert browser.heard() == ["a" * 5000, "c", "e"]

    def test_a_broken_connection_refuses(self, browser: Browser, websocket: WebSocket) -> None:
        """It says no, as often as it is asked, and who waits instead is told why."""
        browser.wire.closed = True
        for _ in range(2):
            assert not websocket.send_now(text_frame("a"))
        with pytest.raises(BrokenPipeError):
            websocket.send(text_frame("a"))

    @pytest.mark.parametrize("begun", [True, False])
    def test_aborting_keeps_nobody_waiting(
        self, browser: Browser, websocket: WebSocket, begun: bool
    ) -> None:
        """The rest of a frame is given up, and whoever waited behind it goes on."""
        before = len(browser.wire.sent)
        browser.wire.freeze(room=10)
        assert websocket.send_now(text_frame("a" * 100))
        others = [gevent.spawn(websocket.send, text_frame(letter)) for letter in "bc"]
        if begun:
            gevent.idle()
        websocket.abort()
        for other in others:
            with pytest.raises(OSError, match="closed"):
                other.get(timeout=PATIENCE_S)
        assert not websocket.send_now(text_frame("d"))
        assert len(browser.wire.sent) - before == 10


class TestStrangers:
    """What no browser does costs nobody anything, and is told as what it is."""

    def test_nothing_overtakes_who_waits_to_send(
        self, browser: Browser, websocket: WebSocket
    ) -> None:
        """Not in the moment between the end of one frame and the beginning of the waiting one."""
        browser.wire.freeze(room=1)
        assert websocket.send_now(text_frame("a"))
        waiting = gevent.spawn(websocket.send, text_frame("b"))
        gevent.idle()
        browser.wire.thaw()
        sent_now = gevent.spawn(websocket.send_now, text_frame("c"))
        gevent.joinall([waiting, sent_now], timeout=PATIENCE_S, raise_error=True)
        assert not sent_now.value
        assert browser.heard() == ["a", "b"]
        assert websocket.send_now(text_frame("d"))

    def test_a_page_that_never_stops_talking_lets_others_run(
        self, browser: Browser, websocket: WebSocket
    ) -> None:
        """Where something is there, gevent's `recv` does not wait, and so lets nobody else run."""
        for _ in range(100):
            browser.wire.arrive(masked("a" * 122) * (READ_BYTES // 128))
        browser.vanish()
        reader = gevent.spawn(lambda: list(iter(websocket.receive, None)))
        other = gevent.spawn(browser.wire.unread)
        gevent.joinall([reader, other], timeout=PATIENCE_S, raise_error=True)
        assert other.value > 90
        assert len(reader.value) == 100 * 32

    def test_a_broken_frame_is_no_close_code(self, browser: Browser, websocket: WebSocket) -> None:
        """What is made of a frame that breaks the protocol was not said by the browser."""
        browser.wire.arrive(frame(0x83, b"x"))
        assert websocket.receive() is None
        assert websocket.close_code is None

    def test_small_parts_are_kept_small(self, browser: Browser, websocket: WebSocket) -> None:
        """A message in very many parts takes no more memory than its bytes."""
        browser.wire.arrive(frame(0x01, b"") + frame(0x00, "😀".encode()) * 4_000)
        browser.vanish()
        tracemalloc.start()
        try:
            assert websocket.receive() is None
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert size < 150_000
