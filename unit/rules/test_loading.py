"""Rules 4, 7 and 8: the grace of a load begins, is not stretched, and ends."""

from typing import Any

import pytest

from unit.fakes.participant import Participant
from unit.fakes.world import World

SHORT: dict[str, Any] = {
    "loading_timeout_s": 20.0,
    "loading_budget_s": 50.0,
    "reconnect_grace_s": 2.0,
}


def deadline_in_s(answer: dict[str, Any]) -> float:
    """What the page is told of its grace."""
    assert answer["ok"]
    return float(answer["deadline_in_s"])


@pytest.fixture
def ann() -> Participant:
    """Somebody on a server with a short loading timeout."""
    return World(**SHORT).connect()


def test_rule_04_starting_again_does_not_restart_the_clock(ann: Participant) -> None:
    """The clock starts with the page's first start, whichever attempts follow."""
    assert deadline_in_s(ann.start_loading("attempt_1")) == 20.0
    ann.world.advance(8.0)
    assert deadline_in_s(ann.start_loading("attempt_1")) == 12.0
    assert deadline_in_s(ann.start_loading("attempt_2")) == 12.0
    ann.complete_loading("attempt_2", error="out of memory")
    assert deadline_in_s(ann.start_loading("attempt_3")) == 12.0


def test_rule_04_each_next_stage_gives_a_full_timeout_from_then(ann: Participant) -> None:
    """Reaching packages, then environment, extends; saying it again or going back does not."""
    ann.start_loading()
    ann.world.advance(10.0)
    assert deadline_in_s(ann.reach("packages")) == 20.0
    ann.world.advance(5.0)
    assert deadline_in_s(ann.reach("packages")) == 15.0
    assert deadline_in_s(ann.reach("runtime")) == 15.0
    assert deadline_in_s(ann.reach("environment")) == 20.0


def test_rule_04_a_reload_is_a_new_page_with_a_new_clock(ann: Participant) -> None:
    """A new page has a full timeout, as long as there is budget."""
    ann.start_loading("attempt_1")
    ann.world.advance(15.0)
    ann.lose(1001)
    ann.reload()
    assert deadline_in_s(ann.start_loading("attempt_2")) == 20.0


def test_rule_04_nothing_goes_past_the_budget(ann: Participant) -> None:
    """Reload as often as one likes: all loads together get the budget, and not a second more."""
    granted_s = 0.0
    for number in range(6):
        left_s = deadline_in_s(ann.start_loading(f"attempt_{number}"))
        spent_s = min(left_s, 15.0)
        ann.world.advance(spent_s)
        granted_s += spent_s
        ann.lose(1001)
        ann.reload()
    assert granted_s == 50.0


def test_rule_04_a_success_refills_the_budget(ann: Participant) -> None:
    """After a load that succeeded, the next has the whole grace again."""
    ann.start_loading("attempt_1")
    ann.world.advance(19.0)
    ann.complete_loading("attempt_1")
    assert deadline_in_s(ann.start_loading("attempt_2")) == 20.0
    assert ann.session.runtime.allowance.budget_s == 50.0


def test_rule_04_a_reconnection_does_not_stretch_the_grace(ann: Participant) -> None:
    """Coming back and going again while loading leaves the deadline where it was."""
    ann.start_loading()
    for _ in range(5):
        ann.world.advance(3.0)
        ann.lose()
        ann.come_back(runtime={"state": "loading", "attempt_id": "attempt_1", "stage": "runtime"})
    ann.lose()
    assert ann.world.log("link_lost")[-1]["deadline_in_s"] == 5.0


def test_rule_07_start_is_acknowledged_and_idempotent(ann: Participant) -> None:
    """The answer says how long the grace lasts; a start that is sent again begins nothing."""
    assert ann.start_loading() == {"ok": True, "deadline_in_s": 20.0}
    ann.world.advance(4.0)
    assert ann.start_loading() == {"ok": True, "deadline_in_s": 16.0}
    assert len(ann.world.log("loading_started")) == 1


def test_rule_07_complete_is_acknowledged_and_idempotent(ann: Participant) -> None:
    """A completion that is sent again is acknowledged, and is no second one."""
    ann.start_loading()
    assert ann.complete_loading() == {"ok": True}
    assert ann.complete_loading(error="something else") == {"ok": True}
    assert ann.session.runtime.state == "ready"
    assert len(ann.world.log("loading_completed")) == 1


def test_rule_07_a_late_start_of_an_ended_attempt_is_ignored(ann: Participant) -> None:
    """A start that arrives after its own completion leaves the runtime as it is."""
    ann.start_loading()
    ann.complete_loading()
    assert ann.start_loading() == {"ok": True, "deadline_in_s": 0.0}
    assert ann.session.runtime.state == "ready"


def test_rule_07_one_load_at_a_time(ann: Participant) -> None:
    """A second attempt ends the first, whose completion then counts for nothing."""
    ann.start_loading("attempt_1")
    ann.start_loading("attempt_2")
    assert ann.complete_loading("attempt_1") == {"ok": True}
    assert ann.session.runtime.state == "loading"
    ann.complete_loading("attempt_2")
    assert ann.session.runtime.state == "ready"


def test_rule_07_a_completion_counts_for_the_attempt_restated_at_connect(
    ann: Participant,
) -> None:
    """A load that began and ended while the connection was lost is completed afterwards."""
    ann.lose()
    ann.come_back(runtime={"state": "loading", "attempt_id": "attempt_7"})
    assert ann.opened["runtime"] == "loading"
    ann.complete_loading("attempt_7")
    assert ann.session.runtime.state == "ready"


