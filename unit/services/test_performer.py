"""Every effect is handed to the service that can perform it."""

from types import SimpleNamespace
from typing import Any, get_args

import pytest

from app.services.connections import Connection
from app.services.performer import Performer
from app.sessions import (
    CloseConnection,
    Effect,
    Record,
    RefreshGame,
    RefreshWaitingRoom,
    ShowNextScene,
    WakeSweeper,
)
from unit.fakes.world import World


class Services:
    """Services that only note what they are asked for."""

    def __init__(self, world: World) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.performer = Performer(
            world.core,
            sessions=self._noting("show_next_scene"),
            games=self._noting("refresh"),
            waiting=self._noting("refresh", "room"),
            sweeper=self._noting("wake"),
        )

    def _noting(self, verb: str, name: str | None = None) -> Any:
        return SimpleNamespace(**{verb: lambda *given: self.asked.append((name or verb, *given))})


EFFECTS: list[tuple[Effect, list[tuple[str, ...]]]] = [
    (Record("link_lost"), []),
    (CloseConnection(1, taken_over=True), []),
    (RefreshWaitingRoom("match"), [("room", "match")]),
    (RefreshGame("g_1"), [("refresh", "g_1")]),
    (ShowNextScene("match"), [("show_next_scene", "s_1", "match")]),
    (WakeSweeper(), [("wake",)]),
]


@pytest.mark.parametrize(("effect", "asked"), EFFECTS)
def test_each_effect_has_its_service(
    world: World, effect: Effect, asked: list[tuple[str, ...]]
) -> None:
    """Exactly one is asked for it; records are in the store already."""
    services = Services(world)
    services.performer.perform("s_1", effect)
    assert services.asked == asked


def test_every_kind_of_effect_is_known() -> None:
    """A new effect that nobody performs is found here."""
    assert {type(effect) for effect, _ in EFFECTS} == set(get_args(Effect))


@pytest.mark.parametrize("taken_over", [True, False])
def test_an_old_connection_is_closed(world: World, taken_over: bool) -> None:
    """That of the epoch, and a page that was replaced is told so first."""
    old, new = Connection("sid_1", "s_1", 1), Connection("sid_2", "s_1", 2)
    for connection in (old, new):
        world.core.connections.bind(connection)
        world.outbox.open.add(connection.sid)
    Services(world).performer.perform("s_1", CloseConnection(1, taken_over=taken_over))
    assert world.outbox.closed == ["sid_1"]
    assert world.outbox.events("sid_1") == (["session_taken_over"] if taken_over else [])
    assert world.outbox.events("sid_2") == []


def test_a_connection_that_ended_needs_no_closing(world: World) -> None:
    """As after every loss that the server has noticed."""
    world.core.connections.bind(Connection("sid_2", "s_1", 2))
    Services(world).performer.perform("s_1", CloseConnection(1, taken_over=True))
    assert world.outbox.closed == []
    assert world.outbox.emitted == []
