"""The runner, which steps an environment in the browser, and here in plain Python."""

import json
import linecache
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.environment_probe import load_runner
from app.services.static_files import runner_file

grace_runner: Any = load_runner(str(runner_file()))

COUNTING = Path(__file__, "../services/environments/counting.py").resolve().read_text()
FILE = "counting.py"

frames = st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=2), max_size=40)


def run(source: str = COUNTING, **config: Any) -> Any:
    """A runner of the environment in `source`."""
    return grace_runner.Runner(source, FILE, json.dumps(config))


def changed(old: str, new: str) -> str:
    """The small environment with one thing about it changed."""
    assert old in COUNTING
    return COUNTING.replace(old, new)


def raised(action: Callable[[], object]) -> BaseException:
    """What `action` raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - each test looks at it itself
        action()
    return caught.value


def test_an_episode() -> None:
    """An episode has frames, ends when all players are done, and has a result."""
    runner = run(length=3)
    runner.reset(1)
    assert runner.players == ["player_0", "player_1"]
    assert [runner.step("[1, 2]") for _ in range(3)] == [False, False, True]
    assert runner.frame == 3
    result = json.loads(runner.result_json())
    assert result["frames"] == 3
    assert result["rewards"] == {"player_0": 3.0, "player_1": 6.0}
    assert result["ended"] == "terminated"
    assert result["infos"]["player_1"].keys() == {"count"}, "a list is left out"


def test_a_finished_episode_stays_as_it_is() -> None:
    """Steps after the end change nothing: the server's log goes further than the episode."""
    runner = run(length=2)
    runner.reset(1)
    assert runner.replay("[[1,1],[1,1],[1,1],[1,1]]")
    before = runner.state_hash()
    assert runner.step("[5, 5]")
    assert (runner.frame, runner.state_hash()) == (2, before)


@given(frames)
def test_a_replay_equals_the_steps(log: list[list[int]]) -> None:
    """A page that replays the log comes to where the one that played it is."""
    played, replayed = run(), run()
    played.reset(9)
    replayed.reset(9)
    for actions in log:
        played.step(json.dumps(actions))
    over = replayed.replay(json.dumps(log))
    assert over is (len(log) >= 20)
    assert replayed.state_hash() == played.state_hash()
    assert replayed.result_json() == played.result_json()


def test_the_hash_tells_states_apart() -> None:
    """Another seed, another action, another frame: another hash."""
    hashes = set()
    for seed, log in [(1, "[]"), (2, "[]"), (1, "[[0,0]]"), (1, "[[0,1]]"), (1, "[[0,0],[0,0]]")]:
        runner = run()
        runner.reset(seed)
        runner.replay(log)
        hashes.add(runner.state_hash())
    assert len(hashes) == 5


def test_state_goes_before_observations() -> None:
    """An environment with a state() is hashed by it, whatever the order of its keys."""
    with_state = [
        changed(
            "    def render(", f"    def state(self):\n        return {state}\n\n    def render("
        )
        for state in ("{'a': 1, 'b': (2.0,)}", "{'b': [2.0], 'a': 1}", "{'b': [2.5], 'a': 1}")
    ]
    hashes = []
    for source in with_state:
        runner = run(source)
        runner.reset(1)
        hashes.append(runner.state_hash())
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_base_class_of_pettingzoo_has_no_state() -> None:
    """A state() that raises NotImplementedError counts as none."""
    method = "    def state(self):\n        raise NotImplementedError\n\n    def render("
    runner, plain = run(changed("    def render(", method)), run()
    runner.reset(1)
    plain.reset(1)
    assert runner.state_hash() == plain.state_hash()


def test_what_json_does_not_know_is_hashed_too() -> None:
    """Arrays (by tolist), bytes, sets and numbers that are not finite have a canonical form."""
    state = "[Array(), b'x', {'b', 'a'}, float('nan'), -float('inf')]"
    source = changed(
        "    def render(", f"    def state(self):\n        return {state}\n\n    def render("
    )
    source += "\n\nclass Array:\n    def tolist(self):\n        return [1, 2]\n"
    runner = run(source)
    runner.reset(1)
    assert len(runner.state_hash()) == 64


