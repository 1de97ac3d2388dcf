"""Slime volleyball: two half-disc slimes, one ball, a net, and sand that the ball must not touch.

The interface is PettingZoo's parallel API (https://pettingzoo.farama.org/api/parallel/) without the
package, so that this one file is all that a browser needs. Lengths are canvas units with the origin
at the top left and y pointing down, velocities are units per second, and a step is 1/30 s.

Two browsers that step the same seed with the same actions stay equal to the last bit: the physics
uses +, -, *, / and the square root, which IEEE 754 rounds the same way everywhere, and no others.

An action is a bit mask: 1 moves left, 2 moves right, 4 jumps; anything but an integer counts as 0.
An observation is twelve numbers: x, y, vx, vy of one's own slime, of the other slime, of the ball.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any, ClassVar

LEFT, RIGHT, JUMP = 1, 2, 4

WIDTH, HEIGHT = 800.0, 400.0
FLOOR_Y = 350.0
NET_X, NET_HALF_WIDTH, NET_TOP_Y = 400.0, 5.0, 275.0
SLIME_RADIUS, BALL_RADIUS = 46.0, 15.0
HOME_X = (200.0, 600.0)
SERVE_Y = 140.0

STEPS_PER_S = 30
SUBSTEPS = 4  # the ball moves less than half its radius in each, so it passes through nothing
SUBSTEP_S = 1.0 / (STEPS_PER_S * SUBSTEPS)

BALL_GRAVITY = 760.0
BALL_MAX_SPEED = 720.0
SLIME_GRAVITY = 1600.0
SLIME_SPEED = 320.0
SLIME_JUMP_SPEED = 550.0
SERVE_MAX_SPEED = 25.0  # sideways, so that no two rallies begin alike

SLIME_RESTITUTION = 0.9
NET_RESTITUTION = 0.7
WALL_RESTITUTION = 0.85

SERVE_STEPS = 45  # the ball hangs in the air while a countdown runs
POINT_STEPS = 30  # the ball lies where it fell
COUNTDOWN_FROM = 3

SERVE, RALLY, POINT = 0, 1, 2  # phases of a game

Shape = dict[str, Any]
Step = tuple[
    dict[str, list[float]],
    dict[str, float],
    dict[str, bool],
    dict[str, bool],
    dict[str, dict[str, int]],
]


def parallel_env(points_to_win: int = 5, max_steps: int = STEPS_PER_S * 120) -> SlimeVolleyball:
    """Return the game. It ends at `points_to_win`, and is cut off after `max_steps` steps."""
    return SlimeVolleyball(points_to_win, max_steps)


@dataclass(slots=True)
class Body:
    """Position (of the ball's centre, of the middle of a slime's base) and velocity."""

    x: float
    y: float
    vx: float = 0.0
    vy: float = 0.0


class SlimeVolleyball:
    """The game, in PettingZoo's parallel API. `agents` is empty while no episode runs."""

    metadata: ClassVar[dict[str, Any]] = {"name": "slime_volleyball_v0", "render_fps": STEPS_PER_S}

    def __init__(self, points_to_win: int, max_steps: int) -> None:
        """Stand ready for `reset`. Raises ValueError for numbers below one."""
        if points_to_win < 1 or max_steps < 1:
            raise ValueError("points_to_win and max_steps must be at least 1")
        self.points_to_win = points_to_win
        self.max_steps = max_steps
        self.possible_agents = ["player_0", "player_1"]
        self._begin(seed=0)
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> dict[str, Any]:
        """Describe an observation in the words of Gymnasium's Box, without needing Gymnasium."""
        return {"type": "Box", "shape": [12], "low": -WIDTH, "high": WIDTH, "dtype": "float64"}

    def action_space(self, agent: str) -> dict[str, Any]:
        """Describe an action in the words of Gymnasium's Discrete: the bit masks 0 to 7."""
        return {"type": "Discrete", "n": 8, "start": 0}

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
    ) -> tuple[dict[str, list[float]], dict[str, dict[str, int]]]:
        """Begin an episode and return (observations, infos). A seed fixes all its serves."""
        self._begin(seed)
        self.agents = self.possible_agents.copy()
        observations = {agent: self._observe(side) for side, agent in enumerate(self.agents)}
        return observations, {agent: self._info(side) for side, agent in enumerate(self.agents)}

    def step(self, actions: dict[str, Any]) -> Step:
        """Play 1/30 s; return (observations, rewards, terminations, truncations, infos).

        Rewards are 1 for the player who scores in this step, -1 for the other, and 0 otherwise.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        agents = self.agents
        scorer = self._play([actions.get(agent, 0) for agent in agents])
        won = max(self.scores) >= self.points_to_win
        cut_off = not won and self.steps >= self.max_steps
        if won or cut_off:
            self.agents = []
        rewards = [0.0, 0.0] if scorer is None else [1.0 - 2.0 * scorer, 2.0 * scorer - 1.0]
        return (
            {agent: self._observe(side) for side, agent in enumerate(agents)},
            dict(zip(agents, rewards, strict=True)),
            dict.fromkeys(agents, won),
            dict.fromkeys(agents, cut_off),
            {agent: self._info(side) for side, agent in enumerate(agents)},
        )

    def state(self) -> list[float]:
        """Return all that the next step depends on; only later serves come from the seed."""
        bodies = (*self.slimes, self.ball)
        moving = [value for body in bodies for value in (body.x, body.y, body.vx, body.vy)]
        return [*moving, self.phase, self.pause_steps, self.steps, *self.scores, self.server]

    def render(self) -> list[Shape]:
        """Return the picture as shapes, those behind first."""
        return [*SCENERY, *_draw_players(self), *_draw_ball(self.ball), *_draw_texts(self)]

    def close(self) -> None:
        """Release nothing: there is nothing to release."""

    def _begin(self, seed: int | None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a game, no cryptography
        self.steps = 0
        self.scores = [0, 0]
        self._serve(self._random.randrange(2))

    def _serve(self, server: int) -> None:
        self.phase, self.pause_steps, self.server = SERVE, SERVE_STEPS, server
        self.slimes = [Body(x, FLOOR_Y) for x in HOME_X]
        speed = self._random.uniform(-SERVE_MAX_SPEED, SERVE_MAX_SPEED)
        self.ball = Body(HOME_X[server], SERVE_Y, vx=speed)

    def _play(self, actions: list[Any]) -> int | None:
        """Advance everything by one step; return the side that scored in it, if one did."""
        self.steps += 1
        if self.phase != RALLY:
            self.pause_steps -= 1
            if self.pause_steps == 0 and self.phase == SERVE:
                self.phase = RALLY
            elif self.pause_steps == 0:
                self._serve(self.server)
        for slime, action in zip(self.slimes, actions, strict=True):
            _steer(slime, action if isinstance(action, int) else 0)
        for _ in range(SUBSTEPS):
            for side, slime in enumerate(self.slimes):
                _move_slime(slime, side)
            if self.phase == RALLY and _move_ball(self.ball, self.slimes):
                loser = 0 if self.ball.x < NET_X else 1
                self.scores[1 - loser] += 1
                self.phase, self.pause_steps, self.server = POINT, POINT_STEPS, loser
                return 1 - loser
        return None

    def _observe(self, side: int) -> list[float]:
        bodies = (self.slimes[side], self.slimes[1 - side], self.ball)
        return [value for body in bodies for value in (body.x, body.y, body.vx, body.vy)]

    def _info(self, side: int) -> dict[str, int]:
        return {"score": self.scores[side], "opponent_score": self.scores[1 - side]}


def _steer(slime: Body, action: int) -> None:
    """Set a slime's speed from the controls held; it jumps only off the floor."""
    slime.vx = SLIME_SPEED * (bool(action & RIGHT) - bool(action & LEFT))
    if action & JUMP and slime.y >= FLOOR_Y:
        slime.vy = -SLIME_JUMP_SPEED


