"""Matching: who of a waiting room plays together."""

from collections.abc import Sequence

from app.sessions import Session, can_be_matched


def choose_players(waiting: Sequence[Session], size: int) -> tuple[str, ...] | None:
    """The ids of the first `size` sessions that can be matched, or None while there are too few.

    Args:
        waiting: everybody in the queue, first come first; who is away keeps the place in it but
            is passed over, and so is who has no Python and will not get it (runtime failed).
        size: seats of the game.
    """
    chosen = [session.id for session in waiting if can_be_matched(session)][:size]
    return tuple(chosen) if len(chosen) == size else None
