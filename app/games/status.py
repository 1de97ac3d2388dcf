"""A player's status, derived from the session; what is derived needs no cancelling."""

from app.games.models import PlayerStatus
from app.sessions import LinkState, RuntimeState, Session, WhyGone


def status_of(player: str, session: Session | None, *, busy: bool = False) -> PlayerStatus:
    """The status of a player.

    Args:
        player: the name.
        session: the player's session; None once it was pruned.
        busy: whether the session's page, if it is connected, answers nothing.
    """
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
        busy=busy and session.link.state is LinkState.CONNECTED,
        left=session.link.why in (WhyGone.LEFT, WhyGone.FINISHED),
        deadline=deadline,
    )
