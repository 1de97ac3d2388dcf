"""Fixtures of the end-to-end tests: one Chromium, studies, and a bench per test.

Every run leaves its record in `test-results/NAME/`; a test that fails prints it.
"""

import re
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from app.lab.bench import Bench
from app.lab.calibration import BlockWindow, Calibration
from app.lab.chromium import Chromium
from app.lab.crowd import Crowd
from app.lab.server import ServerProcess
from e2e.album import Album
from e2e.study_files import SHIPPED_STUDY, lay_out_studies

FULL_SCALE_BLOCK = BlockWindow(shortest_s=26, longest_s=29.5)
"""Longer than 8/8 lets pass in any phase (24 s), shorter than 8/30 ever notices (30 s)."""

BENCHES = pytest.StashKey[list[Bench]]()
SERVERS = pytest.StashKey[list[ServerProcess]]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of these tests, and let SIGTERM end a run as Ctrl-C does."""
    config.addinivalue_line("markers", "full: at full scale, with a page frozen for half a minute")
    config.addinivalue_line("markers", "alone: with a browser that nothing is to slow down")
    config.addinivalue_line(
        "markers", "page_faults(*faults): what `Bench.faults()` is to say at the end; else nothing"
    )
    # By default SIGTERM ends Python on the spot, and no fixture stops a server or a browser.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that have a bench: `nox -s e2e` runs them one at a time, after the others."""
    for item in items:
        if isinstance(item, pytest.Function) and "new_bench" in item.fixturenames:
            item.add_marker(pytest.mark.alone)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Throw away what an earlier run of the test has left."""
    shutil.rmtree(results_folder(item), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the record of every run, and show it when the test failed, or what came after it."""
    report = yield
    benches: list[Bench] = item.stash.get(BENCHES, [])
    for number, bench in enumerate(benches):
        folder = results_folder(item) / str(number)
        if report.when == "call":
            bench.save(folder)
        if report.failed:
            report.sections.append((f"run {number}, kept in {folder}", bench.report()))
    if report.failed:
        servers: list[ServerProcess] = item.stash.get(SERVERS, [])
        for number, server in enumerate(servers):
            report.sections.append((f"server {number}", server.log()))
    return report


def results_folder(item: pytest.Item) -> Path:
    """Where a test keeps what people may want to look at."""
    name = re.sub(r"[^\w.-]+", "-", item.name)
    return item.config.rootpath / "test-results" / name


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    """Playwright, running."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright_driver: Playwright) -> Iterator[Chromium]:
    """The Chromium that the tests share; every participant has a profile of their own in it."""
    with Chromium(playwright_driver) as browser:
        yield browser


@pytest.fixture
def own_chromium(playwright_driver: Playwright) -> Iterator[Chromium]:
    """A Chromium for one participant alone, to be killed."""
    with Chromium(playwright_driver) as browser:
        yield browser


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the studies of these tests and the environments that they name."""
    folder = tmp_path_factory.mktemp("studies")
    lay_out_studies(folder)
    return folder


@pytest.fixture(scope="session")
def shipped_study() -> Path:
    """The study file that ships with the server."""
    return SHIPPED_STUDY


@pytest.fixture
def new_bench(
    request: pytest.FixtureRequest, chromium: Chromium, tmp_path: Path
) -> Iterator[Callable[[], Bench]]:
    """Makes benches; at the end of the test they are closed, and their pages without fault.

    A test that expects faults names them: `@pytest.mark.page_faults("ada: uncaught: no goat")`.
    """
    benches: list[Bench] = request.node.stash.setdefault(BENCHES, [])
    expected = [fault for mark in request.node.iter_markers("page_faults") for fault in mark.args]

    with ExitStack() as opened:

        def make() -> Bench:
            bench = Bench(chromium, tmp_path / f"bench-{len(benches)}")
            benches.append(bench)
            opened.callback(bench.close)
            return bench

        yield make
    assert [fault for bench in benches for fault in bench.faults()] == expected


@pytest.fixture
def bench(new_bench: Callable[[], Bench]) -> Bench:
    """One bench, made by `new_bench`."""
    return new_bench()


@pytest.fixture
def serve(
    request: pytest.FixtureRequest, tmp_path: Path, studies: Path
) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers for raw pages, without any browser: `serve(ping_interval_s=1)`.

    By default of the study whose first scene is the game; `study` names another file of `studies`,
    `make` what makes a server (as `partial(AlteredServer, alterations=...)`). Each has its
    own store in the test's folder, and is stopped at the end.
    """
    servers: list[ServerProcess] = request.node.stash.setdefault(SERVERS, [])

    with ExitStack() as running:

        def start(
            study: str = "game_first.py",
            *,
            make: Callable[..., ServerProcess] = ServerProcess,
            **settings: object,
        ) -> ServerProcess:
            folder = tmp_path / f"server-{len(servers)}"
            # A raw page loads no Python.
            server = make(studies / study, folder, {"snapshots": False, **settings})
            servers.append(server)
            return running.enter_context(server)

        yield start


@pytest.fixture(params=["worker", "main"])
def runtime(request: pytest.FixtureRequest) -> str:
    """Where Python runs: a test that asks for this is run with both."""
    name: str = request.param
    return name


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Runs coroutines with raw pages."""
    with Crowd() as raw_pages:
        yield raw_pages


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """What the session knows of throttle rates; each full-scale load teaches it."""
    return Calibration(FULL_SCALE_BLOCK)


@pytest.fixture
def album(request: pytest.FixtureRequest) -> Album:
    """An empty album in the test's results."""
    return Album(results_folder(request.node))
