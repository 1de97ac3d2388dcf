"""What every service works with, and the queue of effects that are still to be performed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from app.clock import Clock
from app.errors import StoreError
from app.games import GamePolicy
from app.protocol import ServerEvent
from app.services.connections import Connections
from app.services.delivery import Delivery
from app.services.outbox import Outbox
from app.services.study_files import LoadedStudy
from app.sessions import Effect, Policy, Record, RefreshGame, RefreshWaitingRoom, WakeSweeper
from app.settings import Settings
from app.stores.base import Store
from app.studies import Stager

log = structlog.get_logger("grace")

OF_NO_SESSION = (RefreshGame, RefreshWaitingRoom, WakeSweeper)
"""Effects that come to the same whichever session causes them."""


class EffectQueue:
    """Effects in the order in which they were decided.

    Performing an effect may decide more of them; those wait their turn, so that nothing is
    performed in the middle of something else. What waits already is not queued twice: whoever asks
    for a waiting room or a game to be refreshed, it is the same one.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, Effect], str] = {}
        self._postponed: list[tuple[str, Effect]] = []
        self._draining = False
        self._gathering = 0
        self.perform: Callable[[str, Effect], None] = lambda session_id, effect: None

    def push(self, session_id: str, effects: tuple[Effect, ...]) -> None:
        """Queue a session's effects, and perform all that is queued."""
        for effect in effects:
            if isinstance(effect, Record):
                log.info(effect.event, session_id=session_id, **effect.fields)
            else:
                whose = "" if isinstance(effect, OF_NO_SESSION) else session_id
                self._waiting.setdefault((whose, effect), session_id)
        self._drain()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Perform what is pushed meanwhile at the end, and what is pushed several times once.

        Where many sessions change at once, each would have its waiting room read anew.
        """
        self._gathering += 1
        try:
            yield
        finally:
            self._gathering -= 1
            self._drain()

    def try_again(self) -> None:
        """Perform what the store could not do before."""
        postponed, self._postponed = self._postponed, []
        for session_id, effect in postponed:
            self.push(session_id, (effect,))

    def _drain(self) -> None:
        if self._draining or self._gathering:
            return
        self._draining = True
        try:
            while self._waiting and not self._gathering:
                self._perform_next()
        finally:
            self._draining = False

    def _perform_next(self) -> None:
        of, effect = next(iter(self._waiting))
        session_id = self._waiting.pop((of, effect))
        try:
            self.perform(session_id, effect)
        except StoreError as error:
            log.error("effect_postponed", session_id=session_id, error=str(error))
            self._postponed.append((session_id, effect))
        except Exception:
            # What was decided is saved already, and nobody else's effect must be lost with it.
            log.exception("effect_failed", session_id=session_id, effect=repr(effect))


@dataclass(slots=True)
class Core:
    """The parts that services share. Made once, in `create_app`."""

    settings: Settings
    clock: Clock
    store: Store
    study: LoadedStudy
    stager: Stager
    outbox: Outbox
    delivery: Delivery
    connections: Connections = field(default_factory=Connections)
    effects: EffectQueue = field(default_factory=EffectQueue)
    policy: Policy = field(init=False)
    game_policy: GamePolicy = field(init=False)
    stopping: bool = False

    def __post_init__(self) -> None:
        self.policy = Policy(
            loading_timeout_s=self.settings.loading_timeout_s,
            loading_budget_s=self.settings.loading_budget_s,
            loading_grace=self.settings.loading_grace,
            reconnect_grace_s=self.settings.reconnect_grace_s,
            gone_kept_s=self.settings.gone_kept_s,
        )
        self.game_policy = GamePolicy(game_start_timeout_s=self.settings.game_start_timeout_s)

    @property
    def study_id(self) -> str:
        """The id of the study that is served."""
        return self.study.study.study_id

    def is_busy(self, session_id: str) -> bool:
        """Whether the session's page is connected and answers nothing."""
        return self.connections.busy_since(session_id) is not None

    def tell(self, session_id: str, event: ServerEvent, payload: Mapping[str, Any]) -> bool:
        """Send to a session's current connection; False when it has none here."""
        connection = self.connections.current(session_id)
        if connection is None:
            return False
        self.outbox.emit(connection.sid, event, payload)
        return True

    def tell_all(
        self, session_ids: Iterable[str], event: ServerEvent, payload: Mapping[str, Any]
    ) -> None:
        """Send the same to the current connections of several sessions, where they have one."""
        current = map(self.connections.current, session_ids)
        self.outbox.emit_to([one.sid for one in current if one is not None], event, payload)
