"""What a server does with the store that an earlier one left, before it accepts connections."""

from app.errors import IllegalTransition
from app.services.core import Core, log
from app.services.games import GameService
from app.sessions import Effect, Session, Step, advance
from app.sessions.events import ServerRestarted
from app.stores.base import LogEntry


def recover(core: Core, games: GameService) -> None:
    """Move every deadline by the time no server was alive, and end the games that were lost.

    Every connection is lost with its server, so who was connected is `away` now. Credentials are
    in the store, so whoever comes back in time is the same session.
    """
    now = core.clock.now()
    alive_at = core.store.alive_at()
    if alive_at is None:
        core.store.mark_alive(now)
        return
    # Negative when the wall clock was set back meanwhile: deadlines go back with it.
    down_s = now - alive_at
    core.store.append([LogEntry(now, None, "server_restarted", {"down_s": round(down_s, 3)})])

    def decide(session: Session) -> Step:
        return advance(session, ServerRestarted(down_s), now, core.policy)

    effects: list[tuple[str, tuple[Effect, ...]]] = []
    for session in core.store.sessions():
        try:
            step = core.store.change(session.id, now, decide)
        except IllegalTransition as error:
            log.error("recovery_failed", session_id=session.id, error=str(error))
            continue
        effects.append((session.id, step.effects))
    # Only now, when everybody counts as away: players whom the end of a game sends back to the
    # queue would otherwise be matched before they are back.
    for game_id in core.store.unended_games():
        games.end_for_restart(game_id)
    for session_id, caused in effects:
        core.effects.push(session_id, caused)
    core.store.mark_alive(now)
