"""The parts of the network that need no socket; what passes through it: see `test_lines.py`."""

import pytest

from app.lab.errors import LabError
from app.lab.network import Network


def test_there_is_no_address_before_it_runs() -> None:
    """Nobody is sent to a port on which nobody listens."""
    with pytest.raises(LabError, match="does not run"):
        _ = Network("http://127.0.0.1:4321").url


@pytest.mark.parametrize("url", ["", "127.0.0.1:4321", "http://127.0.0.1"])
def test_it_leads_to_an_address(url: str) -> None:
    """A server's address has a host and a port."""
    with pytest.raises(LabError, match="no host and port"):
        Network(url)
