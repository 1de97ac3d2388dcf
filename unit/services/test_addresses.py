"""One address cannot use the server up, and a lab behind one is not shut out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.addresses import Addresses, Limits, source_of

LAB = "192.0.2.1"
LAB_SIZE = 200
FEW = Limits(
    sessions_per_s=2.0,
    sessions_burst=3.0,
    guesses_per_s=1.0,
    guesses_burst=2.0,
    sockets=2,
    addresses=3,
)


def granted(answers: list[bool]) -> int:
    """How many were granted: the first ones."""
    assert answers == sorted(answers, reverse=True)
    return sum(answers)


def test_a_lab_may_begin_at_once() -> None:
    """With the limits as they are, two hundred pages open, guess and begin in one moment."""
    addresses = Addresses()
    for ask in (addresses.may_guess, addresses.may_begin):
        assert all(ask(LAB, 0.0) for _ in range(LAB_SIZE))
    assert not any(addresses.opened(LAB, f"socket {number}", 0.0) for number in range(LAB_SIZE))


def test_new_sessions_have_a_rate() -> None:
    """A burst, then so many a second."""
    addresses = Addresses(FEW)
    assert granted([addresses.may_begin(LAB, 0.0) for _ in range(10)]) == 3
    assert granted([addresses.may_begin(LAB, 1.0) for _ in range(10)]) == 2


def test_guesses_have_a_rate_of_their_own() -> None:
    """Whoever has used them up may still begin a session, and open a socket for it."""
    addresses = Addresses(FEW)
    assert granted([addresses.may_guess(LAB, 0.0) for _ in range(10)]) == 2
    assert addresses.may_begin(LAB, 0.0)
    assert granted([addresses.may_guess(LAB, 1.0) for _ in range(10)]) == 1


def opened(addresses: Addresses, *sockets: str, address: str = LAB) -> list[str | None]:
    """Which sockets have to go for these, one after the other."""
    return [addresses.opened(address, socket, 0.0) for socket in sockets]


def test_the_oldest_socket_without_a_session_makes_room() -> None:
    """Not the newest, which may be about to show a token; it counts until it has ended."""
    addresses = Addresses(FEW)
    assert opened(addresses, "a", "b", "c") == [None, None, "a"]
    addresses.settled(LAB, "a")
    assert opened(addresses, "d") == ["b"]


def test_a_socket_that_settles_makes_room() -> None:
    """One that has a session, or has ended, does not count any more, in whatever order."""
    addresses = Addresses(FEW)
    opened(addresses, "a", "b")
    addresses.settled(LAB, "b")
    addresses.settled(LAB, "b")
    assert opened(addresses, "c", "d") == [None, "a"]


def test_addresses_do_not_share() -> None:
    """What one has used up, another still has."""
    addresses = Addresses(FEW)
    for ask in (addresses.may_guess, addresses.may_begin):
        while ask(LAB, 0.0):
            pass
        assert ask("192.0.2.2", 0.0)
    opened(addresses, "a", "b")
    assert opened(addresses, "c", address="192.0.2.2") == [None]


def test_the_table_is_bounded() -> None:
    """One that is new takes the place of the one that was quiet for longest."""
    addresses = Addresses(FEW)
    while addresses.may_guess(LAB, 0.0):
        pass
    addresses.may_guess("192.0.2.2", 0.0)
    addresses.may_guess("192.0.2.3", 0.0)
    assert not addresses.may_guess(LAB, 0.0)
    addresses.may_guess("192.0.2.4", 0.0)
    assert len(addresses) == 3
    # The one that was just heard of is still known; another is forgotten.
    assert not addresses.may_guess(LAB, 0.0)
    assert granted([addresses.may_guess("192.0.2.2", 0.0) for _ in range(5)]) == 2


def test_a_socket_of_a_forgotten_address_settles() -> None:
    """Whether its address is known anew or not."""
    addresses = Addresses(FEW)
    opened(addresses, "a")
    for other in range(2, 5):
        addresses.may_begin(f"192.0.2.{other}", 0.0)
    addresses.settled(LAB, "a")
    assert len(addresses) == 3
    opened(addresses, "b")
    addresses.settled(LAB, "a")
    assert opened(addresses, "c", "d") == [None, "b"]


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::1", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        (":not an address:", ":not an address:"),
    ],
)
def test_what_counts_as_one_address(address: str, source: str) -> None:
    """A customer with a whole IPv6 network is one, however many addresses are made of it."""
    assert source_of(address) == source


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["opened", "settled", "may_begin", "may_guess"]),
            st.integers(0, 9),
            st.integers(0, 9),
        )
    )
)
def test_no_order_of_events_breaks_the_bounds(steps: list[tuple[str, int, int]]) -> None:
    """The table never grows past its bound, and whoever is shown out was counted and is there."""
    addresses = Addresses(FEW)
    there: dict[str, set[str]] = {}
    for step, address_number, number in steps:
        address, socket = f"192.0.2.{address_number}", f"socket {number}"
        if step == "opened":
            there.setdefault(address, set()).add(socket)
            leaving = addresses.opened(address, socket, 0.0)
            if leaving is not None:
                assert leaving in there[address]
                addresses.settled(address, leaving)
        elif step == "settled":
            addresses.settled(address, socket)
        else:
            getattr(addresses, step)(address, 0.0)
        assert len(addresses) <= FEW.addresses


def test_a_socket_is_shown_out_once() -> None:
    """One that is slow to end does not keep the next oldest from making room."""
    addresses = Addresses(FEW)
    assert opened(addresses, "a", "b", "c", "d") == [None, None, "a", "b"]
