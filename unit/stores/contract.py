"""What every store keeps. A store's test module inherits it and says how a store is made."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from app.errors import StoreError, UnknownRecord
from app.games import Game, GameState
from app.sessions import Link, LinkState, Record, Session, Step, WhyGone
from app.stores.base import Change, Due, LogEntry, Store
from unit.stores import records
from unit.stores.records import SCENE, STUDY, a_game, a_session, away, waiting

# Every example overwrites the record of the one before, so they may share a store. Several classes
# inherit the test, which would only matter to a database of examples, and none is kept.
_on_one_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    max_examples=25,
)


class _Refused(Exception):
    """A decision that cannot be taken."""


def _keep(store: Store, *sessions: Session) -> None:
    for session in sessions:
        store.create(session, f"hash of {session.id}", [])


def _becomes(session: Session | None, *effects: Record) -> Callable[[Session], Step]:
    return lambda _: Step(session, effects)


def _events(store: Store) -> list[str]:
    return [entry["event"] for entry in store.events()]


class StoreContract:
    """The contract of `app.stores.base.Store`. Subclasses have a fixture `store`, empty."""

    def test_an_empty_store_has_nothing(self, store: Store) -> None:
        """Nothing is found in a new store, and asking is no error."""
        assert store.session("s_1") is None
        assert store.session_id_of("hash of s_1") is None
        assert store.game("g_1") is None
        assert store.alive_at() is None
        assert not store.sessions()
        assert not store.games()
        assert not store.unended_games()
        assert not store.waiting(STUDY, SCENE)
        assert not store.events()
        assert not store.due_before(9e9, 5)

    def test_a_session_is_found_by_its_credential(self, store: Store) -> None:
        """A credential leads to the id of its session, and to no other."""
        _keep(store, a_session("s_1"), a_session("s_2"))
        assert store.session_id_of("hash of s_2") == "s_2"
        assert store.session_id_of("s_2") is None
        assert store.session("s_2") == a_session("s_2")

    @pytest.mark.parametrize("taken", ["id", "credential"])
    def test_a_second_session_of_the_same_name_is_refused(self, store: Store, taken: str) -> None:
        """Neither an id nor a credential is given twice; the log entry goes with the session."""
        _keep(store, a_session("s_1"))
        other = a_session("s_1" if taken == "id" else "s_2", participant="other")
        credential = "hash of s_1" if taken == "credential" else "another"
        with pytest.raises(StoreError):
            store.create(other, credential, [LogEntry(0.0, other.id, "session_opened")])
        assert store.sessions() == [a_session("s_1")]
        assert store.events() == []

    @_on_one_store
    @given(session=records.sessions)
    def test_every_field_of_a_session_comes_back(self, store: Store, session: Session) -> None:
        """A session that was kept is equal to the one that was given, to the last digit."""
        if store.session("s_1") is None:
            _keep(store, a_session("s_1"))
        store.change("s_1", 0.0, _becomes(session))
        assert store.session("s_1") == session
        assert store.sessions() == [session]

    @_on_one_store
    @given(game=records.games)
    def test_every_field_of_a_game_comes_back(self, store: Store, game: Game) -> None:
        """A game that was kept is equal to the one that was given, its result too."""
        store.change_many([], None, lambda *_: Change(game=game))
        assert store.game("g_1") == game
        assert store.games() == [game]

    def test_a_change_keeps_session_and_log_together(self, store: Store) -> None:
        """What was decided is saved, returned, and its records are in the log at that time."""
        _keep(store, a_session("s_1"))
        after = a_session("s_1", epoch=2)
        step = store.change("s_1", 12.5, _becomes(after, Record("link_restored", {"epoch": 2})))
        assert step.session == store.session("s_1") == after
        assert store.events() == [
            {"seq": 1, "at": 12.5, "session_id": "s_1", "event": "link_restored", "epoch": 2}
        ]

    def test_a_change_that_changes_nothing_may_still_be_logged(self, store: Store) -> None:
        """The same session with a record appends the record."""
        _keep(store, a_session("s_1"))
        store.change("s_1", 1.0, lambda session: Step(session, (Record("noted"),)))
        assert _events(store) == ["noted"]

    def test_a_decision_that_raises_leaves_nothing_behind(self, store: Store) -> None:
        """The error comes out as it is; session and log are as before, and the store goes on."""
        _keep(store, a_session("s_1"))

        def refuse(session: Session) -> Step:
            raise _Refused(session.id)

        with pytest.raises(_Refused):
            store.change("s_1", 0.0, refuse)
        assert store.session("s_1") == a_session("s_1")
        assert store.events() == []
        store.change("s_1", 0.0, _becomes(a_session("s_1", epoch=2)))
        assert store.session("s_1") == a_session("s_1", epoch=2)

    def test_a_record_that_cannot_be_logged_undoes_the_change(self, store: Store) -> None:
        """A session is never saved without its log entry."""
        _keep(store, a_session("s_1"))
        unlogged = Record("noted", {"value": object()})
        with pytest.raises(TypeError):
            store.change("s_1", 0.0, _becomes(a_session("s_1", epoch=2), unlogged))
        assert store.session("s_1") == a_session("s_1")
        assert store.events() == []

    def test_a_change_of_nothing_is_refused(self, store: Store) -> None:
        """A session that is not there cannot be changed, and nothing is decided about it."""
        with pytest.raises(UnknownRecord, match="s_1"):
            store.change("s_1", 0.0, _becomes(a_session("s_1")))

    def test_a_pruned_session_is_forgotten_and_its_log_kept(self, store: Store) -> None:
        """A step without a session deletes it, its credential and its deadline, not its log."""
        _keep(store, away(a_session("s_1"), deadline=1.0))
        store.change("s_1", 5.0, _becomes(None, Record("pruned")))
        assert store.session("s_1") is None
        assert store.session_id_of("hash of s_1") is None
        assert store.due_before(9e9, 5) == []
        assert _events(store) == ["pruned"]

    def test_many_change_together(self, store: Store) -> None:
        """Sessions, a game and the log entries of one decision are all there afterwards."""
        _keep(store, a_session("s_1"), a_session("s_2"))
        seen: list[object] = []

        def match(found: Mapping[str, Session], game: Game | None) -> Change:
            seen.extend([dict(found), game])
            moved = [replace(session, epoch=9) for session in found.values()]
            return Change(moved, a_game("g_1"), [LogEntry(3.0, None, "game_matched")])

        change = store.change_many(["s_1", "s_2", "nobody"], "g_1", match)
        assert seen == [{"s_1": a_session("s_1"), "s_2": a_session("s_2")}, None]
        assert [session.epoch for session in store.sessions()] == [9, 9]
        assert store.game("g_1") == a_game("g_1") == change.game
        assert store.events() == [
            {"seq": 1, "at": 3.0, "session_id": None, "event": "game_matched"}
        ]

    def test_many_change_all_or_none(self, store: Store) -> None:
        """When one part cannot be kept, none is: no session, no game, no log entry."""
        _keep(store, a_session("s_1"), a_session("s_2"))

        def decide(found: Mapping[str, Session], _: Game | None) -> Change:
            moved = [replace(session, epoch=9) for session in found.values()]
            unlogged = LogEntry(0.0, None, "noted", {"value": object()})
            return Change(moved, a_game("g_1"), [LogEntry(0.0, None, "kept"), unlogged])

        with pytest.raises(TypeError):
            store.change_many(["s_1", "s_2"], "g_1", decide)
        assert store.sessions() == [a_session("s_1"), a_session("s_2")]
        assert store.game("g_1") is None
        assert store.events() == []

    def test_a_decision_about_many_that_raises_leaves_nothing_behind(self, store: Store) -> None:
        """The error comes out as it is, and the store goes on."""

        def refuse(_: Mapping[str, Session], game: Game | None) -> Change:
            raise _Refused(str(game))

        with pytest.raises(_Refused):
            store.change_many([], "g_1", refuse)
        store.change_many([], None, lambda *_: Change(game=a_game()))
        assert store.games() == [a_game()]

    def test_a_sign_of_life_belongs_to_its_change(self, store: Store) -> None:
        """It is there with the rest of the change, and without the rest it is not."""
        store.mark_alive(1.0)
        store.change_many([], None, lambda *_: Change(game=a_game()))
        assert store.alive_at() == 1.0
        store.change_many([], None, lambda *_: Change(alive_at=2.0))
        assert store.alive_at() == 2.0
        unlogged = LogEntry(0.0, None, "noted", {"value": object()})
        with pytest.raises(TypeError):
            store.change_many([], None, lambda *_: Change(entries=[unlogged], alive_at=3.0))
        assert store.alive_at() == 2.0

    def test_a_game_that_exists_is_handed_over_and_replaced(self, store: Store) -> None:
        """The decision sees the game as it is kept, and what it returns takes its place."""
        store.change_many([], None, lambda *_: Change(game=a_game()))
        over = a_game(state=GameState.ENDED, reason="completed")
        seen: list[Game | None] = []

        def end(_: Mapping[str, Session], game: Game | None) -> Change:
            seen.append(game)
            return Change(game=over)

        store.change_many([], "g_1", end)
        assert seen == [a_game()]
        assert store.games() == [over]

    def test_due_comes_the_longest_due_first(self, store: Store) -> None:
        """Sessions and games stand in one order, by deadline; the one at `now` is due."""
        _keep(
            store,
            away(a_session("s_1", epoch=4), deadline=30.0),
            away(a_session("s_2"), deadline=10.0),
            away(a_session("s_3"), deadline=31.0),
            a_session("s_4"),
        )
        for game in (a_game("g_1", deadline=20.0), a_game("g_2", deadline=40.0), a_game("g_3")):
            store.change_many([], None, lambda *_, game=game: Change(game=game))
        assert store.due_before(30.0, 10) == [
            Due("session", "s_2", 10.0, 1),
            Due("game", "g_1", 20.0, 0),
            Due("session", "s_1", 30.0, 4),
        ]
        assert store.due_before(9.9, 10) == []

    def test_due_is_limited_over_both_kinds(self, store: Store) -> None:
        """The limit holds for all that is due, and what it leaves out is what can wait longest."""
        _keep(store, *[away(a_session(f"s_{n}"), deadline=2.0 * n) for n in range(4)])
        for n in range(4):
            game = a_game(f"g_{n}", deadline=2.0 * n + 1)
            store.change_many([], None, lambda *_, game=game: Change(game=game))
        assert [due.deadline for due in store.due_before(100.0, 5)] == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert store.due_before(100.0, 0) == []

    def test_a_deadline_moves_with_its_record(self, store: Store) -> None:
        """The deadline that is searched is the record's: a new one moves it, none takes it away."""
        _keep(store, away(a_session("s_1"), deadline=10.0))
        store.change("s_1", 0.0, _becomes(away(a_session("s_1", epoch=2), deadline=20.0)))
        assert store.due_before(15.0, 5) == []
        assert store.due_before(20.0, 5) == [Due("session", "s_1", 20.0, 2)]
        store.change("s_1", 0.0, _becomes(a_session("s_1", epoch=3)))
        assert store.due_before(9e9, 5) == []

    def test_the_time_until_pruning_is_a_deadline(self, store: Store) -> None:
        """A session that is gone comes up once more, to be pruned."""
        gone = Link(state=LinkState.GONE, since=0.0, deadline=50.0, why=WhyGone.LEFT)
        _keep(store, a_session("s_1", link=gone))
        assert store.due_before(50.0, 5) == [Due("session", "s_1", 50.0, 1)]

    def test_who_waits_comes_in_the_order_of_the_queue(self, store: Store) -> None:
        """First come first, whoever was created or changed first; a tie is settled by the id."""
        _keep(
            store,
            waiting(a_session("s_1", created_at=0.0), queued_at=30.0),
            waiting(a_session("s_3", created_at=1.0), queued_at=10.0),
            waiting(a_session("s_2", created_at=2.0), queued_at=10.0),
        )
        store.change("s_2", 0.0, lambda session: Step(replace(session, epoch=2)))
        assert [one.id for one in store.waiting(STUDY, SCENE)] == ["s_2", "s_3", "s_1"]

    def test_a_waiting_room_is_of_one_scene_of_one_study(self, store: Store) -> None:
        """Nobody of another scene, another study or another place is in it."""
        here = waiting(a_session("s_1"), queued_at=1.0)
        _keep(
            store,
            here,
            replace(waiting(a_session("s_2"), queued_at=1.0), study="another"),
            replace(here, id="s_3", scene=replace(here.scene, scene_id="another")),
            a_session("s_4"),
        )
        assert store.waiting(STUDY, SCENE) == [here]
        store.change("s_1", 0.0, _becomes(a_session("s_1")))
        assert store.waiting(STUDY, SCENE) == []

    def test_lists_begin_with_the_oldest(self, store: Store) -> None:
        """Sessions and games come in the order of their making, whenever they were changed."""
        _keep(store, a_session("s_2", created_at=1.0), a_session("s_1", created_at=2.0))
        for game in (a_game("g_1", created_at=9.0), a_game("g_2", created_at=8.0)):
            store.change_many([], None, lambda *_, game=game: Change(game=game))
        store.change("s_2", 0.0, lambda session: Step(replace(session, epoch=5)))
        assert [session.id for session in store.sessions()] == ["s_2", "s_1"]
        assert [game.id for game in store.games()] == ["g_2", "g_1"]

    def test_unended_games_are_named_until_they_end(self, store: Store) -> None:
        """Matched, running and paused games are unended, the oldest first."""
        for index, state in enumerate(GameState):
            game = a_game(f"g_{index}", created_at=-float(index), state=state)
            store.change_many([], None, lambda *_, game=game: Change(game=game))
        assert store.unended_games() == ["g_2", "g_1", "g_0"]

    def test_the_log_is_numbered_and_ordered(self, store: Store) -> None:
        """Entries keep the order in which they came, each with the next number."""
        store.append([LogEntry(2.0, "s_1", "first", {"n": 1}), LogEntry(1.0, None, "second")])
        store.append([LogEntry(0.0, "s_2", "third", {"deep": {"list": [1, None, "é"]}})])
        assert store.events() == [
            {"seq": 1, "at": 2.0, "session_id": "s_1", "event": "first", "n": 1},
            {"seq": 2, "at": 1.0, "session_id": None, "event": "second"},
            {"seq": 3, "at": 0.0, "session_id": "s_2", "event": "third",
             "deep": {"list": [1, None, "é"]}},
        ]  # fmt: skip

    def test_the_log_is_read_in_parts(self, store: Store) -> None:
        """`after` is the last number that is known, `limit` how many follow at most."""
        store.append([LogEntry(0.0, None, f"event_{n}") for n in range(1, 6)])
        assert [entry["seq"] for entry in store.events(after=3)] == [4, 5]
        assert [entry["seq"] for entry in store.events(limit=2)] == [1, 2]
        assert [entry["seq"] for entry in store.events(after=1, limit=2)] == [2, 3]
        assert store.events(after=5) == store.events(limit=0) == []

    def test_a_field_cannot_pass_for_the_entry(self, store: Store) -> None:
        """The number, the time, the session and the name of an entry are not overwritten."""
        fields = {"seq": 99, "at": 99, "session_id": "other", "event": "other", "n": 1}
        store.append([LogEntry(1.0, "s_1", "noted", fields)])
        assert store.events() == [
            {"seq": 1, "at": 1.0, "session_id": "s_1", "event": "noted", "n": 1}
        ]

    def test_the_last_sign_of_life_is_kept(self, store: Store) -> None:
        """Each `mark_alive` replaces the one before."""
        store.mark_alive(1.5)
        store.mark_alive(2.5)
        assert store.alive_at() == 2.5
