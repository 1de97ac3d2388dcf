"""What is served beside the page is plain data."""

import dataclasses
from pathlib import Path

import pytest

from app.python.parts import Distribution, SnapshotFile, StudyPackages


def test_a_study_without_packages_has_none_of_them() -> None:
    """Nothing has to be named that a study does not use."""
    nothing = StudyPackages()
    assert (nothing.pack, nothing.wheels, nothing.distribution) == (None, (), None)


@pytest.mark.parametrize(
    "part", [SnapshotFile(Path("s.pack"), 1, 1), Distribution((), {}), StudyPackages()], ids=repr
)
def test_parts_do_not_change(part: object) -> None:
    """What has an address made of its content keeps that content."""
    assert dataclasses.is_dataclass(part)
    name = dataclasses.fields(part)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(part, name, None)
