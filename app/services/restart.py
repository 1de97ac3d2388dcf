"""What a server does with the store that an earlier one left, before it accepts connections."""

from app.errors import IllegalTransition
from app.services.core import Core, log
from app.services.games import GameService
from app.sessions import Session, Step, advance
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
    down_s = max(0.0, now - alive_at)
    core.store.append([LogEntry(now, None, "server_restarted", {"down_s": round(down_s, 3)})])
    for game_id in core.store.unended_games():
        games.end_for_restart(game_id)

    def decide(session: Session) -> Step:
        return advance(session, ServerRestarted(down_s), now, core.policy)

    for session in core.store.sessions():
        try:
            step = core.store.change(session.id, now, decide)
        except IllegalTransition as error:
            log.error("recovery_failed", session_id=session.id, error=str(error))
            continue
        core.effects.push(session.id, step.effects)
    core.store.mark_alive(now)
