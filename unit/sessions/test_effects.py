"""What is to be done after a session was saved."""

from app.sessions import CloseConnection, Record, Step, WakeSweeper
from unit.fakes.sessions import opened


def test_the_records_of_a_step_are_its_log_entries_in_order() -> None:
    """What belongs into the log is found among the effects, in the order it was decided."""
    first, second = Record("link_lost"), Record("session_gone", {"why": "left"})
    step = Step(opened(), (first, CloseConnection(1, taken_over=False), second, WakeSweeper()))
    assert step.records == (first, second)


def test_equal_effects_are_one() -> None:
    """Effects are values, so that asking twice for the same thing can be seen."""
    assert CloseConnection(1, taken_over=True) == CloseConnection(1, taken_over=True)
    assert CloseConnection(1, taken_over=True) != CloseConnection(2, taken_over=True)
