"""A participant's page, read through what it announces and records."""

from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Page

from app.lab.errors import LabError, NotReached
from app.lab.participant import Participant
from unit.lab.fake_page import FakePage

REPORT = {"at_ms": 2.0, "event": "loading_completed", "longest_block_ms": 2700, "path": "preload"}


def participant(page: FakePage) -> Participant:
    """Ada, with this page."""
    return Participant("ada & co", cast(Page, page))


def test_open_passes_the_name_on() -> None:
    """The page is opened with the participant's name as its label."""
    page = FakePage()
    participant(page).open("http://localhost:1")
    assert page.done == ["commit http://localhost:1/?participant=ada+%26+co"]


def test_wait_for_asks_for_all_at_once() -> None:
    """Several values are waited for on one element, at one moment."""
    page = FakePage({"link": "connected", "place": "waiting"})
    participant(page).wait_for(link="connected", place="waiting")
    assert page.done == ['html[data-link="connected"][data-place="waiting"]']


def test_wait_for_says_what_was_there_instead() -> None:
    """A state that does not come is reported with the one that is there."""
    page = FakePage({"link": "lost"})
    with pytest.raises(NotReached, match=r"ada & co announcing .*connected.*instead: .*lost"):
        participant(page).wait_for(link="connected")


@pytest.mark.parametrize(
    "state", [{"runtime": "ready"}, {"runtime": "failed"}, {"link": "over", "runtime": "loading"}]
)
def test_wait_for_load_wants_a_report(state: dict[str, str]) -> None:
    """A load is over when the page has reported it, also in a session that is over."""
    page = FakePage(state, log=[REPORT])
    participant(page).wait_for_load(timeout_s=0)
    page.log = []
    with pytest.raises(NotReached, match="reporting its load"):
        participant(page).wait_for_load(timeout_s=0)


def test_a_page_that_does_not_answer_is_frozen() -> None:
    """Frozen is who has not answered for a while; who answers is not."""
    page = FakePage()
    ada = participant(page)
    with pytest.raises(NotReached, match="page ada & co freezing"):
        ada.wait_until_frozen(timeout_s=0)
    page.frozen = True
    ada.wait_until_frozen(timeout_s=0)


def test_last_log_of_a_page_that_is_gone() -> None:
    """The log of a page is still there after its browser was killed, as read last."""
    page = FakePage(log=[REPORT])
    ada = participant(page)
    assert ada.recorded("loading_completed") == [REPORT]
    page.close()
    assert ada.event_log() == [REPORT]


def test_nothing_is_said_of_what_a_page_that_is_gone_has_not_recorded() -> None:
    """A test that an entry is not there cannot pass because nobody could look."""
    page = FakePage()
    ada = participant(page)
    assert ada.recorded("session_ended") == []
    page.close()
    with pytest.raises(LabError, match="ada & co does not answer"):
        ada.recorded("session_ended")


def test_state_of_a_page_that_is_gone() -> None:
    """Asking a page that does not answer is an error of the bench."""
    page = FakePage()
    page.close()
    with pytest.raises(LabError, match="ada & co does not answer"):
        participant(page).announced()


def test_longest_block_is_the_pages_own() -> None:
    """The block is read from the report of the last load."""
    earlier = {**REPORT, "event": "loading_failed", "longest_block_ms": 1}
    assert participant(FakePage(log=[earlier, REPORT])).longest_block_ms() == 2700


def test_no_load_no_report() -> None:
    """A page that has not loaded has no block to report."""
    with pytest.raises(LabError, match="has reported no load"):
        participant(FakePage()).longest_block_ms()


def test_faults() -> None:
    """Uncaught exceptions and refusals by the content security policy are kept, chatter is not."""
    page = FakePage()
    ada = participant(page)
    page.happen("pageerror", message="x is undefined")
    page.happen("console", text="WebSocket connection failed")
    page.happen("console", text="Refused ... because of the Content Security Policy")
    assert [fault[:12] for fault in ada.faults] == ["uncaught: x ", "Refused ... "]


def test_held_key_is_let_go() -> None:
    """A key goes up again at the end of the block."""
    page = FakePage()
    with participant(page).hold("ArrowLeft"):
        assert page.done == ["down ArrowLeft"]
    assert page.done[-1] == "up ArrowLeft"


def test_no_picture_of_a_page_that_is_gone(tmp_path: Path) -> None:
    """A picture that cannot be taken is no error: it is wanted most when things have failed."""
    page = FakePage()
    page.close()
    assert not participant(page).screenshot(tmp_path / "pictures" / "ada.png")
