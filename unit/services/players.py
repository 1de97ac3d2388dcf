"""Participants in games."""

from unit.fakes.participant import Participant
from unit.fakes.world import World

Players = tuple[Participant, Participant]


def seated(world: World) -> Players:
    """Two participants in a game that has been matched."""
    one, other = world.connect(), world.connect()
    one.join()
    world.clock.advance(1)
    other.join()
    return one, other


def started(world: World) -> Players:
    """Two participants in a game that runs."""
    players = seated(world)
    for participant in players:
        participant.declare_ready()
    return players


def step(players: Players, frame: int, *actions: int) -> None:
    """Both players send their action of a frame."""
    for participant, action in zip(players, actions, strict=True):
        assert participant.act(frame, action)["ok"]


def forgotten(world: World) -> bool:
    """Whether nothing is kept in memory of any game."""
    return not world.games._live and not world.games._partners._told
