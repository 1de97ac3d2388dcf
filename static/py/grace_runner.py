"""Steps one environment: in the browser, inside Pyodide, and on the server to check it at start.

The environment is one Python file that defines `parallel_env(**config)`, which returns an object
with PettingZoo's parallel API (https://pettingzoo.farama.org/api/parallel/) and a `render()` that
returns a list of shapes. Only strings, numbers and booleans pass between this module and the page,
so that no proxy has to be destroyed there.

Plain standard library, for Python 3.11 and later.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import linecache
import math
import sys
import traceback
import types
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

MODULE_NAME = "grace_environment"
"""Name that the environment's module has in `sys.modules`, whatever its file is called."""

MAX_TRACEBACK_CHARS = 16_000
"""Longest traceback that the server accepts."""


_prepared: dict[str, tuple[str, types.CodeType]] = {}


class EnvironmentApiError(Exception):
    """The environment does not keep to the API.

    Attributes:
        method: the function of the environment that is to blame.
        filename, line: where that function begins, or None when it is not in the environment file.
    """

    def __init__(self, sentence: str, method: str, function: object, filename: str) -> None:
        super().__init__(sentence)
        self.method = method
        code = getattr(function, "__code__", None)
        inside = code is not None and code.co_filename == filename
        self.filename: str | None = filename if inside else None
        self.line: int | None = code.co_firstlineno if code is not None and inside else None


def prepare(source: str, filename: str, config_json: str) -> None:
    """Import whatever an environment will need, for a memory snapshot.

    The environment is constructed and played for a step, then thrown away; its compiled code is
    kept for a `Runner` of the same source and file name. Raises what `Runner` raises.
    """
    _prepared[filename] = source, compile(source, filename, "exec", dont_inherit=True)
    runner = Runner(source, filename, config_json)
    runner.reset(0)
    runner.step(json.dumps([0] * len(runner.players)))
    runner.render_json()
    runner.state_hash()
    runner.result_json()


def settle() -> None:
    """Throw away what a memory snapshot need not hold."""
    sys.modules.pop(MODULE_NAME, None)
    linecache.clearcache()
    importlib.invalidate_caches()
    gc.collect()


def after_restore() -> None:
    """Make fresh what must not be the same for everybody who was restored from one snapshot.

    The generator behind the functions of `random` is seeded anew. `secrets`, `uuid.uuid4` and
    `random.SystemRandom` ask the browser each time; clocks are the browser's. The names that
    `tempfile` makes may be the same for all, each in a file system of their own, and so may the
    node of `uuid.uuid1`, beside the time. Of a `random.Random()` that a package has made without a
    seed when it was imported nobody knows, and the hash seed stays that of the snapshot: what
    depends on either would differ between the players of one game in any case.
    """
    if "random" in sys.modules:
        sys.modules["random"].seed()
    importlib.invalidate_caches()


