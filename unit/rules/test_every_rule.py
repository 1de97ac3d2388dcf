"""The rules of the design are proved here, each by name."""

import re
from pathlib import Path

import pytest

RULES = range(1, 19)


def proofs() -> set[int]:
    """The numbers of the rules that some test of this folder is named for."""
    texts = (path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    return {int(number) for text in texts for number in re.findall(r"def test_rule_(\d\d)_", text)}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_proof(rule: int) -> None:
    """Rule by rule, there is a test that is named for it."""
    assert rule in proofs()


def test_there_are_no_other_rules() -> None:
    """A test is named for a rule that exists."""
    assert proofs() <= set(RULES)