def _move_slime(slime: Body, side: int) -> None:
    """Move a slime by one substep, within its half of the court."""
    slime.vy += SLIME_GRAVITY * SUBSTEP_S
    slime.x += slime.vx * SUBSTEP_S
    slime.y += slime.vy * SUBSTEP_S
    if slime.y >= FLOOR_Y:
        slime.y, slime.vy = FLOOR_Y, 0.0
    reach = SLIME_RADIUS + NET_HALF_WIDTH
    lowest = SLIME_RADIUS if side == 0 else NET_X + reach
    highest = NET_X - reach if side == 0 else WIDTH - SLIME_RADIUS
    if not lowest <= slime.x <= highest:
        slime.x, slime.vx = min(max(slime.x, lowest), highest), 0.0


def _move_ball(ball: Body, slimes: list[Body]) -> bool:
    """Move the ball by one substep, bounce it off what it meets, and tell whether it landed."""
    ball.vy += BALL_GRAVITY * SUBSTEP_S
    ball.x += ball.vx * SUBSTEP_S
    ball.y += ball.vy * SUBSTEP_S
    for slime in slimes:
        if ball.y <= slime.y:
            _bounce(ball, slime, SLIME_RADIUS + BALL_RADIUS, SLIME_RESTITUTION)
        else:  # below the flat base of a slime in the air: its nearest point counts
            nearest = min(max(ball.x, slime.x - SLIME_RADIUS), slime.x + SLIME_RADIUS)
            base = Body(nearest, slime.y, slime.vx, slime.vy)
            _bounce(ball, base, BALL_RADIUS, SLIME_RESTITUTION)
    # The net is a post with a round top: all points within its half width of a vertical line.
    net = Body(NET_X, max(ball.y, NET_TOP_Y + NET_HALF_WIDTH))
    _bounce(ball, net, NET_HALF_WIDTH + BALL_RADIUS, NET_RESTITUTION)
    speed = math.sqrt(ball.vx * ball.vx + ball.vy * ball.vy)
    if speed > BALL_MAX_SPEED:
        ball.vx *= BALL_MAX_SPEED / speed
        ball.vy *= BALL_MAX_SPEED / speed
    # The walls come last: whatever pushed the ball, it ends inside the court.
    if ball.x < BALL_RADIUS:
        ball.x, ball.vx = BALL_RADIUS, abs(ball.vx) * WALL_RESTITUTION
    elif ball.x > WIDTH - BALL_RADIUS:
        ball.x, ball.vx = WIDTH - BALL_RADIUS, -abs(ball.vx) * WALL_RESTITUTION
    if ball.y < BALL_RADIUS:
        ball.y, ball.vy = BALL_RADIUS, abs(ball.vy) * WALL_RESTITUTION
    if ball.y < FLOOR_Y - BALL_RADIUS:
        return False
    ball.y = FLOOR_Y - BALL_RADIUS
    return True


