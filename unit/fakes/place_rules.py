"""The rules of ARCHITECTURE.md on queue, seat and scene, as checks of one change of one session.

Each says what has to hold in its own words and does not ask the tables, so that a wrong entry in
a table is found.
"""

from app.sessions import (
    LinkState,
    PlaceState,
    ShowNextScene,
    can_be_matched,
)
from app.sessions.events import (
    DeadlinePassed,
    GameOver,
    Matched,
    PageConnected,
    QueueJoined,
    SceneEntered,
)
from unit.fakes.session_changes import (
    Rules,
    became_gone,
    is_due,
    nothing_changed,
    only_changed,
)
from unit.fakes.session_choices import Change

PLACE_RULES = rule = Rules()
"""What concerns the place."""


@rule(10, DeadlinePassed)
def lets_only_who_is_here_wait_in_vain(change: Change) -> None:
    """Who has waited long enough goes on, if connected; who is away keeps the place."""
    assert change.step is not None
    went_on = any(isinstance(effect, ShowNextScene) for effect in change.step.effects)
    place = change.before.place
    over = place.deadline is not None and place.deadline <= change.now
    connected = change.before.link.state is LinkState.CONNECTED
    assert went_on == (over and connected and not nothing_changed(change))
    if went_on:
        assert change.after.place.state is PlaceState.LOBBY
    elif not became_gone(change):
        assert change.after.place == place


@rule(10, PageConnected)
def gives_everything_back(change: Change) -> None:
    """Who comes back in time has the same place, seat and scene."""
    if not is_due(change):
        assert (change.after.place, change.after.scene) == (
            change.before.place,
            change.before.scene,
        )


@rule(10, QueueJoined)
def queues_once(change: Change) -> None:
    """Joining leads from the lobby to the queue; whoever waits or plays has joined already."""
    event, after = change.event, change.after
    assert isinstance(event, QueueJoined)
    if change.before.place.state is not PlaceState.LOBBY:
        assert nothing_changed(change)
        return
    until = None if event.timeout_s is None else change.now + event.timeout_s
    assert (after.place.state, after.place.deadline) == (PlaceState.WAITING, until)
    assert after.place.queued_at == change.now
    assert only_changed(change, "place")


@rule(9, Matched)
def seats_whoever_waits(change: Change) -> None:
    """A match needs no Python, only that it has not failed; the place in the queue is kept."""
    assert can_be_matched(change.before)
    assert change.after.place.state is PlaceState.PLAYING
    assert change.after.place.queued_at == change.before.place.queued_at
    assert only_changed(change, "place")


@rule(9, GameOver)
def leaves_the_seat_with_its_game(change: Change) -> None:
    """A seat is given up with its own game: for the queue, in front or behind, or the study."""
    event, before, after = change.event, change.before, change.after
    assert isinstance(event, GameOver)
    if before.place.game_id != event.game_id:
        assert nothing_changed(change)
    elif event.requeue:
        assert after.place.state is PlaceState.WAITING
        queued_at = before.place.queued_at if event.in_front else change.now
        assert after.place.queued_at == queued_at
        assert only_changed(change, "place")
    else:
        assert (after.place.state, after.scene) == (PlaceState.LOBBY, event.scene)
        assert only_changed(change, "place", "scene")


@rule(12, SceneEntered)
def ends_with_the_study(change: Change) -> None:
    """The last scene ends the session; any other only changes the scene."""
    event = change.event
    assert isinstance(event, SceneEntered)
    assert change.after.scene == event.scene
    assert became_gone(change) == event.final
    if not event.final:
        assert only_changed(change, "scene", "place")
        assert change.after.place.state is PlaceState.LOBBY
