"""Slime volleyball: PettingZoo's API, the physics, the rules, and that people can play it."""

import math
import random
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.examples.slime_volleyball.slime_volleyball import (
    BALL_GRAVITY,
    BALL_MAX_SPEED,
    BALL_RADIUS,
    FLOOR_Y,
    HOME_X,
    JUMP,
    LEFT,
    NET_HALF_WIDTH,
    NET_TOP_Y,
    NET_X,
    POINT,
    RALLY,
    RIGHT,
    SERVE,
    SERVE_STEPS,
    SERVE_Y,
    SLIME_RADIUS,
    STEPS_PER_S,
    SUBSTEP_S,
    WIDTH,
    Body,
    SlimeVolleyball,
    parallel_env,
)
from app.services.environment_probe import check_shapes

AGENTS = ["player_0", "player_1"]
ABOVE_FLOOR_Y = FLOOR_Y - BALL_RADIUS
STILL = {"player_0": 0, "player_1": 0}

seeds = st.integers(0, 2**32)


def started(seed: int = 1, **config: int) -> SlimeVolleyball:
    """A game whose first episode has begun."""
    game = parallel_env(**config)
    game.reset(seed)
    return game


def rallying(ball: Body, slimes: tuple[Body, Body] | None = None) -> SlimeVolleyball:
    """A game in the middle of a rally, with the ball where the test wants it."""
    game = started()
    game.phase, game.ball = RALLY, ball
    if slimes is not None:
        game.slimes = list(slimes)
    return game


def play_at_random(seed: int, **config: int) -> Iterator[tuple[SlimeVolleyball, Any]]:
    """Play an episode with random actions; yield the game and what each step returned."""
    game, generator = started(seed, **config), random.Random(seed)
    held = STILL
    while game.agents:
        if generator.random() < 0.2:  # controls are held for some steps, as people do
            held = {agent: generator.randrange(8) for agent in AGENTS}
        yield game, game.step(held)


# The API


def test_the_attributes_of_the_api() -> None:
    """Agents, spaces and metadata are there before the first episode."""
    game = parallel_env()
    assert (game.possible_agents, game.agents) == (AGENTS, [])
    assert (game.num_agents, game.max_num_agents) == (0, 2)
    assert game.action_space("player_0")["n"] == 8
    assert game.observation_space("player_0")["shape"] == [12]
    assert game.metadata["render_fps"] == STEPS_PER_S
    assert game.render()
    game.close()


def test_a_reset_returns_observations_and_infos() -> None:
    """reset(seed, options) begins an episode and returns two dicts by agent."""
    game = parallel_env()
    observations, infos = game.reset(seed=3, options={"ignored": True})
    assert game.agents == AGENTS
    assert game.num_agents == 2
    assert list(observations) == list(infos) == AGENTS
    assert infos["player_0"] == {"score": 0, "opponent_score": 0}


@settings(max_examples=10)
@given(seeds)
def test_a_step_returns_five_dicts(seed: int) -> None:
    """step() returns dicts by agent, of the types that the API asks for, in every step."""
    for _, returned in play_at_random(seed, points_to_win=1, max_steps=300):
        observations, rewards, terminations, truncations, infos = returned
        for by_agent in returned:
            assert list(by_agent) == AGENTS
        assert all(len(seen) == 12 for seen in observations.values())
        assert all(type(reward) is float for reward in rewards.values())
        assert all(type(flag) is bool for flag in (terminations | truncations).values())
        assert infos["player_0"]["score"] == infos["player_1"]["opponent_score"]


def test_observations_are_from_the_players_own_side() -> None:
    """Each player sees the own slime first, then the other, then the ball."""
    game = started()
    observations = game.step({"player_0": RIGHT, "player_1": 0})[0]
    assert observations["player_0"][0] > HOME_X[0]
    assert observations["player_1"][0] == HOME_X[1]
    assert observations["player_0"][:4] == observations["player_1"][4:8]
    assert observations["player_0"][8:] == observations["player_1"][8:]


def test_a_step_after_the_end_returns_nothing() -> None:
    """With no agents left, step() returns empty dicts."""
    game = started(max_steps=1)
    game.step(STILL)
    assert game.agents == []
    assert game.step({}) == ({}, {}, {}, {}, {})


