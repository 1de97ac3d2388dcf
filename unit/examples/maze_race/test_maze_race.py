"""A race in which both have the same way, and which two browsers play alike."""

import importlib.metadata
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

import app.examples.maze_race
from app.examples.maze_race import maze_race
from app.examples.maze_race.maze_race import (
    BACK,
    DOWN,
    LEFT,
    MOVES,
    RACE,
    READY,
    READY_STEPS,
    RIGHT,
    STEPS_PER_CELL,
    UP,
    WON,
    WON_STEPS,
    MazeRace,
    build_maze,
    parallel_env,
)
from app.python.lock import LOCK_NAME, read_lock
from app.services.environment_probe import check_shapes

AGENTS = ["player_0", "player_1"]
FOLDER = Path(app.examples.maze_race.__path__[0])
STARTS = [(0, 4), (16, 4)]


def started(seed: int = 1, **config: Any) -> MazeRace:
    """A game whose countdown is over."""
    game = parallel_env(**config)
    game.reset(seed)
    for _ in range(READY_STEPS):
        play(game, 0, 0)
    assert game.phase == RACE
    return game


def play(game: MazeRace, *actions: Any) -> dict[str, float]:
    """Play one step; returns the rewards."""
    return game.step(dict(zip(AGENTS, actions, strict=True)))[1]


def way_to_flag(game: MazeRace, side: int) -> list[int]:
    """The directions of a shortest way."""
    way = nx.shortest_path(game.maze.graph, game.runners[side].cell, game.maze.flag)
    steps = {move: direction for direction, move in MOVES.items()}
    return [steps[b[0] - a[0], b[1] - a[1]] for a, b in itertools.pairwise(way)]


def run_to_flag(game: MazeRace, *sides: int) -> dict[str, float]:
    """Let some run a shortest way while the others stand; returns the last rewards."""
    ways = {side: way_to_flag(game, side) for side in sides}
    rewards: dict[str, float] = {}
    for number in range(len(ways[sides[0]])):
        actions = [ways[side][number] if side in ways else 0 for side in (0, 1)]
        for _ in range(STEPS_PER_CELL):
            rewards = play(game, *actions)
    return rewards


@pytest.mark.parametrize("seed", range(20))
def test_every_maze_is_fair(seed: int) -> None:
    """All cells can be reached, and the flag is equally far from both, and not near."""
    maze = build_maze(17, 9, STARTS, random.Random(seed))
    assert len(maze.steps_left) == 17 * 9
    assert nx.is_connected(maze.graph)
    assert maze.steps_left[STARTS[0]] == maze.steps_left[STARTS[1]] >= 8
    assert maze.graph.number_of_edges() >= 17 * 9 - 1


def test_mazes_have_more_than_one_way() -> None:
    """Some walls of the tree are opened, so that there is something to choose."""
    opened = [
        build_maze(17, 9, STARTS, random.Random(seed)).graph.number_of_edges() - (17 * 9 - 1)
        for seed in range(10)
    ]
    assert all(4 <= more <= 30 for more in opened)


def test_walls_stand_where_no_way_is() -> None:
    """What is drawn is what holds a runner back."""
    maze = build_maze(5, 3, [(0, 1), (4, 1)], random.Random(3))
    lines = {
        line
        for x1, y1, x2, y2 in maze.walls
        for line in (
            [(x, y1, x + 1, y1) for x in range(x1, x2)]
            + [(x1, y, x1, y + 1) for y in range(y1, y2)]
        )
    }
    for x in range(5):
        for y in range(3):
            assert ((x + 1, y, x + 1, y + 1) in lines) != maze.graph.has_edge((x, y), (x + 1, y))
            assert ((x, y + 1, x + 1, y + 1) in lines) != maze.graph.has_edge((x, y), (x, y + 1))


def test_nobody_runs_before_the_countdown_ends() -> None:
    """Both look at the maze for as long."""
    game = parallel_env()
    game.reset(1)
    for _ in range(READY_STEPS - 1):
        play(game, 15, 15)
        assert game.phase == READY
    assert [runner.cell for runner in game.runners] == game.starts


def test_a_step_from_cell_to_cell_takes_its_time() -> None:
    """A runner that has set out arrives, whatever is held meanwhile, and not through a wall."""
    game = started()
    first = way_to_flag(game, 0)[0]
    dx, dy = MOVES[first]
    x, y = game.runners[0].cell
    play(game, first, 0)
    for _ in range(STEPS_PER_CELL - 1):
        assert game.runners[0].cell == (x, y)
        play(game, BACK[first], 0)
    assert game.runners[0].cell == (x + dx, y + dy)
    blocked = [one for one in MOVES if not game._open(game.runners[1].cell) & one]
    assert blocked, "a start is never open on the side of the border"
    for _ in range(3 * STEPS_PER_CELL):
        play(game, 0, blocked[0])
    assert game.runners[1].cell == game.starts[1]


