"""The services' outbox, the emitter that is one, and the fake that stands in for it."""

import inspect

import pytest

from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.services.outbox import Outbox
from app.sockets.emitter import SocketEmitter
from unit.fakes.outbox import FakeOutbox


@pytest.mark.parametrize("verb", ["emit", "close"])
def test_all_three_speak_alike(verb: str) -> None:
    """What the services call is there, with the same arguments, in the emitter and in the fake."""
    wanted = inspect.signature(getattr(Outbox, verb))
    for kind in (SocketEmitter, FakeOutbox):
        assert inspect.signature(getattr(kind, verb)) == wanted


def test_the_fake_refuses_what_the_emitter_refuses() -> None:
    """Nothing is sent to nobody in particular, in tests neither."""
    with pytest.raises(UnknownReceiver):
        FakeOutbox().emit("", ServerEvent.WAITING_ROOM, {})
