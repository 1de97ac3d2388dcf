"""What the services of a `World` hold in memory, to see that nothing is held for ever."""

from collections.abc import Sized
from typing import Any

from unit.fakes.world import World


def held_by_services(world: World) -> dict[str, int]:
    """How many entries each container of the services has, by owner and name; none that is empty.

    It looks at every attribute, so that a container which is added later is counted too.
    """
    owners: list[Any] = [
        world.games,
        world.sessions,
        world.waiting,
        world.sweeper,
        world.handlers,
        world.sockets,
        world.core.connections,
        world.core.effects,
        world.games._partners,
    ]
    constant = {"_routes", "chores"}
    held = {
        f"{type(owner).__name__}.{name}": _entries(value)
        for owner in owners
        for name, value in vars(owner).items()
        if name not in constant and isinstance(value, Sized)
    }
    return {name: count for name, count in held.items() if count > 0}


def _entries(value: Sized) -> int:
    """The entries of a container; in a dictionary of dictionaries, those of the inner ones."""
    if not isinstance(value, dict):
        return len(value)
    return sum(_entries(one) if isinstance(one, dict) else 1 for one in value.values())
