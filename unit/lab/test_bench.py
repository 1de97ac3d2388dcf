"""One run's participants and record, without a browser or a server."""

from pathlib import Path
from typing import cast

import pytest

from app.lab.bench import Bench
from app.lab.chromium import Chromium
from app.lab.errors import LabError
from unit.lab.fake_page import FakePage

LOG = [{"at_ms": 1000.0, "event": "page_opened"}]


def bench(page: FakePage, folder: Path) -> Bench:
    """A bench whose browser has this one page."""
    return Bench(cast(Chromium, page), folder)


def test_nothing_is_served_before_serve(tmp_path: Path) -> None:
    """Asking for the server before there is one is an error of the bench."""
    with pytest.raises(LabError, match="serves nothing yet"):
        _ = bench(FakePage(), tmp_path).server


def test_record_survives_the_end(tmp_path: Path) -> None:
    """After closing, the record is what it was just before."""
    page = FakePage(log=LOG)
    run = bench(page, tmp_path)
    run.participant("ada")
    run.close()
    page.log = []
    assert [(entry.origin, entry.event) for entry in run.record()] == [("ada", "page_opened")]
    assert page.closed


def test_second_tab_shares_the_profile(tmp_path: Path) -> None:
    """A participant beside another one has a page of the same context."""
    run = bench(FakePage(), tmp_path)
    first = run.participant("first")
    assert run.participant("second", beside=first).page.context is first.page.context


def test_a_phone_is_a_context_of_its_own_kind(tmp_path: Path) -> None:
    """Who has a phone in their hand gets a browser that is one."""
    page = FakePage()
    run = bench(page, tmp_path)
    run.participant("desk")
    run.participant("phone", phone=True)
    assert [options["phone"] for options in page.contexts] == [False, True]


def test_faults_name_their_page(tmp_path: Path) -> None:
    """The report tells whose page had the fault."""
    page = FakePage()
    run = bench(page, tmp_path)
    run.participant("ada")
    page.happen("pageerror", message="x is undefined")
    assert run.faults() == ["ada: uncaught: x is undefined"]
    assert "ada: uncaught: x is undefined" in run.report()


def test_save_writes_the_record(tmp_path: Path) -> None:
    """The record is kept as a file, for looking at it later."""
    run = bench(FakePage(log=LOG), tmp_path)
    run.participant("ada")
    run.save(tmp_path / "kept")
    assert '"page_opened"' in (tmp_path / "kept" / "record.jsonl").read_text()
