"""A rule is not kept by a server that fails on the way and goes on."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

Faults = list[MutableMapping[str, Any]]
"""What was logged, in which a fault has `exc_info`."""


@pytest.fixture(autouse=True)
def faults() -> Iterator[Faults]:
    """What the server logs; a test that provokes a fault clears it, any other fault fails it."""
    with capture_logs() as logged:
        yield logged
    assert not [entry for entry in logged if entry.get("exc_info")]
