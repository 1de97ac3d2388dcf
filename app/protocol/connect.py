"""The `auth` payload of a CONNECT: who comes, and what their page is doing."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from app.protocol.fields import Count, Identifier, PageMadeId, Payload
from app.protocol.messages import Stage


class RuntimeRestated(Payload):
    """The runtime as the page knows it, said again at every CONNECT.

    A page restates `loading` with its attempt until that attempt's completion is acknowledged, so
    nothing depends on the order in which buffered events arrive.
    """

    state: Literal["cold", "loading", "ready", "failed"]
    attempt_id: PageMadeId | None = None
    stage: Stage | None = None


class ConnectAuth(Payload):
    """`auth` of CONNECT. Without `token` a new session begins.

    `participant` is a label for the experimenter and never an identity; `last_frame` is the number
    of steps the page has applied to its game.
    """

    page_id: PageMadeId | None = None
    token: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    study: Identifier | None = None
    participant: Annotated[str, StringConstraints(max_length=128)] | None = None
    last_frame: Count | None = None
    runtime: RuntimeRestated | None = None
