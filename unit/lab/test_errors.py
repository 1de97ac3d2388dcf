"""What the errors of the bench tell people."""

from app.lab.errors import BlockMissed, NotReached, ServerFailed


def test_not_reached_without_an_instead() -> None:
    """What was waited for, and how long."""
    assert str(NotReached("a ready line", 60)) == "a ready line: not within 60 s"


def test_server_failed_ends_with_the_log() -> None:
    """The server's log is part of the message, and by itself an attribute."""
    error = ServerFailed("it ended", "Traceback ...")
    assert str(error) == "it ended\nTraceback ..."
    assert error.log == "Traceback ..."


def test_block_missed_lists_every_try() -> None:
    """Each rate that was tried is told with the block that it gave."""
    error = BlockMissed("26 to 29.5 s", [(9.5, 24.04), (11, 31)])
    assert "24.0 s at rate 9.50, 31.0 s at rate 11.00" in str(error)