def test_a_player_who_is_done_acts_no_more() -> None:
    """Once a player's episode is over, step() gets only the others' actions, as in PettingZoo."""
    over = "dict.fromkeys(agents, self.steps >= self.length)"
    source = changed(over, "{a: a == 'player_0' or self.steps >= self.length for a in agents}")
    source = source.replace("agents = self.agents\n", "agents = list(actions)\n")
    runner = run(source, length=3)
    runner.reset(1)
    assert [runner.step("[1, 1]") for _ in range(3)] == [False, False, True]
    rewards = json.loads(runner.result_json())["rewards"]
    assert rewards == {"player_0": 1.0, "player_1": 3.0}


def test_a_truncated_episode_says_so() -> None:
    """The result tells an episode that was cut off from one that was played to its end."""
    source = changed(
        "rewards, over, dict.fromkeys(agents, False)", "rewards, dict.fromkeys(agents, False), over"
    )
    runner = run(source, length=1)
    runner.reset(1)
    assert json.loads(runner.result_json())["ended"] is None
    runner.step("[0, 0]")
    assert json.loads(runner.result_json())["ended"] == "truncated"


def test_annotations_of_the_environment_are_its_own() -> None:
    """The runner's own `from __future__` imports do not reach into the environment."""
    run(COUNTING + "\n\ndef f(x: int) -> None: ...\n\nassert f.__annotations__['x'] is int\n")


STEP_RETURNS = "return dict(self.counts), rewards, over, dict.fromkeys(agents, False), infos"


@pytest.mark.parametrize(
    ("old", "new", "sentence", "method"),
    [
        ("def parallel_env", "def env", "defines no parallel_env", None),
        ('f"player_{index}"', "str(index)", "possible_agents must be", "def parallel_env"),
        ("range(players)", "range(0)", "possible_agents must be", "def parallel_env"),
        ("def render", "def draw", "has no render()", "def parallel_env"),
        ("return dict(self.counts), {agent", "return {agent", "reset() must return", "def reset"),
        (
            "return dict(self.counts), {agent: {} for agent in self.agents}",
            "return dict(self.counts), {'player_0': {}}",
            "reset() returned infos without 'player_1'",
            "def reset",
        ),
        (
            STEP_RETURNS,
            "return dict(self.counts), rewards, over, infos",
            "step() must return (observations, rewards, terminations, truncations, infos), "
            "but returned a tuple of 4",
            "def step",
        ),
        (STEP_RETURNS, "return None", "but returned None", "def step"),
        (
            STEP_RETURNS,
            "return [], rewards, over, over, infos",
            "step() returned observations of type list: use a dict",
            "def step",
        ),
        (
            "rewards = {agent: float(actions[agent]) for agent in agents}",
            "rewards = {'player_1': 0.0}",
            "step() returned rewards without 'player_0'",
            "def step",
        ),
        ("float(actions[agent])", "float('nan')", "reward nan for 'player_0'", "def step"),
        ("float(actions[agent])", "'much'", "reward 'much' for 'player_0'", "def step"),
        ('return [{"shape"', 'return {"a": "b"}, [{"shape"', "render() must return", "def render"),
        ('"y": 20', '"y": float("inf")', "render() returned cannot be written", "def render"),
    ],
)
def test_an_environment_that_breaks_the_api(
    old: str, new: str, sentence: str, method: str | None
) -> None:
    """What breaks the API is named in a sentence, with the line where that function begins."""
    source = changed(old, new)

    def play() -> None:
        runner = run(source)
        runner.reset(1)
        runner.step("[0, 0]")
        runner.render_json()

    error = raised(play)
    assert isinstance(error, grace_runner.EnvironmentApiError)
    assert sentence in str(error)
    if method is None:
        assert error.line is None
    else:
        assert method in source.splitlines()[error.line - 1]


def test_a_state_that_is_not_json_is_refused() -> None:
    """A state that has no canonical form cannot be compared, and the sentence says so."""
    source = changed(
        "    def render(", "    def state(self):\n        return object()\n\n    def render("
    )
    runner = run(source)
    runner.reset(1)
    error = raised(runner.state_hash)
    assert str(error) == "What state() returned cannot be written as JSON: object is not JSON."


def test_the_page_cannot_misuse_it() -> None:
    """Stepping before a reset, or with too few actions, is an error and not a wrong game."""
    runner = run()
    assert isinstance(raised(lambda: runner.step("[0, 0]")), RuntimeError)
    runner.reset(1)
    assert isinstance(raised(lambda: runner.step("[0]")), ValueError)
    assert runner.frame == 0