class Runner:
    """One environment and the episode that it is in.

    Attributes:
        players: names of the agents, player_0 to player_{n-1}.
        frame: number of steps applied since the reset.
    """

    def __init__(self, source: str, filename: str, config_json: str) -> None:
        """Execute `source` as a module and construct its environment.

        `filename` is what tracebacks call the file; `config_json` is an object whose members become
        the keyword arguments of `parallel_env`. Raises EnvironmentApiError, or whatever the
        environment raises.
        """
        self.frame = 0
        self._filename = filename
        # A None mtime marks source that is not on disk, and linecache keeps it.
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
        module = types.ModuleType(MODULE_NAME)
        module.__file__ = filename
        sys.modules[MODULE_NAME] = module
        code = _compiled(source, filename)
        exec(code, module.__dict__)  # noqa: S102 - executing it is what this module is for
        make = getattr(module, "parallel_env", None)
        if not callable(make):
            raise self._broken("parallel_env", None, "The file defines no parallel_env().")
        self._env: Any = make(**json.loads(config_json))
        self.players: list[str] = list(getattr(self._env, "possible_agents", ()))
        expected = [f"player_{index}" for index in range(len(self.players))]
        if not self.players or self.players != expected:
            raise self._broken(
                "parallel_env",
                make,
                "possible_agents must be ['player_0', 'player_1', ...], "
                f"but parallel_env() returned an object that has {self.players!r}.",
            )
        for method in ("reset", "step", "render"):
            if not callable(getattr(self._env, method, None)):
                raise self._broken("parallel_env", make, f"The environment has no {method}().")
        self._started = False
        self._active: list[str] = []
        self._over = False
        self._truncated = False
        self._observations: Mapping[str, Any] = {}
        self._totals: dict[str, float] = {}
        self._infos: Mapping[str, Any] = {}

    def reset(self, seed: int) -> None:
        """Begin an episode at frame 0."""
        returned = self._env.reset(seed=seed)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise self._wrong_return("reset", "(observations, infos)", returned)
        observations, infos = returned
        self._check_players("reset", "observations", observations, self.players)
        self._check_players("reset", "infos", infos, self.players)
        self._observations, self._infos = observations, infos
        self._totals = dict.fromkeys(self.players, 0.0)
        self._active = list(self.players)
        self._over = self._truncated = False
        self._started = True
        self.frame = 0

    def step(self, actions_json: str) -> bool:
        """Apply one step and return whether the episode is over.

        `actions_json` is the list of every player's action, in the order of `players`. An episode
        that is over stays as it is.
        """
        return self._apply(json.loads(actions_json))

    def replay(self, frames_json: str) -> bool:
        """Apply a list of steps and return whether the episode is over.

        Steps after the end of the episode are ignored: because of the input delay, the server's log
        goes a few steps further than the episode.
        """
        for actions in json.loads(frames_json):
            if self._apply(actions):
                break
        return self._over

    def render_json(self) -> str:
        """Return what `render()` draws now, as a JSON list of shapes."""
        shapes = self._env.render()
        if not isinstance(shapes, list):
            raise self._wrong_return("render", "a list of shapes", shapes)
        return self._encode("render", shapes, allow_nan=False)

    def state_hash(self) -> str:
        """Return the SHA-256 (hex) of the state, equal in two browsers that agree.

        The state is the environment's `state()`, or the last observations and the rewards so far
        when it has none. It is written as JSON with sorted keys; a float is written as its `repr`,
        which keeps every bit of it.
        """
        state = self._global_state()
        if state is None:
            state = {"observations": self._observations, "rewards": self._totals}
        text = self._encode("state", [self.frame, state], allow_nan=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def result_json(self) -> str:
        """Return the episode's outcome so far.

        `{frames, rewards, ended, infos}`: the sum of each player's rewards; "terminated",
        "truncated" or null; the numbers, strings and booleans of each player's last info.
        """
        ended = "truncated" if self._truncated else "terminated"
        infos = {
            player: {key: value for key, value in info.items() if _is_plain(value)}
            for player, info in self._infos.items()
            if isinstance(info, Mapping)
        }
        result = {
            "frames": self.frame,
            "rewards": self._totals,
            "ended": ended if self._over else None,
            "infos": infos,
        }
        return self._encode("step", result, allow_nan=False)

    def _apply(self, actions: Sequence[Any]) -> bool:
        if not self._started:
            raise RuntimeError("step() before reset()")
        if self._over:
            return True
        if len(actions) != len(self.players):
            raise ValueError(f"{len(actions)} actions for {len(self.players)} players")
        active = self._active
        by_player = dict(zip(self.players, actions, strict=True))
        if len(active) < len(self.players):
            by_player = {player: by_player[player] for player in active}
        returned = self._env.step(by_player)
        if not isinstance(returned, tuple) or len(returned) != 5:
            shape = "(observations, rewards, terminations, truncations, infos)"
            raise self._wrong_return("step", shape, returned)
        observations, rewards, terminations, truncations, infos = returned
        self._check_players("step", "observations", observations, active)
        self._check_players("step", "rewards", rewards, active)
        self._check_players("step", "terminations", terminations, active)
        self._check_players("step", "truncations", truncations, active)
        self._check_players("step", "infos", infos, active)
        for player in active:
            reward = rewards[player]
            if not isinstance(reward, Real) or not math.isfinite(reward):
                what = f"step() returned the reward {reward!r} for {player!r}: it must be finite."
                raise self._broken("step", self._method("step"), what)
            self._totals[player] += float(reward)
        self.frame += 1
        self._observations, self._infos = observations, infos
        self._truncated = any(truncations[player] for player in active)
        self._active = [
            player for player in active if not (terminations[player] or truncations[player])
        ]
        # PettingZoo empties `agents` at the end; an environment may do without that list.
        self._over = not self._active or not getattr(self._env, "agents", self._active)
        return self._over

    def _global_state(self) -> Any:
        if not callable(getattr(self._env, "state", None)):
            return None
        try:
            return self._env.state()
        except NotImplementedError:
            # PettingZoo's base class has a state() that only raises this.
            return None

    def _check_players(
        self, method: str, what: str, returned: object, players: Sequence[str]
    ) -> None:
        if not isinstance(returned, Mapping):
            sentence = f"{method}() returned {what} of type {type(returned).__name__}: use a dict."
            raise self._broken(method, self._method(method), sentence)
        for player in players:
            if player not in returned:
                sentence = f"{method}() returned {what} without {player!r}."
                raise self._broken(method, self._method(method), sentence)

    def _encode(self, method: str, value: object, *, allow_nan: bool) -> str:
        try:
            return json.dumps(
                value,
                sort_keys=True,
                separators=(",", ":"),
                allow_nan=allow_nan,
                default=_plain,
            )
        except (TypeError, ValueError, RecursionError) as error:
            sentence = f"What {method}() returned cannot be written as JSON: {error}."
            raise self._broken(method, self._method(method), sentence) from None

    def _wrong_return(self, method: str, expected: str, returned: object) -> EnvironmentApiError:
        got = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else repr(returned)[:80]
        sentence = f"{method}() must return {expected}, but returned {got}."
        return self._broken(method, self._method(method), sentence)

    def _method(self, name: str) -> object:
        return getattr(type(self._env), name, None)

    def _broken(self, method: str, function: object, sentence: str) -> EnvironmentApiError:
        return EnvironmentApiError(sentence, method, function, self._filename)


def format_traceback(exc: BaseException) -> str:
    """Return the traceback as the environment's author should see it, without this file's frames.

    What called this module is left out too. A traceback longer than MAX_TRACEBACK_CHARS loses its
    beginning.
    """
    report = traceback.TracebackException.from_exception(exc)
    _drop_own_frames(report)
    if isinstance(exc, EnvironmentApiError) and exc.filename is not None:
        report.stack.append(traceback.FrameSummary(exc.filename, exc.line, exc.method))
    return "".join(report.format())[-MAX_TRACEBACK_CHARS:]


def _compiled(source: str, filename: str) -> types.CodeType:
    prepared = _prepared.get(filename)
    if prepared is not None and prepared[0] == source:
        return prepared[1]
    return compile(source, filename, "exec", dont_inherit=True)


def _drop_own_frames(report: traceback.TracebackException) -> None:
    own = format_traceback.__code__.co_filename
    filenames = [frame.filename for frame in report.stack]
    if own in filenames:
        below = report.stack[filenames.index(own) :]
        report.stack[:] = [frame for frame in below if frame.filename != own]
    for inner in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if inner is not None:
            _drop_own_frames(inner)


def _plain(value: object) -> object:
    """Turn what JSON does not know into what it does: arrays, numbers of NumPy, bytes, sets."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int)
