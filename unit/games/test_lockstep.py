"""Lockstep: every player's actions, frame by frame, complete and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.games import ActionOutOfTurn, Lockstep

PLAYERS = 2
DELAY = 2


def test_the_first_steps_have_no_action() -> None:
    """Before the first action can count, nobody does anything."""
    assert Lockstep(3, 2).steps_from(0) == [[0, 0, 0], [0, 0, 0]]
    assert Lockstep(3, 0).complete == 0


def test_a_step_is_complete_with_everybodys_action() -> None:
    """One player's action completes nothing; the other's completes the step for both."""
    steps = Lockstep(PLAYERS, DELAY)
    assert steps.accept(0, 0, "a") == []
    assert steps.accept(1, 0, "b") == [["a", "b"]]
    assert steps.steps_from(DELAY) == [["a", "b"]]


def test_an_action_sent_again_is_ignored() -> None:
    """A page that is not sure whether it was heard may say it again; the first time counts."""
    steps = Lockstep(PLAYERS, DELAY)
    steps.accept(0, 0, "a")
    assert steps.accept(0, 0, "other") == []
    assert steps.accept(1, 0, "b") == [["a", "b"]]
    assert steps.accept(0, 0, "other") == []


def test_a_gap_is_out_of_turn() -> None:
    """A frame that does not follow the last one is refused, with the one expected."""
    with pytest.raises(ActionOutOfTurn) as raised:
        Lockstep(PLAYERS, DELAY).accept(0, 1, "a")
    assert raised.value.expected == 0


def test_nobody_can_act_further_ahead_than_they_can_have_stepped() -> None:
    """A player can be ahead by the delay and not by more, however slow the partner is."""
    steps = Lockstep(PLAYERS, DELAY)
    for frame in range(DELAY + 1):
        assert steps.accept(0, frame, frame) == []
    with pytest.raises(ActionOutOfTurn):
        steps.accept(0, DELAY + 1, "too early")
    assert steps.next_frame(0) == DELAY + 1


def test_who_returns_is_told_where_to_go_on() -> None:
    """The next frame of a player is the first whose action the server does not have."""
    steps = Lockstep(PLAYERS, DELAY)
    steps.accept(0, 0, "a")
    assert (steps.next_frame(0), steps.next_frame(1)) == (1, 0)
    steps.accept(1, 0, "b")
    assert (steps.next_frame(0), steps.next_frame(1)) == (1, 1)


def test_equal_hashes_agree() -> None:
    """A frame is agreed on when all have sent the same hash of it."""
    steps = Lockstep(PLAYERS, DELAY)
    assert steps.compare(0, 30, "x") is None
    assert not steps.agreed_by_all(30)
    assert steps.compare(1, 30, "x") is None
    assert steps.agreed_by_all(30)


def test_different_hashes_are_found_whenever_they_come() -> None:
    """A difference is found with the second hash of that frame, and both are given."""
    steps = Lockstep(3, DELAY)
    steps.compare(0, 30, "x")
    steps.compare(0, 60, "z")
    assert steps.compare(1, 30, "y") == ["x", "y", None]
    assert not steps.agreed_by_all(30)


def test_the_memory_of_hashes_is_bounded() -> None:
    """Only the latest hashes are kept, so a long game needs no more memory than a short one."""
    steps = Lockstep(PLAYERS, DELAY, hash_window=2)
    for frame in (30, 60, 90):
        steps.compare(0, frame, "x")
    assert steps.compare(1, 30, "different") is None
    assert steps.compare(1, 60, "different") is not None


@given(
    turns=st.lists(st.integers(0, PLAYERS - 1), max_size=60),
    again=st.lists(st.integers(0, 8), max_size=60),
    delay=st.integers(0, 4),
)
def test_any_order_gives_everybody_the_same_steps(
    turns: list[int], again: list[int], delay: int
) -> None:
    """However two players' actions interleave and are sent again, all get the same game.

    Each sends the frames in order, some of them several times. What was completed on the way, put
    together, is the log that a returning page replays; and it is the players' own actions.
    """
    steps = Lockstep(PLAYERS, delay)
    relayed = steps.steps_from(0)
    sent = [0] * PLAYERS
    for turn, back in zip(turns, again + [0] * len(turns), strict=False):
        frame = sent[turn]
        if frame > steps.complete:
            with pytest.raises(ActionOutOfTurn):
                steps.accept(turn, frame, (turn, frame))
            continue
        relayed += steps.accept(turn, frame, (turn, frame))
        sent[turn] += 1
        assert steps.accept(turn, max(0, frame - back), "again") == []
        assert steps.next_frame(turn) == sent[turn]
    assert relayed == steps.steps_from(0)
    assert steps.complete == delay + min(sent)
    assert steps.steps_from(delay) == [
        [(player, frame) for player in range(PLAYERS)] for frame in range(min(sent))
    ]


@given(ahead=st.integers(1, 50), delay=st.integers(0, 4))
def test_out_of_turn_changes_nothing(ahead: int, delay: int) -> None:
    """A refused action leaves the game as it was."""
    steps = Lockstep(PLAYERS, delay)
    with pytest.raises(ActionOutOfTurn):
        steps.accept(0, ahead, "a")
    assert (steps.complete, steps.next_frame(0)) == (delay, 0)
