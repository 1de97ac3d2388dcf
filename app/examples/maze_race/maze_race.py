"""Maze race: two runners, one maze, and a flag that is equally far from both.

The mazes are graphs of NetworkX (https://networkx.org/): a spanning tree of a grid with random
weights, and a few more openings, so that there is more than one way. The interface is PettingZoo's
parallel API (https://pettingzoo.farama.org/api/parallel/) without the package. A cell is named by
its column and its row, counted from the top left; a step is 1/30 s.

Two browsers that step the same seed with the same actions stay equal: all that the game depends on
is integers and random numbers of one generator, and nothing is taken from a set.

An action is a bit mask: 1 runs left, 2 right, 4 up, 8 down; anything but an integer counts as 0.
Where several ways are open, a runner turns off rather than going straight on. An observation is
nine numbers: column, row and steps to the flag of oneself, the same of the other, column and row of
the flag, and the mask of the directions that are open to oneself.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, ClassVar

import networkx as nx

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
MOVES = {LEFT: (-1, 0), RIGHT: (1, 0), UP: (0, -1), DOWN: (0, 1)}
BACK = {LEFT: RIGHT, RIGHT: LEFT, UP: DOWN, DOWN: UP}

WIDTH, HEIGHT = 800, 480
STEPS_PER_S = 30
STEPS_PER_CELL = 5
OPENINGS = 8  # of 100 walls that the tree leaves, so many are opened

READY_STEPS = 75  # both look at the maze while a countdown runs
WON_STEPS = 60  # the shortest way is shown
COUNTDOWN_FROM = 3

READY, RACE, WON = 0, 1, 2  # phases of a round

Cell = tuple[int, int]
Shape = dict[str, Any]
Step = tuple[
    dict[str, list[int]],
    dict[str, float],
    dict[str, bool],
    dict[str, bool],
    dict[str, dict[str, int]],
]


def parallel_env(
    rounds_to_win: int = 3,
    max_steps: int = STEPS_PER_S * 180,
    columns: int = 17,
    rows: int = 9,
) -> MazeRace:
    """Return the game. It ends at `rounds_to_win`, and is cut off after `max_steps` steps."""
    return MazeRace(rounds_to_win, max_steps, columns, rows)


@dataclass(slots=True)
class Maze:
    """One maze.

    Attributes:
        graph: its cells, joined where nothing is between them.
        flag: the cell that both run to.
        steps_left: steps from each cell to the flag.
        walls: lines in cells (x1, y1, x2, y2), for drawing.
    """

    graph: Any
    flag: Cell
    steps_left: dict[Cell, int]
    walls: list[tuple[int, int, int, int]]


@dataclass(slots=True)
class Runner:
    """A runner stands in `cell`, or is `moved` steps on its way from there to `to`."""

    cell: Cell
    to: Cell
    moved: int = 0
    last: int = 0
    cells: int = 0
    trail: dict[Cell, None] = field(default_factory=dict)


def build_maze(columns: int, rows: int, starts: list[Cell], generator: random.Random) -> Maze:
    """Build a maze that is fair: its flag is equally far from both starts, and as far as can be.

    The starts are an even number of columns and rows apart, so some cell is equally far from both:
    the one in the middle of the way between them, for instance.
    """
    grid = nx.grid_2d_graph(columns, rows)
    for edge in grid.edges:
        grid.edges[edge]["weight"] = generator.random()
    graph = nx.minimum_spanning_tree(grid)
    for edge in grid.edges:
        if not graph.has_edge(*edge) and generator.randrange(100) < OPENINGS:
            graph.add_edge(*edge)
    one, other = (nx.single_source_shortest_path_length(graph, start) for start in starts)
    flag = max(
        (cell for cell in grid.nodes if one[cell] == other[cell]),
        key=lambda cell: (one[cell], cell),
    )
    steps_left = dict(nx.single_source_shortest_path_length(graph, flag))
    return Maze(graph, flag, steps_left, _walls(graph, columns, rows))


class MazeRace:
    """The game, in PettingZoo's parallel API. `agents` is empty while no episode runs."""

    metadata: ClassVar[dict[str, Any]] = {"name": "maze_race_v0", "render_fps": STEPS_PER_S}

    def __init__(self, rounds_to_win: int, max_steps: int, columns: int, rows: int) -> None:
        """Stand ready for `reset`. Raises ValueError for numbers that make no race."""
        if rounds_to_win < 1 or max_steps < 1:
            raise ValueError("rounds_to_win and max_steps must be at least 1")
        if not (5 <= columns <= 31 and columns % 2 == 1 and 3 <= rows <= 17):
            raise ValueError("columns must be odd and 5 to 31, rows 3 to 17")
        self.rounds_to_win = rounds_to_win
        self.max_steps = max_steps
        self.columns, self.rows = columns, rows
        self.starts: list[Cell] = [(0, rows // 2), (columns - 1, rows // 2)]
        self.possible_agents = ["player_0", "player_1"]
        self.agents: list[str] = []
        self._begin(seed=0)

    def observation_space(self, agent: str) -> dict[str, Any]:
        """Describe an observation in the words of Gymnasium's Box, without needing Gymnasium."""
        return {"type": "Box", "shape": [9], "low": 0, "high": 31 * 17, "dtype": "int64"}

    def action_space(self, agent: str) -> dict[str, Any]:
        """Describe an action in the words of Gymnasium's Discrete: the bit masks 0 to 15."""
        return {"type": "Discrete", "n": 16, "start": 0}

    @property
    def num_agents(self) -> int:
        """Number of agents in the running episode."""
        return len(self.agents)

    @property
    def max_num_agents(self) -> int:
        """Number of agents in an episode."""
        return len(self.possible_agents)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, list[int]], dict[str, dict[str, int]]]:
        """Begin an episode and return (observations, infos). A seed fixes all its mazes."""
        self._begin(seed)
        self.agents = self.possible_agents.copy()
        observations = {agent: self._observe(side) for side, agent in enumerate(self.agents)}
        return observations, {agent: self._info(side) for side, agent in enumerate(self.agents)}

    def step(self, actions: dict[str, Any]) -> Step:
        """Play 1/30 s; return (observations, rewards, terminations, truncations, infos).

        Whoever reaches the flag first gets the reward 1, the other -1; both get 0 when they reach
        it in the same step, and otherwise.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        agents = self.agents
        rewards = self._play([actions.get(agent, 0) for agent in agents])
        won = max(self.scores) >= self.rounds_to_win
        cut_off = not won and self.steps >= self.max_steps
        if won or cut_off:
            self.agents = []
        return (
            {agent: self._observe(side) for side, agent in enumerate(agents)},
            dict(zip(agents, rewards, strict=True)),
            dict.fromkeys(agents, won),
            dict.fromkeys(agents, cut_off),
            {agent: self._info(side) for side, agent in enumerate(agents)},
        )

    def state(self) -> list[Any]:
        """Return all that the next step depends on; only later mazes come from the seed."""
        runners = [[*one.cell, *one.to, one.moved, one.last, one.cells] for one in self.runners]
        walls = [list(wall) for wall in self.maze.walls]
        counts = [self.phase, self.pause_steps, self.steps, *self.scores, *self.detours]
        return [*runners, walls, list(self.maze.flag), counts]

    def render(self) -> list[Shape]:
        """Return the picture as shapes, those behind first."""
        return [*_draw_maze(self), *_draw_runners(self), *_draw_texts(self)]

    def close(self) -> None:
        """Release nothing: there is nothing to release."""

    def _begin(self, seed: int | None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a game, no cryptography
        self.steps = 0
        self.scores = [0, 0]
        self.detours = [0, 0]
        self._start_round()

    def _start_round(self) -> None:
        self.phase, self.pause_steps = READY, READY_STEPS
        self.maze = build_maze(self.columns, self.rows, self.starts, self._random)
        self.runners = [Runner(start, start, trail={start: None}) for start in self.starts]
        self.arrived: list[int] = []

    def _play(self, actions: list[Any]) -> list[float]:
        """Advance everything by one step; return the rewards."""
        self.steps += 1
        if self.phase != RACE:
            self.pause_steps -= 1
            if self.pause_steps == 0 and self.phase == READY:
                self.phase = RACE
            elif self.pause_steps == 0:
                self._start_round()
            return [0.0, 0.0]
        for runner, action in zip(self.runners, actions, strict=True):
            self._run(runner, action if isinstance(action, int) else 0)
        flag = self.maze.flag
        self.arrived = [side for side in (0, 1) if self.runners[side].cell == flag]
        if not self.arrived:
            return [0.0, 0.0]
        self.phase, self.pause_steps = WON, WON_STEPS
        for side in self.arrived:
            shortest = self.maze.steps_left[self.starts[side]]
            self.detours[side] += self.runners[side].cells - shortest
        if len(self.arrived) > 1:
            return [0.0, 0.0]
        winner = self.arrived[0]
        self.scores[winner] += 1
        return [1.0 - 2.0 * winner, 2.0 * winner - 1.0]

    def _run(self, runner: Runner, action: int) -> None:
        """Move a runner by one step; where it stands in a cell, it may choose a way first."""
        if runner.cell == runner.to:
            direction = self._choose(runner, action)
            if direction == 0:
                return
            runner.to = _beside(runner.cell, direction)
            runner.last = direction
        runner.moved += 1
        if runner.moved == STEPS_PER_CELL:
            runner.cell, runner.moved = runner.to, 0
            runner.cells += 1
            runner.trail[runner.cell] = None

    def _choose(self, runner: Runner, action: int) -> int:
        """The direction to run in: turning off goes before going on, and that before turning back.

        So a runner with two keys held takes the first turn that opens.
        """
        wanted = action & self._open(runner.cell)
        ahead = runner.last
        turning = [one for one in MOVES if wanted & one and one not in (ahead, BACK.get(ahead))]
        if turning:
            return turning[0]
        return ahead if wanted & ahead else wanted

    def _open(self, cell: Cell) -> int:
        """The mask of the directions in which nothing is in the way."""
        return sum(one for one in MOVES if self.maze.graph.has_edge(cell, _beside(cell, one)))

    def _observe(self, side: int) -> list[int]:
        own, other = (self.runners[one].cell for one in (side, 1 - side))
        left = self.maze.steps_left
        return [*own, left[own], *other, left[other], *self.maze.flag, self._open(own)]

    def _info(self, side: int) -> dict[str, int]:
        return {
            "rounds_won": self.scores[side],
            "rounds_lost": self.scores[1 - side],
            "detour_cells": self.detours[side],
        }


def _beside(cell: Cell, direction: int) -> Cell:
    dx, dy = MOVES[direction]
    return cell[0] + dx, cell[1] + dy


def _walls(graph: Any, columns: int, rows: int) -> list[tuple[int, int, int, int]]:
    """The walls between cells that are not joined, and around all; neighbours are one line."""
    walls = [(0, 0, columns, 0), (0, rows, columns, rows)]
    walls += [(0, 0, 0, rows), (columns, 0, columns, rows)]
    for row in range(1, rows):
        closed = [not graph.has_edge((x, row - 1), (x, row)) for x in range(columns)]
        walls += [(start, row, end, row) for start, end in _runs(closed)]
    for column in range(1, columns):
        closed = [not graph.has_edge((column - 1, y), (column, y)) for y in range(rows)]
        walls += [(column, start, column, end) for start, end in _runs(closed)]
    return walls


def _runs(closed: list[bool]) -> list[tuple[int, int]]:
    """The runs of True, as (first, one after the last)."""
    runs: list[tuple[int, int]] = []
    for index, one in enumerate(closed):
        if one and runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        elif one:
            runs.append((index, index + 1))
    return runs


# What follows only draws; nothing in it changes the game.

NAMES = ("Blue", "Orange")
FILLS = ("#1f5fd0", "#d9480f")
TRAILS = ("#c9dbfa", "#fbd9c8")
DARK_FILLS = ("#12398a", "#7d2604")
INK = "#1b2a3a"
GOLD = "#e0a800"
TOP = 56  # the texts are above


def _geometry(game: MazeRace) -> tuple[float, float, float]:
    """The size of a cell, and where the maze begins."""
    size = min((WIDTH - 24) / game.columns, (HEIGHT - TOP - 12) / game.rows)
    return size, (WIDTH - size * game.columns) / 2, TOP


def _rect(x: float, y: float, width: float, height: float, fill: str) -> Shape:
    return {"shape": "rect", "x": x, "y": y, "width": width, "height": height, "fill": fill}


def _circle(x: float, y: float, radius: float, fill: str, **style: Any) -> Shape:
    return {"shape": "circle", "x": x, "y": y, "radius": radius, "fill": fill, **style}


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float) -> Shape:
    return {
        "shape": "line", "x1": x1, "y1": y1, "x2": x2, "y2": y2,
        "stroke": stroke, "line_width": width,
    }  # fmt: skip


def _text(x: float, y: float, text: str, size: int, fill: str, align: str = "center") -> Shape:
    return {
        "shape": "text", "x": x, "y": y, "text": text, "size": size, "fill": fill, "align": align
    }  # fmt: skip


def _draw_maze(game: MazeRace) -> list[Shape]:
    """Draw the floor, where both have been, the walls and the flag."""
    size, left, top = _geometry(game)
    shapes = [
        _rect(0, 0, WIDTH, HEIGHT, "#eef2f6"),
        _rect(left, top, size * game.columns, size * game.rows, "#ffffff"),
    ]
    trails = [runner.trail for runner in game.runners]
    for side, trail in enumerate(trails):
        for column, row in trail:
            # Where both have been, each has half of the cell.
            part, below = (0.5, side / 2) if (column, row) in trails[1 - side] else (1.0, 0.0)
            place = (left + column * size, top + (row + below) * size)
            shapes.append(_rect(*place, size, part * size, TRAILS[side]))
    shapes += [
        _line(left + x1 * size, top + y1 * size, left + x2 * size, top + y2 * size, INK, 3)
        for x1, y1, x2, y2 in game.maze.walls
    ]
    if game.phase == WON:
        for side in game.arrived:
            shapes += _draw_way(game, side)
    x, y = left + game.maze.flag[0] * size, top + game.maze.flag[1] * size
    shapes.append(_line(x + 0.3 * size, y + 0.14 * size, x + 0.3 * size, y + 0.88 * size, INK, 3))
    pennant = [[0.32, 0.14], [0.84, 0.32], [0.32, 0.52]]
    points = [[x + dx * size, y + dy * size] for dx, dy in pennant]
    shapes.append({"shape": "polygon", "points": points, "fill": GOLD, "stroke": INK})
    return shapes


def _draw_way(game: MazeRace, side: int) -> list[Shape]:
    """Draw a shortest way from a start to the flag."""
    size, left, top = _geometry(game)
    way = nx.shortest_path(game.maze.graph, game.starts[side], game.maze.flag)
    centres = [(left + (x + 0.5) * size, top + (y + 0.5) * size) for x, y in way]
    return [_circle(x, y, 0.12 * size, GOLD) for x, y in centres[1:]]


def _draw_runners(game: MazeRace) -> list[Shape]:
    """Draw both runners, looking where they run; side by side where they share a place."""
    size, left, top = _geometry(game)
    shapes = []
    for side, runner in enumerate(game.runners):
        part = runner.moved / STEPS_PER_CELL
        x = runner.cell[0] + (runner.to[0] - runner.cell[0]) * part + 0.5
        y = runner.cell[1] + (runner.to[1] - runner.cell[1]) * part + 0.5
        x, y = left + (x + 0.08 * (2 * side - 1)) * size, top + y * size
        dx, dy = MOVES.get(runner.last, (1 - 2 * side, 0))
        shapes.append(_circle(x, y, 0.3 * size, FILLS[side], stroke=DARK_FILLS[side], line_width=2))
        shapes.append(_circle(x + 0.1 * size * dx, y + 0.1 * size * dy, 0.13 * size, "#ffffff"))
        shapes.append(_circle(x + 0.15 * size * dx, y + 0.15 * size * dy, 0.065 * size, INK))
    return shapes


def _draw_texts(game: MazeRace) -> list[Shape]:
    """Draw the scores, the time left, and what happens between two races."""
    seconds_left = -(-(game.max_steps - game.steps) // STEPS_PER_S)
    texts = [
        _text(24, 38, f"{NAMES[0]}  {game.scores[0]}", 26, DARK_FILLS[0], "left"),
        _text(WIDTH - 24, 38, f"{game.scores[1]}  {NAMES[1]}", 26, DARK_FILLS[1], "right"),
    ]
    said, fill = f"{seconds_left // 60}:{seconds_left % 60:02}", INK
    if max(game.scores) >= game.rounds_to_win:
        winner = 0 if game.scores[0] > game.scores[1] else 1
        said, fill = f"{NAMES[winner]} wins!", DARK_FILLS[winner]
    elif game.steps >= game.max_steps:
        said = "Time is up"
    elif game.phase == WON and len(game.arrived) > 1:
        said = "Both at once!"
    elif game.phase == WON:
        side = game.arrived[0]
        said, fill = f"The flag is {NAMES[side]}'s", DARK_FILLS[side]
    elif game.phase == READY:
        count = -(-game.pause_steps * COUNTDOWN_FROM // READY_STEPS)
        said = f"Find your way to the flag: {count}"
    return [*texts, _text(WIDTH / 2, 38, said, 26, fill)]