def test_a_traceback_shows_the_environment_only() -> None:
    """Frames and source lines of the environment are shown, those of the runner are not."""
    runner = run(changed("self.steps += 1", "self.steps += 1 / 0"))
    runner.reset(1)
    text = grace_runner.format_traceback(raised(lambda: runner.step("[0, 0]")))
    assert text.startswith('Traceback (most recent call last):\n  File "counting.py", line ')
    assert "self.steps += 1 / 0" in text
    assert text.endswith("ZeroDivisionError: division by zero\n")
    assert "grace_runner" not in text
    assert __file__ not in text


def test_a_chain_of_errors_is_shown() -> None:
    """The cause of an error is shown like the error itself."""
    raising = "\n".join(
        [
            "try:",
            "            {}['missing']",
            "        except KeyError as error:",
            "            raise ValueError('chained') from error",
        ]
    )
    runner = run(changed("self.steps = 0", raising))
    text = grace_runner.format_traceback(raised(lambda: runner.reset(1)))
    assert text.index("KeyError: 'missing'") < text.index("ValueError: chained")
    assert "grace_runner" not in text


def test_a_syntax_error_is_shown_with_its_place() -> None:
    """A file that is not Python is shown with the line that is to blame."""
    text = grace_runner.format_traceback(raised(lambda: run("x = 1\ndef broken(:\n")))
    assert 'File "counting.py", line 2' in text
    assert "SyntaxError" in text
    assert "grace_runner" not in text


def test_an_api_error_is_shown_at_the_function() -> None:
    """The traceback of a broken API leads to the function, though none of its lines raised."""
    runner = run(changed(STEP_RETURNS, "return ()"))
    runner.reset(1)
    text = grace_runner.format_traceback(raised(lambda: runner.step("[0, 0]")))
    assert "in step\n    def step(self" in text
    assert "step() must return (observations" in text


def test_a_long_traceback_loses_its_beginning() -> None:
    """The end of a traceback, which says what happened, fits into the message to the server."""
    runner = run(changed("self.steps = 0", "raise ValueError('long ' * 10_000 + 'end')"))
    text = grace_runner.format_traceback(raised(lambda: runner.reset(1)))
    assert len(text) == grace_runner.MAX_TRACEBACK_CHARS
    assert text.endswith("long end\n")


class TestSnapshots:
    """What is done before a memory snapshot is taken, and after it was restored."""

    @pytest.fixture(autouse=True)
    def tidy(self) -> Iterator[None]:
        """Prepared code is forgotten."""
        yield
        grace_runner._prepared.clear()

    def test_what_was_prepared_is_not_compiled_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only for the same text under the same name; it plays as any other does."""
        grace_runner.prepare(COUNTING, FILE, "{}")
        fresh = run()
        compiled: list[str] = []

        def count(source: str, filename: str, *rest: Any, **more: Any) -> Any:
            compiled.append(filename)
            return compile(source, filename, *rest, **more)

        monkeypatch.setattr(grace_runner, "compile", count, raising=False)
        prepared = run()
        assert compiled == []
        changed_source = changed("count", "total")
        grace_runner.Runner(changed_source, FILE, "{}")
        grace_runner.Runner(COUNTING, "other.py", "{}")
        assert compiled == [FILE, "other.py"]
        for runner in (fresh, prepared):
            runner.reset(3)
            runner.step("[1, 2]")
        assert fresh.state_hash() == prepared.state_hash()

    def test_an_environment_that_cannot_be_played_cannot_be_prepared(self) -> None:
        """Whatever it raises is raised."""
        broken = changed("def render(self)", "def draw(self)")
        error = raised(lambda: grace_runner.prepare(broken, FILE, "{}"))
        assert isinstance(error, grace_runner.EnvironmentApiError)

    def test_settling_leaves_no_environment_behind(self) -> None:
        """Neither its module nor the lines of its source."""
        grace_runner.prepare(COUNTING, FILE, "{}")
        grace_runner.settle()
        assert grace_runner.MODULE_NAME not in sys.modules
        assert FILE not in linecache.cache

    def test_nobody_has_the_random_numbers_of_somebody_else(self) -> None:
        """All who were restored from one snapshot would, as the generator's state is part of it."""
        random.seed(1)
        state = random.getstate()
        drawn = set()
        for _ in range(2):
            random.setstate(state)
            grace_runner.after_restore()
            drawn.add(random.random())
        assert len(drawn) == 2
