"""Any players in any order: what always holds for a game."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.clock import ManualClock
from app.errors import IllegalTransition
from app.games import Game, GameState, PlayerStatus, advance_game
from app.games.machine import (
    EpisodeEnded,
    GameDeadlinePassed,
    GameEvent,
    PlayerDeclaredReady,
    PlayersSeen,
)
from app.sessions import LinkState, RuntimeState
from unit.fakes.games import GAME_POLICY, matched, player

seats = st.integers(0, 2)
"""A seat, or one too many for a game of two: then the last one."""


class GameMachine(RuleBasedStateMachine):
    """One game beside a model of its players."""

    game: Game

    @initialize(size=st.integers(2, 3))
    def match(self, size: int) -> None:
        """The game is matched, with everybody there."""
        self.clock = ManualClock()
        self.game = matched(size)
        self.players = [player(seat, runtime=RuntimeState.COLD) for seat in range(size)]
        self.declared: list[int | None] = [None] * size
        self.happened: list[str] = []
        self.old_deadlines: list[float] = []

    def do(self, event: GameEvent) -> None:
        """Let an event happen; an illegal one changes nothing."""
        before = self.game
        if before.deadline is not None:
            self.old_deadlines.append(before.deadline)
        try:
            step = advance_game(before, event, self.clock.now(), GAME_POLICY)
        except IllegalTransition:
            assert before.state is GameState.ENDED
            return
        self.game = step.game
        self.happened += step.happened
        fixed = ("id", "members", "seed", "created_at")
        assert all(getattr(self.game, name) == getattr(before, name) for name in fixed)
        if before.state is GameState.ENDED:
            assert self.game == before, "ended is final"

    def become(self, seat: int, status: PlayerStatus) -> None:
        """A player changes, unless gone, and the game is shown its players."""
        ended = self.game.state is GameState.ENDED
        if not ended and self.players[seat].link is not LinkState.GONE:
            self.players[seat] = status
        self.do(PlayersSeen(tuple(self.players)))

    def at(self, seat: int) -> int:
        """The seat, in a game of this size."""
        return min(seat, len(self.players) - 1)

    @rule(seat=seats)
    def lose(self, seat: int) -> None:
        """A player's connection is lost."""
        seat = self.at(seat)
        self.become(seat, replace(self.players[seat], link=LinkState.AWAY, busy=False))

    @rule(seat=seats)
    def come_back(self, seat: int) -> None:
        """A player is there on a new connection, whether or not the old one was missed."""
        seat = self.at(seat)
        epoch = self.players[seat].epoch + 1
        back = replace(self.players[seat], link=LinkState.CONNECTED, epoch=epoch, busy=False)
        self.become(seat, back)

    @rule(seat=seats, busy=st.booleans())
    def freeze_or_thaw(self, seat: int, busy: bool) -> None:
        """The page of a player who is connected answers nothing, or answers again."""
        seat = self.at(seat)
        if self.players[seat].link is LinkState.CONNECTED:
            self.become(seat, replace(self.players[seat], busy=busy))

    @rule(seat=seats, runtime=st.sampled_from(RuntimeState))
    def change_runtime(self, seat: int, runtime: RuntimeState) -> None:
        """A player's Python loads, is ready, fails."""
        seat = self.at(seat)
        self.become(seat, replace(self.players[seat], runtime=runtime))

    @rule(seat=seats, left=st.booleans(), sure=st.integers(0, 3))
    def go(self, seat: int, left: bool, sure: int) -> None:
        """A player leaves, or does not come back in time; now and then."""
        if sure == 0:
            seat = self.at(seat)
            gone = replace(self.players[seat], link=LinkState.GONE, left=left, busy=False)
            self.become(seat, gone)

    @rule(seat=seats)
    def declare_ready(self, seat: int) -> None:
        """A player who is there says so."""
        seat = self.at(seat)
        status = self.players[seat]
        if status.link is LinkState.CONNECTED:
            self.declared[seat] = status.epoch
            self.do(PlayerDeclaredReady(seat, status.epoch, tuple(self.players)))

    @rule(elapsed=st.sampled_from([0.0, 1.0, 179.0, 181.0]))
    def sweep(self, elapsed: float) -> None:
        """Time passes, and the sweeper asks whether the game is due."""
        self.clock.advance(elapsed)
        deadline = self.game.deadline
        if deadline is not None and deadline <= self.clock.now():
            self.do(GameDeadlinePassed(deadline))
            assert self.game.state is GameState.ENDED

    @precondition(lambda self: self.old_deadlines)
    @rule(data=st.data())
    def sweep_late(self, data: st.DataObject) -> None:
        """The sweeper delivers a deadline that the game had at some time."""
        deadline = data.draw(st.sampled_from(self.old_deadlines))
        before = self.game
        self.do(GameDeadlinePassed(deadline))
        if deadline != before.deadline or deadline > self.clock.now():
            assert self.game == before

    @rule(sure=st.integers(0, 5))
    def finish(self, sure: int) -> None:
        """The episode is over, now and then."""
        if sure == 0:
            self.do(EpisodeEnded("completed"))

    @invariant()
    def runs_only_with_everybody(self) -> None:
        """A game runs while all are connected, answer, and are ready there; else it waits."""
        missing = [
            status.player
            for status, declared in zip(self.players, self.declared, strict=True)
            if status.link is not LinkState.CONNECTED or status.busy or declared != status.epoch
        ]
        if self.game.state is GameState.RUNNING:
            assert not missing
        elif self.game.state is GameState.PAUSED:
            assert self.game.waiting_for in missing
        elif self.game.state is GameState.MATCHED:
            assert missing

    @invariant()
    def waits_for_a_bounded_time(self) -> None:
        """A game that waits ends by itself: on its own deadline, or on that of who is away."""
        if self.game.state is GameState.MATCHED:
            assert self.game.deadline is not None
        elif self.game.state is GameState.PAUSED:
            away = any(status.link is LinkState.AWAY for status in self.players)
            assert away or self.game.deadline is not None
        else:
            assert self.game.deadline is None

    @invariant()
    def ends_with_whoever_goes(self) -> None:
        """No game goes on without a player who is gone."""
        if any(status.link is LinkState.GONE for status in self.players):
            assert self.game.state is GameState.ENDED

    @invariant()
    def ends_for_a_reason(self) -> None:
        """An ended game says when and why, and only an ended one."""
        ended = self.game.state is GameState.ENDED
        assert (self.game.reason is not None) == (self.game.ended_at is not None) == ended
        if self.game.reason in ("player_left", "player_gone"):
            gone = [status for status in self.players if status.link is LinkState.GONE]
            assert gone[0].left == (self.game.reason == "player_left")

    @invariant()
    def happens_in_order(self) -> None:
        """Started once, then paused and resumed in turn, then ended once."""
        happened = [*self.happened]
        if happened and happened[-1] == "ended":
            assert self.game.state is GameState.ENDED
            happened.pop()
        expected = ["started", *["paused", "resumed"] * len(happened)]
        assert happened == expected[: len(happened)]


TestGame = GameMachine.TestCase
