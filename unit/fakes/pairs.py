"""Two participants of a `World` who play together. The first to come has the first seat."""

from typing import Any

from unit.fakes.participant import Participant
from unit.fakes.world import World

Pair = tuple[Participant, Participant]


def come_to_wait(world: World, **auth: Any) -> Participant:
    """Somebody who has joined the queue behind everybody before."""
    somebody = world.connect(**auth)
    somebody.join()
    world.advance(0.5)
    return somebody


def matched_pair(world: World) -> Pair:
    """Two who were matched, and whose game has not started."""
    return come_to_wait(world), come_to_wait(world)


def running_pair(world: World) -> Pair:
    """Two whose game runs."""
    ann, bob = matched_pair(world)
    ann.declare_ready()
    bob.declare_ready()
    return ann, bob