@pytest.mark.parametrize("config", [{"points_to_win": 0}, {"max_steps": 0}])
def test_a_game_without_points_or_steps_is_refused(config: dict[str, int]) -> None:
    """A game must be able to begin."""
    with pytest.raises(ValueError, match="at least 1"):
        parallel_env(**config)


@pytest.mark.parametrize("action", [None, "right", [2], 2.0])
def test_an_action_of_another_type_counts_as_none(action: object) -> None:
    """What a manipulated page may send moves nobody and raises nothing."""
    game, still = started(), started()
    game.step({"player_0": action, "player_1": action})
    still.step(STILL)
    assert game.state() == still.state()


# Determinism


@settings(max_examples=10)
@given(seeds)
def test_the_same_seed_gives_the_same_game(seed: int) -> None:
    """Two games of one seed and the same actions stay equal to the last bit."""
    first = [game.state() for game, _ in play_at_random(seed, max_steps=400)]
    second = [game.state() for game, _ in play_at_random(seed, max_steps=400)]
    assert first == second


def test_a_second_episode_is_like_the_first() -> None:
    """reset() brings everything back: a used game and a new one play alike."""
    used = started(5)
    for _ in range(200):
        used.step({"player_0": JUMP | RIGHT, "player_1": LEFT})
    used.reset(9)
    new = started(9)
    for _ in range(200):
        used.step(STILL)
        new.step(STILL)
    assert used.state() == new.state()


def test_the_seed_decides_who_serves() -> None:
    """Over some seeds, both players serve first, and no two serves are alike."""
    games = [started(seed) for seed in range(20)]
    assert {game.server for game in games} == {0, 1}
    assert len({game.ball.vx for game in games}) == 20


def test_drawing_changes_nothing() -> None:
    """render() may be called at any pace without making two browsers differ."""
    for index, (game, _) in enumerate(play_at_random(4, max_steps=300)):
        before = game.state()
        shapes = game.render()
        assert game.state() == before
        if index % 10 == 0:
            check_shapes(shapes)


# Physics


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_everything_stays_in_its_place(seed: int) -> None:
    """The ball stays in the court and under its top speed, each slime in its half, on or above."""
    for game, _ in play_at_random(seed, max_steps=500):
        assert all(math.isfinite(number) for number in game.state())
        assert BALL_RADIUS <= game.ball.x <= WIDTH - BALL_RADIUS
        assert BALL_RADIUS <= game.ball.y <= ABOVE_FLOOR_Y
        assert math.hypot(game.ball.vx, game.ball.vy) <= BALL_MAX_SPEED * (1 + 1e-9)
        left, right = game.slimes
        assert SLIME_RADIUS <= left.x <= NET_X - NET_HALF_WIDTH - SLIME_RADIUS
        assert NET_X + NET_HALF_WIDTH + SLIME_RADIUS <= right.x <= WIDTH - SLIME_RADIUS
        assert 200 < left.y <= FLOOR_Y
        assert 200 < right.y <= FLOOR_Y


@given(
    y=st.floats(NET_TOP_Y + BALL_RADIUS, ABOVE_FLOOR_Y - 10),
    distance=st.floats(25, 120),
    speed=st.floats(100, BALL_MAX_SPEED),
    from_left=st.booleans(),
)
def test_the_net_lets_nothing_through(
    y: float, distance: float, speed: float, from_left: bool
) -> None:
    """A ball shot at the net at any speed and height below its top stays on its side."""
    side = -1 if from_left else 1
    game = rallying(Body(NET_X + side * distance, y, vx=-side * speed))
    while game.phase == RALLY and side * game.ball.vx < 0:
        game.step(STILL)
        assert side * (game.ball.x - NET_X) >= NET_HALF_WIDTH


@pytest.mark.parametrize("side", [-1, 1])
def test_the_top_of_the_net_is_round(side: int) -> None:
    """A ball that drops on the net beside its middle rolls off to that side."""
    game = rallying(Body(NET_X + side * 4, NET_TOP_Y - 60))
    while game.phase == RALLY:
        game.step(STILL)
    assert side * (game.ball.x - NET_X) > 0


