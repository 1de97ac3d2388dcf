"""Lost connections, handed over in order.

Engine.IO runs the disconnect handler inside the task that watches every other client, so the
handler must not wait for anything: it puts the loss here and returns.
"""

import queue
from dataclasses import dataclass, replace

from app.clock import Clock
from app.errors import StoreError
from app.services.core import log
from app.services.sessions import SessionService
from app.sessions import LossCause
from app.sessions.events import ConnectionLost

MOST_TRIES = 3
"""How often a loss is tried whose handling raises, before it is given up."""

RETRY_S = 0.5
"""Seconds until a loss that the store could not keep is tried again."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A connection that ended; `app.sessions.events.ConnectionLost` explains the fields."""

    sid: str
    reason: str
    close_code: int | None
    cause: LossCause
    silent_s: float | None = None
    tries: int = 1

    def as_event(self, epoch: int) -> ConnectionLost:
        """What it is to the session whose connection of that epoch it was."""
        return ConnectionLost(epoch, self.reason, self.close_code, self.cause, self.silent_s)


class LossInbox:
    """Takes losses without waiting, and works them off one after the other."""

    def __init__(self, sessions: SessionService, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._losses: queue.SimpleQueue[Loss | None] = queue.SimpleQueue()

    def put(self, loss: Loss) -> None:
        """Take a loss; returns at once."""
        self._losses.put(loss)

    def run(self) -> None:
        """Work off losses until `stop()`. Blocks; runs in a greenlet of its own."""
        while (loss := self._losses.get()) is not None:
            self._handle(loss)

    def drain(self) -> None:
        """Work off what is there now."""
        for _ in range(self._losses.qsize()):
            loss = self._losses.get()
            if loss is not None:
                self._handle(loss)

    def stop(self) -> None:
        """End `run()` after what is there."""
        self._losses.put(None)

    def _handle(self, loss: Loss) -> None:
        try:
            self._sessions.connection_lost(loss.sid, loss.as_event)
        except StoreError as error:
            # Not forgotten: a session without its loss would stay `connected` for ever.
            log.error("loss_postponed", sid=loss.sid, error=str(error))
            self._clock.sleep(RETRY_S)
            self._losses.put(loss)
        except Exception:
            # Whatever it is, the losses of the others are still to be worked off.
            log.exception("loss_failed", sid=loss.sid, tries=loss.tries)
            if loss.tries < MOST_TRIES:
                self._losses.put(replace(loss, tries=loss.tries + 1))
