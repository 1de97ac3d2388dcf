"""What a server does with the store that an earlier one left, before it accepts connections."""

from collections.abc import Mapping

from app.errors import IllegalTransition, StoreError
from app.games import Game
from app.services.core import Core, log
from app.services.games import GameService
from app.sessions import Effect, Session, advance
from app.sessions.events import ServerRestarted
from app.stores.base import Change, LogEntry, Store


def recover(core: Core, games: GameService) -> None:
    """Move every deadline by the time no server was alive, and end the games that were lost.

    Every connection is lost with its server, so who was connected is `away` now. Credentials are
    in the store, so whoever comes back in time is the same session.

    Raises:
        StoreError: the store cannot be read or changed, or another version of the server made what
            is in it. Then nothing was changed, or all but the end of some games, which the next
            start makes good.
    """
    now = core.clock.now()
    alive_at = core.store.alive_at()
    if alive_at is None:
        core.store.mark_alive(now)
        return
    session_ids, game_ids = _found(core.store)
    # Negative when the wall clock was set back meanwhile: deadlines go back with it.
    down_s = now - alive_at
    effects: list[tuple[str, tuple[Effect, ...]]] = []

    def decide(sessions: Mapping[str, Session], _: Game | None) -> Change:
        effects.clear()
        moved: list[Session] = []
        entries = [LogEntry(now, None, "server_restarted", {"down_s": round(down_s, 3)})]
        for session in sessions.values():
            try:
                step = advance(session, ServerRestarted(down_s), now, core.policy)
            except IllegalTransition as error:
                log.error("recovery_failed", session_id=session.id, error=str(error))
                continue
            if step.session is not None:
                moved.append(step.session)
            entries += [LogEntry(now, session.id, one.event, one.fields) for one in step.records]
            effects.append((session.id, step.effects))
        return Change(moved, entries=entries, alive_at=now)

    # All at once and with the sign of life: a start that is cut short must not leave deadlines
    # behind that the next start moves a second time.
    core.store.change_many(session_ids, None, decide)
    # Only now, when everybody counts as away: players whom the end of a game sends back to the
    # queue would otherwise be matched before they are back.
    for game_id in game_ids:
        games.end_for_restart(game_id)
    for session_id, caused in effects:
        core.effects.push(session_id, caused)


def _found(store: Store) -> tuple[list[str], list[str]]:
    """The ids of all sessions and of the games that have not ended, each of which can be read."""
    try:
        sessions, game_ids = store.sessions(), store.unended_games()
        for game_id in game_ids:
            store.game(game_id)
    except ValueError as error:
        raise StoreError(str(error)) from error
    return [session.id for session in sessions], game_ids
