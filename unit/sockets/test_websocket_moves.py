"""What shows that somebody is at the other end of a WebSocket, and what only looks like it."""

import gevent
import pytest

from app.sockets.packets import text_frame
from app.sockets.websocket import WebSocket
from unit.sockets.wire import PATIENCE_S, Browser, frame


def test_whatever_comes_is_a_sign(browser: Browser, websocket: WebSocket) -> None:
    """A message, and a pong that nobody hears of; the end of the stream is none."""
    browser.say("a")
    assert websocket.receive() == "a"
    before = websocket.moves
    browser.wire.arrive(frame(0x8A, b""))
    browser.say("b")
    assert websocket.receive() == "b"
    assert websocket.moves > before
    before = websocket.moves
    browser.vanish()
    assert websocket.receive() is None
    assert websocket.moves == before


def test_what_is_sent_at_once_is_no_sign(browser: Browser, websocket: WebSocket) -> None:
    """The network takes it, and keeps it until it learns that nobody is there."""
    before = websocket.moves
    websocket.send(text_frame("a"))
    assert websocket.send_now(text_frame("b"))
    assert browser.heard() == ["a", "b"]
    assert websocket.moves == before


@pytest.mark.parametrize("waits", [True, False], ids=["send", "send_now"])
def test_who_had_to_wait_and_gets_on_has_seen_a_sign(
    browser: Browser, websocket: WebSocket, waits: bool
) -> None:
    """So a browser that takes long for much is not taken for one that is gone."""
    browser.wire.freeze(room=3)
    before = websocket.moves
    sender = gevent.spawn(websocket.send if waits else websocket.send_now, text_frame("abcdef"))
    gevent.idle()
    assert websocket.moves == before
    assert not websocket.send_now(text_frame("overtakes"))
    browser.wire.thaw()
    sender.get(timeout=PATIENCE_S)
    gevent.idle()
    assert browser.heard() == ["abcdef"]
    assert websocket.moves > before
