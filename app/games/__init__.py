"""PURE: games of participants who step one environment together.

Matching, the life of a game (a table), the lockstep of its actions, and what partners are told.
"""

from app.games.lockstep import ActionOutOfTurn, Lockstep
from app.games.machine import GAME_TABLE, GamePolicy, GameStep, advance_game
from app.games.matching import choose_players
from app.games.models import Game, GameState, PlayerStatus, player_name
from app.games.status import status_of

__all__ = [
    "GAME_TABLE",
    "ActionOutOfTurn",
    "Game",
    "GamePolicy",
    "GameState",
    "GameStep",
    "Lockstep",
    "PlayerStatus",
    "advance_game",
    "choose_players",
    "player_name",
    "status_of",
]
