"""What waits for a page that cannot hear is merged: little, in order, and still true."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.protocol import ServerEvent
from app.sockets.held import HeldBack, Told

NOW = 1_000_000.0

GAMES = ["g_1", "g_2", "g_3"]
PLAYERS = ["player_0", "player_1"]

MOST = 1 + 1 + 1 + (1 + 1 + 1 + len(PLAYERS) + 1)
"""A scene, a room, the end of a known game; one game with progress, steps, players and its end."""

DEFAULTS: dict[ServerEvent, dict[str, Any]] = {
    ServerEvent.PARTNER_STATUS: {"player": "player_1", "link": "connected"},
    ServerEvent.FRAME_ACTIONS: {"from_frame": 0, "actions": [[0, 0]]},
}


def told(event: ServerEvent, game_id: str | None = None, **payload: Any) -> Told:
    """An event of a game, or of none."""
    fields = {**DEFAULTS.get(event, {}), **payload}
    return event, fields if game_id is None else {"game_id": game_id, **fields}


def after(*events: Told) -> list[Told]:
    """What is left of these, in order."""
    held = HeldBack()
    for event, payload in events:
        held.add(event, payload, NOW)
    waiting = len(held)
    left = held.take(NOW)
    assert (waiting, len(held)) == (len(left), 0)
    return left


E = ServerEvent


def test_what_has_nothing_to_do_with_each_other_is_kept_in_order() -> None:
    """Merging drops what is superseded, and nothing else."""
    events = [
        told(E.WAITING_ROOM, waiting=1),
        told(E.GAME_MATCHED, "g_1"),
        told(E.PARTNER_STATUS, "g_1"),
        told(E.GAME_STARTED, "g_1"),
        told(E.FRAME_ACTIONS, "g_1"),
        told(E.SCENE_ACTIVATED, scene_id="end"),
    ]
    assert after(*events) == events


def test_of_a_waiting_room_the_last_state_counts() -> None:
    """Where it stands is where it was said last."""
    first, second = told(E.WAITING_ROOM, waiting=1), told(E.WAITING_ROOM, waiting=2)
    scene = told(E.SCENE_ACTIVATED, scene_id="match")
    assert after(first, scene, second) == [scene, second]


def test_of_each_partner_the_last_status_counts() -> None:
    """One does not stand for another."""
    one = told(E.PARTNER_STATUS, "g_1", player="player_1", link="busy")
    other = told(E.PARTNER_STATUS, "g_1", player="player_2", link="busy")
    back = told(E.PARTNER_STATUS, "g_1", player="player_1", link="connected")
    assert after(one, other, back) == [other, back]


def test_of_a_games_progress_the_last_step_counts() -> None:
    """Started, paused, resumed: only how it stands."""
    events = [told(event, "g_1") for event in (E.GAME_STARTED, E.GAME_PAUSED, E.GAME_RESUMED)]
    assert after(*events) == events[-1:]


def test_steps_are_put_together() -> None:
    """None is missing, and the first of them says where they begin."""
    one = told(E.FRAME_ACTIONS, "g_1", from_frame=3, actions=[[1, 0], [2, 0]])
    two = told(E.FRAME_ACTIONS, "g_1", from_frame=5, actions=[[3, 0]])
    whole = told(E.FRAME_ACTIONS, "g_1", from_frame=3, actions=[[1, 0], [2, 0], [3, 0]])
    assert after(one, two) == [whole]


def test_the_end_of_a_game_is_all_that_is_left_of_it() -> None:
    """The page learns of the match only if it does not know of it."""
    matched, ended = told(E.GAME_MATCHED, "g_1"), told(E.GAME_ENDED, "g_1")
    others = [told(event, "g_1") for event in (E.GAME_PAUSED, E.FRAME_ACTIONS, E.PARTNER_STATUS)]
    assert after(*others, ended) == [ended]
    assert after(matched, *others, ended) == [matched, ended]


def test_of_games_that_came_and_went_the_last_is_told() -> None:
    """A page that was matched again and again never hears of the games in between."""
    again = [told(event, game) for game in GAMES for event in (E.GAME_MATCHED, E.GAME_ENDED)]
    assert after(*again) == again[-2:]


def test_the_end_of_a_game_that_the_page_knows_is_told_before_the_next() -> None:
    """Else it would go on with both."""
    known_ended = told(E.GAME_ENDED, "g_1")
    matched = told(E.GAME_MATCHED, "g_2")
    assert after(told(E.GAME_PAUSED, "g_1"), known_ended, matched) == [known_ended, matched]


def test_what_was_left_is_less_by_now() -> None:
    """A page counts from when it hears of it; nothing is left of what is over."""
    held = HeldBack()
    held.add(*told(E.WAITING_ROOM, seconds_left=50.0), NOW)
    held.add(*told(E.PARTNER_STATUS, "g_1", seconds_left=10.0), NOW + 5.0)
    held.add(*told(E.PARTNER_STATUS, "g_1", player="player_2", seconds_left=None), NOW)
    left = [payload["seconds_left"] for _, payload in held.take(NOW + 20.0)]
    assert left == [30.0, 0.0, None]


def test_what_begins_or_ends_a_connection_does_not_wait() -> None:
    """Everything else may."""
    assert set(ServerEvent) - HeldBack.EVENTS == {E.SESSION_OPENED, E.SESSION_TAKEN_OVER}


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """What a session may be told in one go: games one after the other, and all else at any time."""
    events = []
    games = draw(st.integers(1, 8))
    known = draw(st.booleans())
    for number in range(games):
        game_id = f"g_{number}"
        if number or not known:
            events.append(told(E.GAME_MATCHED, game_id))
        frame = 0
        for what in draw(st.lists(st.sampled_from("sbrpfwc"), max_size=6)):
            if what == "f":
                actions = [[number, frame]]
                events.append(told(E.FRAME_ACTIONS, game_id, from_frame=frame, actions=actions))
                frame += 1
            elif what == "s":
                player = draw(st.sampled_from(PLAYERS))
                link = draw(st.sampled_from(["busy", "connected"]))
                events.append(told(E.PARTNER_STATUS, game_id, player=player, link=link))
            elif what == "b":
                events.append(told(E.GAME_STARTED, game_id))
            elif what == "w":
                events.append(told(E.WAITING_ROOM, waiting=draw(st.integers(0, 9))))
            elif what == "c":
                events.append(told(E.SCENE_ACTIVATED, scene_id=draw(st.text(max_size=3))))
            else:
                events.append(told(E.GAME_PAUSED if what == "p" else E.GAME_RESUMED, game_id))
        if number < games - 1 or draw(st.booleans()):
            events.append(told(E.GAME_ENDED, game_id))
    return events


def _state(events: list[Told]) -> dict[Any, Any]:
    """What a page believes after these: of everything the last that it heard, of the last game."""
    state: dict[Any, Any] = {}
    for event, payload in events:
        if event in (E.WAITING_ROOM, E.SCENE_ACTIVATED):
            state[event] = payload
        elif event is E.GAME_MATCHED:
            state = {key: value for key, value in state.items() if isinstance(key, ServerEvent)}
            state["game"] = payload["game_id"]
        elif event is E.GAME_ENDED:
            state = {key: value for key, value in state.items() if isinstance(key, ServerEvent)}
            state["ended"] = payload["game_id"]
        elif event is E.PARTNER_STATUS:
            state["partner", payload["player"]] = payload["link"]
        elif event is E.FRAME_ACTIONS:
            assert payload["from_frame"] == len(state.get("steps", []))
            state["steps"] = [*state.get("steps", []), *payload["actions"]]
        else:
            state["progress"] = event
    return state


@given(histories())
def test_the_page_comes_to_believe_the_same_from_little(events: list[Told]) -> None:
    """Whatever happened, what is left is bounded and says as much as all of it."""
    left = after(*events)
    assert len(left) <= MOST
    assert _state(left) == _state(events)
