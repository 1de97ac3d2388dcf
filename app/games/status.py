"""A player's status, derived from the session; what is derived needs no cancelling."""

from app.games.models import PlayerStatus
from app.sessions import LinkState, RuntimeState, Session, WhyGone


def status_of(player: str, session: Session | None) -> PlayerStatus:
    """The status of a player whose session this is; None once it was pruned."""
    if session is None:
        return PlayerStatus(player=player, epoch=0, link=LinkState.GONE, runtime=RuntimeState.COLD)
    deadline = None
    if session.link.state is LinkState.AWAY:
        deadline = session.link.deadline
    elif session.link.state is LinkState.CONNECTED and session.runtime.loading is not None:
        deadline = session.runtime.loading.deadline
    return PlayerStatus(
        player=player,
        epoch=session.epoch,
        link=session.link.state,
        runtime=session.runtime.state,
        left=session.link.why in (WhyGone.LEFT, WhyGone.FINISHED),
        deadline=deadline,
    )
