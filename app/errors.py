"""Every error of Grace Server, in one tree, split by whose fault it is.

GraceError
├── SettingsError            the operator: settings that cannot work
├── StudyError               the experimenter: a study that cannot be played
│   ├── StudyFileError       ... with the file and line it stands in
│   └── PackageError         ... for want of a Python package
├── RefusedMessage           the browser: a message that is refused, with a code of the wire
│   └── RefusedConnection    ... a CONNECT that is refused
├── IllegalTransition        our own: a state machine was asked for what its table does not have
├── UnknownReceiver          our own: something was about to be emitted to nobody in particular
└── StoreError               the store: it could not read or keep a change
    ├── UnknownRecord        ... nothing is stored under that id
    └── StoreBusy            ... another process held it for too long
"""

from typing import Any


class GraceError(Exception):
    """Base class of every error that this package raises on purpose."""


class SettingsError(GraceError):
    """Settings that cannot work together; the message says why."""


class StudyError(GraceError):
    """A study that cannot be played; the message says what to change."""


class StudyFileError(StudyError):
    """A study or environment file that cannot be used.

    Attributes:
        file: path of the file, as the operator named it.
        line: line in that file, counted from 1, or None where no line is to blame.
        sentence: what is wrong.
    """

    def __init__(self, file: str, line: int | None, sentence: str) -> None:
        self.file = file
        self.line = line
        self.sentence = sentence
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {sentence}")


class PackageError(StudyError):
    """A Python package of a study that the browser cannot be given; the message says what to do."""


class RefusedMessage(GraceError):
    """A message from a browser that is refused and changes nothing.

    Attributes:
        code: an error code of the wire (`app.protocol.ErrorCode`).
        message: a sentence for the developer of the page.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class RefusedConnection(RefusedMessage):
    """A CONNECT that is refused; code and message travel in Socket.IO's `connect_error`.

    Attributes:
        details: more for the page, as JSON.
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        self.details = details
        super().__init__(code, message)


class IllegalTransition(GraceError):
    """A state machine has no entry for this event in this state; nothing was changed.

    Attributes:
        machine: "link", "runtime", "place" or "game".
        state: the state's value.
        event: the name of the event's class.
    """

    def __init__(self, machine: str, state: str, event: str) -> None:
        self.machine = machine
        self.state = state
        self.event = event
        super().__init__(f"{machine} has no transition from {state} on {event}")


class UnknownReceiver(GraceError):
    """An emit without a definite connection, which Socket.IO would take for a broadcast."""


class StoreError(GraceError):
    """The store could not read or keep something."""


class UnknownRecord(StoreError):
    """Nothing is stored under that id (any more)."""


class StoreBusy(StoreError):
    """Another process held the store's lock for longer than we wait."""
