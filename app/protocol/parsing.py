"""From what a browser sent to a checked message, or to a refusal that says why."""

import json
from typing import Any

from pydantic import ValidationError

from app.errors import RefusedConnection, RefusedMessage
from app.protocol.connect import ConnectAuth
from app.protocol.messages import CLIENT_MESSAGES, ClientMessage
from app.protocol.names import ClientEvent, ErrorCode

MAX_MESSAGE_BYTES = 64_000
"""A message longer than this, as JSON, is refused; the transport closes at 1 MB."""

MAX_DEPTH = 8
"""Deeper nesting than any payload has; refused before anything walks it recursively."""


def parse_message(event: object, payload: object) -> ClientMessage:
    """The checked message of an event.

    Raises:
        RefusedMessage: unknown event, payload too large or not of the event's form.
    """
    try:
        model = CLIENT_MESSAGES[ClientEvent(str(event))]
    except ValueError:
        name = repr(event)[:64]
        raise RefusedMessage(ErrorCode.UNKNOWN_EVENT, f"there is no event {name}") from None
    _check_size(payload)
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
        _check_size(payload)
        return ConnectAuth.model_validate({} if payload is None else payload)
    except RefusedMessage as refused:
        too_large = refused.code == ErrorCode.TOO_LARGE
        code = ErrorCode.TOO_LARGE if too_large else ErrorCode.INVALID_AUTH
        raise RefusedConnection(code, refused.message) from None
    except (ValidationError, RecursionError) as error:
        raise RefusedConnection(ErrorCode.INVALID_AUTH, _first_fault(error)) from None


def _check_size(payload: object) -> None:
    if _depth(payload) > MAX_DEPTH:
        raise RefusedMessage(ErrorCode.INVALID_MESSAGE, "the payload is nested too deeply")
    try:
        text = json.dumps(payload, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise RefusedMessage(ErrorCode.INVALID_MESSAGE, "the payload is not JSON") from None
    if size > MAX_MESSAGE_BYTES:
        raise RefusedMessage(
            ErrorCode.TOO_LARGE, f"a message has at most {MAX_MESSAGE_BYTES} bytes"
        )


def _depth(payload: Any) -> int:
    depth = 0
    level: list[Any] = [payload]
    while level and depth <= MAX_DEPTH:
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list | tuple):
                below.extend(value)
        level = below
        depth += 1
    return depth


def _first_fault(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "the payload is nested too deeply"
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part)[:64] for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]
