"""What players are told of each other, whenever it changes."""

from collections.abc import Sequence

from app.games import Game, PlayerStatus, status_of
from app.protocol import ServerEvent
from app.services.core import Core
from app.services.views import partner_payload
from app.sessions import LinkState, Session
from app.stores.base import LogEntry


class Partners:
    """Remembers what the players of each game were told last, to tell them changes only."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._told: dict[str, dict[str, PlayerStatus]] = {}

    def tell_changes(self, game: Game, players: Sequence[PlayerStatus]) -> None:
        """Tell every player how the others are, where that is new."""
        told = self._told.setdefault(game.id, {})
        now = self._core.clock.now()
        for seat, status in enumerate(players):
            if told.get(status.player) == status:
                continue
            told[status.player] = status
            payload = partner_payload(game.id, status, now)
            for other, member in enumerate(game.members):
                if other != seat:
                    self._core.tell(member, ServerEvent.PARTNER_STATUS, payload)

    def tell_all_to(self, session: Session, game: Game) -> None:
        """Tell one player, who has just connected, how all the others are."""
        now = self._core.clock.now()
        for player, member in zip(game.players, game.members, strict=True):
            if member != session.id:
                stored = self._core.store.session(member)
                status = status_of(player, stored, busy=self._core.is_busy(member))
                payload = partner_payload(game.id, status, now)
                self._core.tell(session.id, ServerEvent.PARTNER_STATUS, payload)

    def forget(self, game_id: str) -> None:
        """Forget a game that is over."""
        self._told.pop(game_id, None)

    def end_entries(
        self, game: Game, players: Sequence[PlayerStatus], now: float
    ) -> list[LogEntry]:
        """Who is being told, with the end of a game, that a partner is gone.

        To be saved with that end, so that a store which fails loses both or neither.
        """
        gone = [status.player for status in players if status.link == LinkState.GONE]
        if not gone:
            return []
        return [
            LogEntry(
                now,
                member,
                "partner_told",
                {"game_id": game.id, "gone": gone, "reason": game.reason},
            )
            for member, status in zip(game.members, players, strict=True)
            if status.link != LinkState.GONE and self._core.connections.current(member)
        ]