@pytest.mark.parametrize(
    ("last", "held", "open_ways", "chosen"),
    [
        (RIGHT, RIGHT | UP, RIGHT | UP, UP),
        (RIGHT, RIGHT | UP, RIGHT | LEFT, RIGHT),
        (RIGHT, LEFT, RIGHT | LEFT, LEFT),
        (RIGHT, LEFT | RIGHT, LEFT | RIGHT, RIGHT),
        (0, LEFT | RIGHT, LEFT | RIGHT, LEFT),
        (UP, 0, 15, 0),
        (DOWN, UP, DOWN, 0),
    ],
)
def test_turning_off_goes_before_going_on(
    last: int, held: int, open_ways: int, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two keys held, a runner takes the first turn that opens."""
    game = started()
    monkeypatch.setattr(game, "_open", lambda cell: open_ways)
    game.runners[0].last = last
    assert game._choose(game.runners[0], held) == chosen


@pytest.mark.parametrize("winner", [0, 1])
def test_the_first_at_the_flag_wins_the_round(winner: int) -> None:
    """That is 1 for one and -1 for the other, and then a new maze."""
    game = started()
    maze = game.maze
    rewards = run_to_flag(game, winner)
    assert rewards == {AGENTS[winner]: 1.0, AGENTS[1 - winner]: -1.0}
    assert game.phase == WON
    assert game.scores[winner] == 1
    for _ in range(WON_STEPS):
        assert set(play(game, 15, 15).values()) == {0.0}
    assert game.phase == READY
    assert game.maze.walls != maze.walls
    assert [runner.cell for runner in game.runners] == game.starts


def test_both_at_once_is_nobodys_round() -> None:
    """The ways are equally long, so two who make no mistake arrive together."""
    game = started()
    assert set(run_to_flag(game, 0, 1).values()) == {0.0}
    assert (game.phase, game.scores, game.detours) == (WON, [0, 0], [0, 0])


def test_the_race_ends_and_says_how() -> None:
    """At the last round it is over for both, with what the export will have."""
    game = started(rounds_to_win=1)
    way = way_to_flag(game, 0)
    for _ in range(STEPS_PER_CELL):
        play(game, way[0], 0)
    for _ in range(STEPS_PER_CELL):
        play(game, BACK[way[0]], 0)
    run_to_flag(game, 0)
    assert game.agents == []
    assert [game._info(side) for side in (0, 1)] == [
        {"rounds_won": 1, "rounds_lost": 0, "detour_cells": 2},
        {"rounds_won": 0, "rounds_lost": 1, "detour_cells": 0},
    ]
    assert game.step({}) == ({}, {}, {}, {}, {})


def test_time_runs_out() -> None:
    """A race in which nobody runs is cut off."""
    game = parallel_env(max_steps=3)
    game.reset(1)
    ends = [game.step(dict.fromkeys(AGENTS, 0))[3] for _ in range(3)]
    assert [end["player_0"] for end in ends] == [False, False, True]


def test_an_observation_is_enough_to_find_the_way() -> None:
    """Who always takes the neighbour that is nearer to the flag wins."""
    game = started(rounds_to_win=1)
    for _ in range(400):
        if not game.agents:
            break
        own = game._observe(0)
        open_ways = [one for one in MOVES if own[8] & one]
        nearer = [
            one
            for one in open_ways
            if game.maze.steps_left[own[0] + MOVES[one][0], own[1] + MOVES[one][1]] < own[2]
        ]
        play(game, nearer[0], 0)
    assert game.scores == [1, 0]


@pytest.mark.parametrize("action", [None, "left", 1.5, [1]])
def test_what_is_no_action_counts_as_none(action: object) -> None:
    """Whatever a browser sends, everybody's game goes on alike."""
    game = started()
    play(game, action, action)
    assert [runner.moved for runner in game.runners] == [0, 0]


@pytest.mark.parametrize(
    "config",
    [{"columns": 6}, {"columns": 3}, {"rows": 2}, {"rounds_to_win": 0}, {"max_steps": 0}],
    ids=str,
)
def test_what_makes_no_race_is_refused(config: dict[str, int]) -> None:
    """With an even number of columns, no cell would be equally far from both."""
    with pytest.raises(ValueError, match="must be"):
        parallel_env(**config)


def test_every_picture_can_be_drawn() -> None:
    """In every phase, in both shapes of a maze, within the canvas."""
    for config in ({}, {"columns": 5, "rows": 17}):
        game = parallel_env(rounds_to_win=1, **config)
        game.reset(2)
        pictures = [game.render()]
        for _ in range(READY_STEPS):
            play(game, 0, 0)
        pictures.append(game.render())
        run_to_flag(game, 1)
        pictures.append(game.render())
        for picture in pictures:
            check_shapes(json.loads(json.dumps(picture)))
            for shape in picture:
                assert 0 <= shape.get("x", 0) <= maze_race.WIDTH
                assert 0 <= shape.get("y", 0) <= maze_race.HEIGHT


PLAYED = """
import random, sys
from app.examples.maze_race.maze_race import parallel_env
game, generator = parallel_env(), random.Random(7)
game.reset(seed=7)
for _ in range(600):
    game.step({agent: generator.randrange(16) for agent in game.agents})
print(game.state())
"""


def test_the_hash_seed_changes_nothing() -> None:
    """Nothing depends on the order of a set: two processes with other hashes play alike."""
    states = {
        subprocess.run(
            [sys.executable, "-c", PLAYED],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(FOLDER.parents[2])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(states) == 1


def test_a_seed_fixes_all_mazes() -> None:
    """And another seed means others."""
    walls = []
    for seed in (1, 1, 2):
        game = parallel_env()
        game.reset(seed)
        walls.append(game.maze.walls)
    assert walls[0] == walls[1] != walls[2]


def test_it_is_tested_with_what_is_locked() -> None:
    """These tests run with the version of NetworkX that participants get."""
    lock = read_lock(FOLDER / LOCK_NAME)
    assert lock is not None
    assert [wheel.pin for wheel in lock.wheels] == [
        f"networkx=={importlib.metadata.version('networkx')}"
    ]


def test_spaces_and_counts_are_told() -> None:
    """As PettingZoo's API has them."""
    game = parallel_env()
    assert game.max_num_agents == 2
    assert game.num_agents == 0
    observations, infos = game.reset(1)
    assert game.num_agents == 2
    assert [len(observations[agent]) for agent in AGENTS] == [9, 9]
    assert game.observation_space("player_0")["shape"] == [9]
    assert game.action_space("player_0")["n"] == 16
    assert set(infos) == set(AGENTS)
    game.close()
