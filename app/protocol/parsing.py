"""From what a browser sent to a checked message, or to a refusal that says why."""

import json
import math
from typing import Any

from pydantic import ValidationError

from app.errors import RefusedConnection, RefusedMessage
from app.protocol.connect import ConnectAuth
from app.protocol.messages import CLIENT_MESSAGES, ClientMessage, PlayerAction
from app.protocol.names import ErrorCode

MAX_MESSAGE_BYTES = 64_000
"""A message longer than this, as JSON, is refused; the transport closes at 1 MB."""

MAX_DEPTH = 8
"""Deeper nesting than any payload has; refused before anything walks it recursively."""


def parse_message(event: object, payload: object, size: int) -> ClientMessage:
    """The checked message of an event.

    Args:
        event: its name, if it is one.
        payload: what came with it, as `json.loads` gives it; None where nothing did.
        size: how many bytes it took on the wire.

    Raises:
        RefusedMessage: unknown event, payload too large or not of the event's form.
    """
    # The members of ClientEvent are strings, so the name itself finds its payload.
    model = CLIENT_MESSAGES.get(event) if isinstance(event, str) else None
    if model is None:
        raise RefusedMessage(ErrorCode.UNKNOWN_EVENT, f"there is no event {repr(event)[:64]}")
    _check_size(size)
    if model is not PlayerAction:
        # The one that comes thirty times a second has no field for anything but ids and numbers.
        _check_values(payload)
    try:
        return model.model_validate({} if payload is None else payload)
    except (ValidationError, RecursionError) as error:
        raise RefusedMessage(ErrorCode.INVALID_MESSAGE, _first_fault(error)) from None


def parse_auth(payload: object) -> ConnectAuth:
    """The checked `auth` of a CONNECT; an absent one is an empty one.

    Raises:
        RefusedConnection: it is too large or not of the form.
    """
    try:
        _check_size(len(json.dumps(payload)))
        _check_values(payload)
        return ConnectAuth.model_validate({} if payload is None else payload)
    except RefusedMessage as refused:
        too_large = refused.code == ErrorCode.TOO_LARGE
        code = ErrorCode.TOO_LARGE if too_large else ErrorCode.INVALID_AUTH
        raise RefusedConnection(code, refused.message) from None
    except (ValidationError, RecursionError) as error:
        raise RefusedConnection(ErrorCode.INVALID_AUTH, _first_fault(error)) from None


def _check_size(size: int) -> None:
    if size > MAX_MESSAGE_BYTES:
        raise RefusedMessage(
            ErrorCode.TOO_LARGE, f"a message has at most {MAX_MESSAGE_BYTES} bytes"
        )


def _check_values(payload: object) -> None:
    """Refuse what is nested too deeply, or can be read but not be written as JSON."""
    level: list[Any] = [payload]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
                below.extend(key for key in value if not key.isascii())
            elif isinstance(value, list):
                below.extend(value)
            elif not _is_plain(value):
                raise RefusedMessage(ErrorCode.INVALID_MESSAGE, "the payload is not JSON")
        if not below:
            return
        level = below
    raise RefusedMessage(ErrorCode.INVALID_MESSAGE, "the payload is nested too deeply")


def _is_plain(value: object) -> bool:
    """Whether a value is JSON's: neither NaN nor infinite, nor half a character (RFC 8259, 8.2)."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    return value is None or isinstance(value, str | int)


def _first_fault(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "the payload is nested too deeply"
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part)[:64] for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]
