"""The services' outbox, the emitter that is one, and the fake that stands in for it."""

import inspect

import pytest

from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.services.outbox import Outbox
from app.sockets.emitter import SocketEmitter
from app.sockets.register import Sockets
from unit.fakes.outbox import FakeOutbox

SOCKETS = Sockets(lambda: 0.0)


@pytest.mark.parametrize("verb", ["emit", "emit_to", "is_connected", "follow_load", "close"])
def test_all_three_speak_alike(verb: str) -> None:
    """What the services call is there, with the same arguments, in the emitter and in the fake."""
    wanted = inspect.signature(getattr(Outbox, verb))
    for kind in (SocketEmitter, FakeOutbox):
        assert inspect.signature(getattr(kind, verb)) == wanted


def test_the_fake_refuses_what_the_emitter_refuses() -> None:
    """Nothing is sent to nobody in particular, in tests neither."""
    with pytest.raises(UnknownReceiver):
        FakeOutbox(SOCKETS).emit("", ServerEvent.WAITING_ROOM, {})
    with pytest.raises(UnknownReceiver):
        FakeOutbox(SOCKETS).emit_to([""], ServerEvent.WAITING_ROOM, {})


def test_the_fake_sends_to_several_as_to_each() -> None:
    """In their order, and only to those that are open."""
    outbox = FakeOutbox(SOCKETS, open={"a", "b"})
    outbox.emit_to(["a", "c", "b"], ServerEvent.WAITING_ROOM, {"waiting": 1})
    assert [one.sid for one in outbox.emitted] == ["a", "b"]
    assert outbox.heard("a") == outbox.heard("b") == [{"waiting": 1}]
