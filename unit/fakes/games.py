"""Games and players in given states."""

from app.games import Game, GamePolicy, GameState, PlayerStatus, player_name
from app.sessions import LinkState, RuntimeState

NOW = 1_000_000.0
"""When the games made here were matched, UTC seconds."""

GAME_POLICY = GamePolicy()
"""The default times."""


def matched(players: int = 2) -> Game:
    """A game that was matched at NOW, in which nobody is ready."""
    return Game(
        id="g_1",
        study="study",
        scene_id="match",
        members=tuple(f"s_{seat}" for seat in range(players)),
        seed=7,
        state=GameState.MATCHED,
        created_at=NOW,
        ready=(None,) * players,
        deadline=NOW + GAME_POLICY.game_start_timeout_s,
    )


def player(
    seat: int,
    *,
    epoch: int = 1,
    link: LinkState = LinkState.CONNECTED,
    runtime: RuntimeState = RuntimeState.READY,
    busy: bool = False,
    left: bool = False,
) -> PlayerStatus:
    """How a player is; by default connected, with Python."""
    return PlayerStatus(
        player=player_name(seat), epoch=epoch, link=link, runtime=runtime, busy=busy, left=left
    )


HERE = (player(0), player(1))
"""Two players who are there."""
