"""The tests mirror the code: every module has its test module, in the same folder of `unit`."""

from pathlib import Path

import pytest

UNIT = Path(__file__).parent
APP = UNIT.parent / "app"


def modules() -> list[str]:
    """The modules of `app`, but for packages' own files and the studies that ship with it."""
    return [
        path.relative_to(APP).as_posix()
        for path in sorted(APP.rglob("*.py"))
        if path.name != "__init__.py" and "examples" not in path.relative_to(APP).parts
    ]


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_tests(module: str) -> None:
    """Whoever opens a module knows where its tests are, and that there are some."""
    path = UNIT / module
    tests = path.with_name(f"test_{path.name}")
    assert tests.is_file(), f"app/{module} has no {tests.relative_to(UNIT.parent)}"
    assert "def test_" in tests.read_text(encoding="utf-8"), f"{tests.name} proves nothing"
