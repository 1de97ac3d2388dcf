"""The CPU throttle as a context manager."""

from typing import cast

import pytest
from playwright.sync_api import Page

from app.lab.throttle import cpu_throttle
from unit.lab.fake_page import FakePage


def rates(page: FakePage) -> list[float]:
    """The rates that were set, in order."""
    return [params["rate"] for _, params in page.sent]


def test_it_is_lifted_at_the_end() -> None:
    """The rate holds for the block and no longer, also when the block fails."""
    page = FakePage()

    def fail_while_throttled() -> None:
        with cpu_throttle(cast(Page, page), 6):
            assert rates(page) == [6]
            raise KeyError

    with pytest.raises(KeyError):
        fail_while_throttled()
    assert rates(page) == [6, 1]


def test_one_session_per_page() -> None:
    """Throttling a page again uses the session that it has: a second one would reset the first."""
    page = FakePage()
    for rate in (4, 8):
        with cpu_throttle(cast(Page, page), rate):
            pass
    assert page.sessions_made == 1


def test_a_page_that_is_gone_needs_no_lifting() -> None:
    """A browser killed during the block is no error."""
    page = FakePage()
    with cpu_throttle(cast(Page, page), 6):
        page.closed = True
    assert rates(page) == [6]