def test_walls_and_ceiling_send_the_ball_back() -> None:
    """The ball bounces off both walls and off the top of the court."""
    for ball, axis in [
        (Body(20, 200, vx=-600), "vx"),
        (Body(WIDTH - 20, 200, vx=600), "vx"),
        (Body(300, 20, vy=-600), "vy"),
    ]:
        before = getattr(ball, axis)
        game = rallying(ball)
        game.step(STILL)
        assert getattr(ball, axis) * before < 0


@given(offset=st.floats(-40, 40))
def test_the_ball_leaves_a_slime_along_the_line_between_them(offset: float) -> None:
    """Where the ball meets the slime decides where it goes: that is how one aims."""
    x = HOME_X[0] + offset
    game = rallying(Body(x, FLOOR_Y - SLIME_RADIUS - BALL_RADIUS - 40, vy=300))
    while game.ball.vy > 0 and game.phase == RALLY:
        game.step(STILL)
    assert game.ball.vx * offset > 0 or abs(offset) < 1
    assert game.phase == RALLY


def hit(action: int) -> Body:
    """The ball just after it met a slime that does `action`, straight from above."""
    above = FLOOR_Y - SLIME_RADIUS - BALL_RADIUS - 12
    game = rallying(Body(HOME_X[0], above, vy=300))
    while game.ball.vy > 0:
        game.step({"player_0": action, "player_1": 0})
    return game.ball


def test_a_moving_slime_gives_its_speed_to_the_ball() -> None:
    """A jump sends the ball up faster than standing does, and moving away sends it sideways."""
    assert hit(JUMP).vy < hit(0).vy - 100
    assert hit(LEFT).vx > 0 > hit(RIGHT).vx


def test_a_ball_under_a_slime_is_pushed_down() -> None:
    """A slime that lands on the ball presses it into the sand: a point."""
    slime = Body(HOME_X[0], ABOVE_FLOOR_Y - BALL_RADIUS - 1, vy=200)
    game = rallying(Body(HOME_X[0], ABOVE_FLOOR_Y - 2), (slime, Body(HOME_X[1], FLOOR_Y)))
    game.step(STILL)
    assert game.phase == POINT
    assert game.scores == [0, 1]


@settings(max_examples=25, deadline=None)
@given(x=st.floats(30, 770), y=st.floats(30, 200), vx=st.floats(-400, 400), vy=st.floats(-200, 200))
def test_no_energy_comes_from_nowhere(x: float, y: float, vx: float, vy: float) -> None:
    """While both slimes stand still, the ball gains no energy, but for the error of one substep."""

    def energy(ball: Body) -> float:
        return BALL_GRAVITY * (FLOOR_Y - ball.y) + (ball.vx**2 + ball.vy**2) / 2

    ball = Body(x, y, vx, vy)
    game = rallying(ball)
    allowed = energy(ball) + BALL_GRAVITY * BALL_MAX_SPEED * SUBSTEP_S
    for _ in range(300):
        if game.phase != RALLY:
            break
        game.step(STILL)
        assert energy(ball) <= allowed


# Rules


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 3))
def test_the_score_adds_up(seed: int, points_to_win: int) -> None:
    """Rewards are zero-sum, and the scores are the points that were rewarded, to the last one."""
    rewarded = {"player_0": 0, "player_1": 0}
    for game, (_, rewards, terminations, truncations, _) in play_at_random(
        seed, points_to_win=points_to_win, max_steps=1500
    ):
        assert sum(rewards.values()) == 0
        for agent, reward in rewards.items():
            rewarded[agent] += reward > 0
        assert game.scores == list(rewarded.values())
        over = max(game.scores) == points_to_win
        assert terminations == dict.fromkeys(AGENTS, over)
        assert truncations == dict.fromkeys(AGENTS, not over and game.steps == 1500)
        assert game.agents == ([] if over or game.steps == 1500 else AGENTS)


@pytest.mark.parametrize("side", [0, 1])
def test_a_ball_on_the_sand_is_a_point_for_the_other(side: int) -> None:
    """Who lets the ball touch the sand loses the point, and serves after a pause."""
    game = rallying(Body((100.0, 700.0)[side], ABOVE_FLOOR_Y - 1, vy=300))
    rewards = game.step(STILL)[1]
    assert rewards[AGENTS[1 - side]] == 1.0
    assert game.phase == POINT
    lying = (game.ball.x, game.ball.y)
    while game.phase == POINT:
        assert (game.ball.x, game.ball.y) == lying
        game.step({"player_0": RIGHT, "player_1": LEFT})
    assert game.phase == SERVE
    assert (game.ball.x, game.ball.y) == (HOME_X[side], SERVE_Y)