def _bounce(ball: Body, obstacle: Body, reach: float, restitution: float) -> None:
    """Bounce the ball off a moving point that is too heavy to feel it, if nearer than `reach`.

    The velocity along the line between them, taken relative to the obstacle, is turned round.
    """
    dx, dy = ball.x - obstacle.x, ball.y - obstacle.y
    distance = math.sqrt(dx * dx + dy * dy)
    if distance >= reach:
        return
    normal_x, normal_y = (dx / distance, dy / distance) if distance > 0.0 else (0.0, -1.0)
    ball.x = obstacle.x + normal_x * reach
    ball.y = obstacle.y + normal_y * reach
    approach = (ball.vx - obstacle.vx) * normal_x + (ball.vy - obstacle.vy) * normal_y
    if approach < 0.0:
        ball.vx -= (1.0 + restitution) * approach * normal_x
        ball.vy -= (1.0 + restitution) * approach * normal_y


# What follows only draws; nothing in it changes the game.

NAMES = ("Blue", "Orange")
FILLS = ("#1f5fd0", "#d9480f")
DARK_FILLS = ("#12398a", "#7d2604")  # outlines, and letters that stand out from the sky
INK = "#1b2a3a"


def _rect(x: float, y: float, width: float, height: float, fill: str) -> Shape:
    return {"shape": "rect", "x": x, "y": y, "width": width, "height": height, "fill": fill}


def _circle(x: float, y: float, radius: float, fill: str, **style: Any) -> Shape:
    return {"shape": "circle", "x": x, "y": y, "radius": radius, "fill": fill, **style}


def _text(x: float, y: float, text: str, size: int, fill: str, align: str = "center") -> Shape:
    return {
        "shape": "text", "x": x, "y": y, "text": text, "size": size, "fill": fill, "align": align
    }  # fmt: skip


def _shadow(x: float, half_width: float, opacity: float) -> Shape:
    """Return a flat octagon on the sand, which shows where something in the air will come down."""
    points = [[x + half_width * dx, FLOOR_Y + 5.0 + 4.0 * dy] for dx, dy in OCTAGON]
    return {"shape": "polygon", "points": points, "fill": "#6b4e1f", "opacity": opacity}


