"""Holding back or refusing what a page asks for, as a slow or a broken network would."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Error, Page, Route

RUNTIME_FILE = "**/pyodide.asm.wasm"
"""The largest part of Pyodide, without which it does not start."""


@contextmanager
def held_back(page: Page, pattern: str) -> Iterator[None]:
    """Keep the answers to some requests from a page while the block lasts; then let them through.

    Args:
        page: the page.
        pattern: a glob pattern of addresses, as Playwright's `page.route` takes it.
    """
    held: list[Route] = []
    holding = True

    def handle(route: Route) -> None:
        if holding:
            held.append(route)
        else:
            route.continue_()

    page.route(pattern, handle)
    try:
        yield
    finally:
        holding = False
        # A page that was closed meanwhile asks for nothing any more.
        with suppress(Error):
            for route in held:
                route.continue_()
            page.unroute(pattern)


@contextmanager
def refused(page: Page, pattern: str) -> Iterator[None]:
    """Let some requests of a page fail while the block lasts.

    Args:
        page: the page.
        pattern: a glob pattern of addresses, as Playwright's `page.route` takes it.
    """
    page.route(pattern, lambda route: route.abort())
    try:
        yield
    finally:
        with suppress(Error):
            page.unroute(pattern)
