"""Holding back what a page asks for, without a browser."""

from typing import cast

from playwright.sync_api import Page

from app.lab.holding import held_back
from unit.lab.fake_page import FakePage


def test_what_was_held_back_is_let_through_at_the_end() -> None:
    """Nothing goes through while the block lasts, and everything after it."""
    page = FakePage()
    with held_back(cast(Page, page), "**/large"):
        page.ask("first")
        page.ask("second")
        assert page.done == ["route **/large"]
    assert page.done[1:] == ["first let through", "second let through", "unroute **/large"]


def test_what_comes_late_is_let_through_at_once() -> None:
    """A request that is already on its way when the block ends does not wait for ever."""
    page = FakePage()
    with held_back(cast(Page, page), "**/large"):
        pass
    page.ask("late")
    assert page.done[-1] == "late let through"


def test_a_page_that_is_gone_asks_for_nothing() -> None:
    """A page that was closed while its requests were held back is no error."""
    page = FakePage()
    with held_back(cast(Page, page), "**/large"):
        page.close()
    assert "unroute **/large" not in page.done
