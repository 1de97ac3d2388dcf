"""What is alive in this process, in figures: by them an operator sees whether anything is left."""

import gc
from collections.abc import Sized
from typing import Any

import flask
from greenlet import greenlet

from app.services.core import Core


def add_process_view(blueprint: flask.Blueprint, core: Core, sockets: Sized) -> None:
    """`/admin/api/process`: what the server holds for those who are connected, and for how long.

    Args:
        blueprint: the admin JSON, whose token guards this view too.
        core: the shared parts.
        sockets: the open WebSockets, with and without a session.
    """
    started_at = core.clock.now()

    @blueprint.get("/process")
    def process() -> Any:
        return flask.jsonify(
            up_for_s=round(core.clock.now() - started_at, 3),
            sockets=len(sockets),
            connections=len(core.connections),
            greenlets=living_greenlets(),
        )


def living_greenlets() -> int:
    """How many greenlets have not ended, those included that have not begun.

    gevent keeps no list of them, so this walks everything that the garbage collector knows, as
    `gevent.util.GreenletTree` does: for a look now and then, not for a poll.
    """
    # `isinstance` would ask proxies of Flask's, outside of whose context they raise.
    return sum(issubclass(type(one), greenlet) and not one.dead for one in gc.get_objects())
