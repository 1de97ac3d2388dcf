"""Which Python the packages are for."""

import json
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment

from app.errors import GraceError
from app.python.target import read_pyodide_lock, target_of
from app.services.packages import served_lock
from unit.fakes.wheels import TARGET


def test_the_pyodide_that_is_served_says_it() -> None:
    """Its own lock names Python's version, the ABI of its wheels and its Emscripten."""
    target = target_of(served_lock())
    assert target.version == "3.14"
    assert target.platform == "pyemscripten_2026_0_wasm32"
    assert f"--platform={target.platform}" in target.pip_options
    assert "--abi=cp314" in target.pip_options


def test_markers_are_those_of_the_browser() -> None:
    """Every variable of PEP 508 has the value that it has there."""
    assert set(TARGET.markers) == set(default_environment())
    marker = Marker("sys_platform == 'emscripten' and python_version >= '3.14'")
    assert marker.evaluate(dict(TARGET.markers))
    marker = Marker("platform_system == 'Emscripten' and python_full_version >= '3.14.2'")
    assert marker.evaluate(dict(TARGET.markers))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"info": 1, "packages": {}}', '{"info": {}, "packages": []}'],
)
def test_what_is_no_lock_is_refused(text: str, tmp_path: Path) -> None:
    """A file of that name that says nothing of packages."""
    (tmp_path / "lock.json").write_text(text)
    with pytest.raises(GraceError, match="is no lock of Pyodide's"):
        read_pyodide_lock(tmp_path / "lock.json")


def test_a_missing_lock_is_named(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(GraceError, match=r"lock\.json cannot be read: No such file"):
        read_pyodide_lock(tmp_path / "lock.json")


@pytest.mark.parametrize(
    "changed", [{"python": "three"}, {"abi_version": "x"}, {"abi_version": "2026_0/x"}]
)
def test_an_unknown_python_is_refused(changed: dict[str, str]) -> None:
    """Nothing could be chosen for it."""
    lock = json.loads(json.dumps(served_lock()))
    lock["info"] |= changed
    with pytest.raises(GraceError, match="describes no Python that is known"):
        target_of(lock)


def test_the_version_of_emscripten_may_be_unknown() -> None:
    """No more than a marker depends on it."""
    lock = {"info": {"python": "3.14.2", "abi_version": "2026_0", "platform": "other"}}
    assert target_of(lock).emscripten == ""
    lock["info"]["platform"] = "emscripten_5_0_3"
    assert target_of(lock).emscripten == "5.0.3"
