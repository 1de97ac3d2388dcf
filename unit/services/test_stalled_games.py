"""What is made good when a page or the store did not do its part."""

import pytest

from app.errors import StoreBusy
from unit.fakes.world import World
from unit.services.players import started


def test_a_running_game_in_which_nobody_steps_ends() -> None:
    """One page that is connected and sends nothing does not keep the others for ever."""
    world = World(game_start_timeout_s=40)
    one, other = started(world)
    world.advance(39)
    assert one.heard("game_ended") == []
    world.advance(10)
    for participant in (one, other):
        assert [ended["reason"] for ended in participant.heard("game_ended")] == ["resume_timeout"]


def test_who_says_ready_again_in_a_running_game_hears_that_it_goes_on() -> None:
    """A page may not have heard it; the others have nothing new to hear."""
    one, other = started(World())
    before = len(other.heard("game_resumed"))
    one.declare_ready()
    assert len(one.heard("game_resumed")) == 1
    assert len(other.heard("game_resumed")) == before


def test_an_effect_that_met_a_busy_store_is_performed_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for ever in a room whose time was over while the store was busy."""
    world = World()
    performed = world.core.effects.perform
    busy = iter([True])

    def perform(session_id: str, effect: object) -> None:
        if next(busy, False):
            raise StoreBusy("another process")
        performed(session_id, effect)  # type: ignore[arg-type]

    monkeypatch.setattr(world.core.effects, "perform", perform)
    participant = world.connect()
    participant.join()
    assert participant.heard("waiting_room") == []
    world.sweeper.sweep()
    assert len(participant.heard("waiting_room")) == 1
