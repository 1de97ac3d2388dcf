"""A token bucket lets bursts through and bounds the average."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.rate import TokenBucket


def taken(bucket: TokenBucket, now: float, tries: int) -> int:
    """How many of so many tries at one moment succeed."""
    return sum(bucket.take(now) for _ in range(tries))


def test_it_begins_full() -> None:
    """A burst goes through at once, and no more than that."""
    assert taken(TokenBucket(10.0, 5.0, now=0.0), now=0.0, tries=100) == 5


def test_it_fills_with_time() -> None:
    """Tokens come back at the rate, a part of one counts for nothing yet."""
    bucket = TokenBucket(10.0, 5.0, now=0.0)
    taken(bucket, now=0.0, tries=5)
    assert taken(bucket, now=0.09, tries=5) == 0
    assert taken(bucket, now=0.1, tries=5) == 1
    assert taken(bucket, now=0.35, tries=5) == 2


def test_it_does_not_run_over() -> None:
    """A long silence earns one burst and not two."""
    bucket = TokenBucket(10.0, 5.0, now=0.0)
    assert taken(bucket, now=1e9, tries=100) == 5


def test_time_that_goes_back_takes_nothing_away() -> None:
    """An earlier moment is the present one as far as the bucket is concerned."""
    bucket = TokenBucket(10.0, 5.0, now=100.0)
    assert taken(bucket, now=50.0, tries=100) == 5


@given(
    per_s=st.integers(1, 50),
    burst=st.integers(1, 50),
    waits=st.lists(st.integers(0, 40), max_size=60),
)
def test_the_average_is_bounded(per_s: int, burst: int, waits: list[int]) -> None:
    """Over any time no more get through than the burst and the rate allow."""
    bucket = TokenBucket(per_s, burst, now=0.0)
    now = 0.0
    passed = 0
    for wait in waits:
        now += wait / 100
        passed += bucket.take(now)
        assert passed <= burst + now * per_s + 1e-6