def test_rule_07_it_counts_without_a_page_id_too(ann: Participant) -> None:
    """A client without a page id is a new page each time, and may still restate its attempt."""
    world = ann.world
    somebody = world.connect_nameless()
    somebody.start_loading()
    somebody.lose()
    restated = {"state": "loading", "attempt_id": "attempt_1"}
    again = world.connect_nameless(token=somebody.token, runtime=restated)
    again.complete_loading()
    assert again.session.runtime.state == "ready"


@pytest.mark.parametrize(("error", "state"), [(None, "ready"), ("out of memory", "failed")])
def test_rule_08_completion_ends_the_loading_grace(
    ann: Participant, error: str | None, state: str
) -> None:
    """Success or error: from then on a loss gets the reconnect grace."""
    ann.start_loading()
    ann.complete_loading(error=error)
    assert ann.session.runtime.state == state
    ann.lose()
    assert ann.world.log("link_lost")[0]["grace"] == "reconnect"


@pytest.mark.parametrize("error", [None, "out of memory"])
def test_rule_08_a_ping_counts_from_the_completion(ann: Participant, error: str | None) -> None:
    """Success or error, a page that could not answer is not dropped for it right after."""
    ann.start_loading()
    ann.reach("packages")
    assert ann.world.outbox.excused == []
    ann.complete_loading(error=error)
    assert ann.world.outbox.excused == [ann.sid]


def test_rule_08_an_overdue_load_is_logged_and_stays_loading(ann: Participant) -> None:
    """Passing the deadline while connected is logged once; the next loss gets less."""
    ann.start_loading()
    ann.world.advance(60.0)
    assert len(ann.world.log("loading_overdue")) == 1
    assert ann.session.runtime.state == "loading"
    assert ann.session.link.state == "connected"
    ann.lose()
    assert ann.world.log("link_lost")[0]["grace"] == "reconnect"


def test_rule_08_an_overdue_load_may_still_complete(ann: Participant) -> None:
    """A slow machine is not a broken one: the completion counts however late it is."""
    ann.start_loading()
    ann.world.advance(300.0)
    ann.complete_loading()
    assert ann.session.runtime.state == "ready"


def test_rule_08_missed_heartbeats_are_tolerated_while_it_loads(ann: Participant) -> None:
    """The page stays on one connection, and is missed only by its loading deadline and after."""
    world = ann.world
    ann.start_loading()
    world.ping(ann.sid)
    world.advance(19.0)
    assert world.core.is_busy(ann.session_id)
    world.advance(1.0 + 29.0)
    assert len(world.log("loading_overdue")) == 1
    assert not world.log("link_lost")
    world.advance(2.0)
    (lost,) = world.log("link_lost")
    assert (lost["cause"], lost["grace"]) == ("heartbeat_missed", "reconnect")


@pytest.mark.parametrize("error", [None, "out of memory"])
def test_rule_08_heartbeats_count_again_after_the_completion(
    ann: Participant, error: str | None
) -> None:
    """Success or error, a PING that is old then is given its whole timeout from then on."""
    world = ann.world
    ann.start_loading()
    world.ping(ann.sid)
    world.advance(19.0)
    ann.complete_loading(error=error)
    world.advance(29.0)
    assert not world.log("link_lost")
    world.advance(2.0)
    (lost,) = world.log("link_lost")
    assert lost["cause"] == "heartbeat_missed"
    assert 49.0 <= lost["silent_s"] <= 50.0


def test_rule_08_a_load_that_connect_restates_is_tolerated(world: World) -> None:
    """From the first moment of the connection on, with nothing said besides."""
    ann = world.connect()
    ann.lose()
    ann.come_back(runtime={"state": "loading", "attempt_id": "attempt_1"})
    world.ping(ann.sid)
    world.advance(59.0)
    assert not world.log("link_lost", cause="heartbeat_missed")


def test_rule_08_a_stage_and_a_restated_load_are_tolerated_too(ann: Participant) -> None:
    """Whatever tells of the load moves what is tolerated with its deadline."""
    world = ann.world
    ann.lose()
    ann.come_back(runtime={"state": "loading", "attempt_id": "attempt_1"})
    world.ping(ann.sid)
    world.advance(15.0)
    ann.reach("packages")
    world.advance(20.0 + 29.0)
    assert not world.log("link_lost", cause="heartbeat_missed")
    world.advance(2.0)
    assert len(world.log("link_lost", cause="heartbeat_missed")) == 1


def test_rule_04_a_refused_completion_stretches_nothing(ann: Participant) -> None:
    """Of another attempt it changes nothing, however often it is said."""
    world = ann.world
    ann.start_loading()
    world.ping(ann.sid)
    for _ in range(5):
        world.advance(9.5)
        answer = ann.complete_loading("attempt_of_nobody")
        assert answer["error"]["code"] == "out_of_turn"
    assert world.outbox.excused == []
    world.advance(4.0)
    assert world.log("link_lost")[0]["cause"] == "heartbeat_missed"


def test_rule_08_a_completion_of_no_load_excuses_nothing(ann: Participant) -> None:
    """A page that says it again and again is missed like any other."""
    world = ann.world
    ann.start_loading()
    ann.complete_loading()
    world.ping(ann.sid)
    for _ in range(3):
        world.advance(9.0)
        ann.complete_loading()
    world.advance(4.0)
    assert world.log("link_lost")[0]["cause"] == "heartbeat_missed"