def test_the_ball_waits_during_the_countdown() -> None:
    """After a serve begins, players get ready while the ball hangs in the air for 1.5 s."""
    game = started()
    words = []
    while game.phase == SERVE:
        assert game.ball.y == SERVE_Y
        words.append([shape["text"] for shape in game.render() if shape["shape"] == "text"][-1])
        game.step({"player_0": RIGHT, "player_1": 0})
    assert game.steps == SERVE_STEPS == 1.5 * STEPS_PER_S
    assert list(dict.fromkeys(words)) == ["3", "2", "1"]
    assert game.slimes[0].x > HOME_X[0]


def test_what_the_players_are_told() -> None:
    """The picture says who scored, who won, and that time is up."""

    def last_words(game: SlimeVolleyball) -> str:
        texts = [shape["text"] for shape in game.render() if shape["shape"] == "text"]
        return str(texts[-1])

    won, scored, late = (started(points_to_win=2, max_steps=500) for _ in range(3))
    won.scores = [2, 1]
    scored.phase, scored.server = POINT, 0
    late.steps = 500
    assert last_words(won) == "Blue wins!"
    assert last_words(scored) == "Point for Orange"
    assert last_words(late) == "Time is up"


# Playability


class ScriptedPlayer:
    """Runs to where the ball will come down, with a person's reaction time and aim."""

    def __init__(self, side: int, reaction_steps: int, error: float) -> None:
        self.side = side
        self.generator = random.Random(side)
        self.seen: deque[Body] = deque(maxlen=reaction_steps + 1)
        self.error, self.off = error, 0.0

    def act(self, game: SlimeVolleyball) -> int:
        """Choose an action from the ball as it was `reaction_steps` ago."""
        ball = game.ball
        self.seen.append(Body(ball.x, ball.y, ball.vx, ball.vy))
        if game.steps % 15 == 0:
            self.off = self.generator.gauss(0, self.error)
        landing_x, steps_left = self.predict(self.seen[0])
        me = game.slimes[self.side]
        mine = (landing_x < NET_X) == (self.side == 0)
        behind = -14 if self.side == 0 else 14
        target = landing_x + behind + self.off if mine else HOME_X[self.side]
        action = RIGHT if me.x < target - 6 else LEFT if me.x > target + 6 else 0
        near = abs(ball.x - me.x) < SLIME_RADIUS + BALL_RADIUS
        return action | (JUMP if mine and near and steps_left < 14 else 0)

    @staticmethod
    def predict(ball: Body) -> tuple[float, int]:
        """Where the ball comes down to the height of a slime, and in how many steps."""
        x, y, vx, vy = ball.x, ball.y, ball.vx, ball.vy
        for step in range(150):
            vy += BALL_GRAVITY / STEPS_PER_S
            x, y = x + vx / STEPS_PER_S, y + vy / STEPS_PER_S
            vx = -vx if not BALL_RADIUS < x < WIDTH - BALL_RADIUS else vx
            if vy > 0 and y > FLOOR_Y - SLIME_RADIUS:
                return x, step
        return x, 150


def test_rallies_happen_and_end() -> None:
    """Players as quick and exact as people keep the ball going over the net, but not for ever."""
    crossings: list[int] = []
    for seed in range(3):
        game = started(seed, points_to_win=100)
        players = [ScriptedPlayer(side, reaction_steps=9, error=20) for side in (0, 1)]
        crossed = 0
        while game.agents:
            left = game.ball.x < NET_X
            phase = game.phase
            game.step(dict(zip(AGENTS, [player.act(game) for player in players], strict=True)))
            crossed += phase == RALLY and left != (game.ball.x < NET_X)
            if phase == RALLY and game.phase == POINT:
                crossings.append(crossed)
                crossed = 0
    assert len(crossings) > 10, "two minutes see several points"
    assert sum(crossings) / len(crossings) > 2, "a rally crosses the net more than twice"
    assert max(crossings) > 5
