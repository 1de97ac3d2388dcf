"""Holding back or refusing what a page asks for, without a browser."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import cast

import pytest
from playwright.sync_api import Page

from app.lab.holding import held_back, refused
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


def test_what_is_refused_fails_at_once() -> None:
    """A request fails while the block lasts, and the page is left alone after it."""
    page = FakePage()
    with refused(cast(Page, page), "**/large"):
        page.ask("first")
        assert page.done == ["route **/large", "first refused"]
    assert page.done[2:] == ["unroute **/large"]


@pytest.mark.parametrize("interfered_with", [held_back, refused])
def test_a_page_that_is_gone_asks_for_nothing(
    interfered_with: Callable[[Page, str], AbstractContextManager[None]],
) -> None:
    """A page that was closed in the meantime is no error."""
    page = FakePage()
    with interfered_with(cast(Page, page), "**/large"):
        page.close()
    assert "unroute **/large" not in page.done