OCTAGON = (
    (1.0, 0.0), (0.7, 0.7), (0.0, 1.0), (-0.7, 0.7),
    (-1.0, 0.0), (-0.7, -0.7), (0.0, -1.0), (0.7, -0.7),
)  # fmt: skip
SKY = ("#8ccbf0", "#a1d5f3", "#b6dff6", "#cbe9f9", "#e0f3fc")
SCENERY: list[Shape] = [
    *(_rect(0, 60 * band, WIDTH, 61, fill) for band, fill in enumerate(SKY)),
    _circle(668, 84, 34, "#fff3b8"),
    *(_circle(x, y, r, "#f6fcff") for x, y, r in (
        (128, 92, 20), (156, 84, 27), (188, 93, 19), (470, 62, 15), (492, 56, 20), (516, 63, 14)
    )),
    _rect(0, 296, WIDTH, 30, "#c4e6ec"),
    _rect(0, 324, WIDTH, 27, "#f7ecd2"),
    _rect(0, FLOOR_Y, WIDTH, HEIGHT - FLOOR_Y, "#e6c98b"),
    _rect(0, FLOOR_Y, WIDTH, 3, "#b8935a"),
]  # fmt: skip


def _draw_players(game: SlimeVolleyball) -> list[Shape]:
    """Draw the shadows, the net and both slimes, who look at the ball."""
    ball = game.ball
    shapes = [_shadow(slime.x, SLIME_RADIUS, 0.3) for slime in game.slimes]
    shapes.append(_shadow(ball.x, BALL_RADIUS * (0.6 + 0.4 * ball.y / FLOOR_Y), 0.35))
    top = NET_TOP_Y + NET_HALF_WIDTH
    shapes.append(_rect(NET_X - NET_HALF_WIDTH, top, 2 * NET_HALF_WIDTH, FLOOR_Y + 8 - top, INK))
    shapes.append(_circle(NET_X, top, NET_HALF_WIDTH, INK))
    for side, slime in enumerate(game.slimes):
        shapes.append({
            "shape": "sector", "x": slime.x, "y": slime.y, "radius": SLIME_RADIUS,
            "start_deg": 180, "end_deg": 360,
            "fill": FILLS[side], "stroke": DARK_FILLS[side], "line_width": 2,
        })  # fmt: skip
        towards_net = 1.0 if side == 0 else -1.0
        eye_x, eye_y = slime.x + 20.0 * towards_net, slime.y - 25.0
        dx, dy = ball.x - eye_x, ball.y - eye_y
        distance = max(math.sqrt(dx * dx + dy * dy), 1.0)
        shapes.append(_circle(eye_x, eye_y, 9.5, "#ffffff"))
        shapes.append(_circle(eye_x + 4.5 * dx / distance, eye_y + 4.5 * dy / distance, 4.5, INK))
    return shapes


def _draw_ball(ball: Body) -> list[Shape]:
    """Draw a beach ball that rolls as it goes: its stripes turn with its place in the court."""
    turned = ball.x * 1.5 % 360.0
    stripes = [
        {
            "shape": "sector", "x": ball.x, "y": ball.y, "radius": BALL_RADIUS,
            "start_deg": turned + start, "end_deg": turned + start + 60.0, "fill": "#c2255c",
        }
        for start in (0.0, 120.0, 240.0)
    ]  # fmt: skip
    rim = _circle(ball.x, ball.y, BALL_RADIUS, "transparent", stroke=INK, line_width=2)
    return [_circle(ball.x, ball.y, BALL_RADIUS, "#ffffff"), *stripes, rim]


def _draw_texts(game: SlimeVolleyball) -> list[Shape]:
    """Draw the scores, the time left and what is happening between two rallies."""
    seconds_left = -(-(game.max_steps - game.steps) // STEPS_PER_S)
    texts = [
        _text(24, 34, NAMES[0], 18, DARK_FILLS[0], "left"),
        _text(24, 72, str(game.scores[0]), 36, DARK_FILLS[0], "left"),
        _text(WIDTH - 24, 34, NAMES[1], 18, DARK_FILLS[1], "right"),
        _text(WIDTH - 24, 72, str(game.scores[1]), 36, DARK_FILLS[1], "right"),
        _text(NET_X, 34, f"{seconds_left // 60}:{seconds_left % 60:02}", 18, INK),
    ]
    if max(game.scores) >= game.points_to_win:
        winner = 0 if game.scores[0] > game.scores[1] else 1
        texts.append(_text(NET_X, 150, f"{NAMES[winner]} wins!", 44, DARK_FILLS[winner]))
    elif game.steps >= game.max_steps:
        texts.append(_text(NET_X, 150, "Time is up", 44, INK))
    elif game.phase == POINT:
        scorer = 1 - game.server
        texts.append(_text(NET_X, 150, f"Point for {NAMES[scorer]}", 34, DARK_FILLS[scorer]))
    elif game.phase == SERVE:
        count = -(-game.pause_steps * COUNTDOWN_FROM // SERVE_STEPS)
        texts.append(_text(NET_X, 150, str(count), 44, INK))
    return texts
