"""Rows about actions: what relaying them costs, and how many games one process carries."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.raw_page import RawPage
from e2e.speed import subjects
from e2e.speed.player import Player
from e2e.speed.subjects import Subject
from e2e.speed.table import Row, median, percentile

ROUNDS = 3
PAGES = 50
EVENTS_EACH = 400

STEPS_PER_S = 30
RUN_S = 5.0
"""How long every number of games is played before it is judged."""

MOST_DELAY_MS = 20.0
GAMES = (25, 50, 75, 100, 125, 150, 200, 250, 300)


def relaying(study: Path, folder: Path) -> list[Row]:
    """Player actions relayed per CPU second, beside acknowledged events of the baselines."""
    rates: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        with ExitStack() as running:
            crowd = running.enter_context(Crowd())
            bare = running.enter_context(subjects.bare())
            ours = running.enter_context(subjects.ours(study, folder / f"relaying-{number}"))
            node = running.enter_context(subjects.node())
            rates.setdefault("bare", []).append(crowd.run(_acknowledge(bare)))
            rates.setdefault("ours", []).append(crowd.run(_relay(ours)))
            if node is not None:
                rates.setdefault("node", []).append(crowd.run(_acknowledge(node)))
    rate = {name: median(values) for name, values in rates.items()}
    return [
        Row(
            what="actions relayed per CPU second",
            ours=rate["ours"],
            bare=rate["bare"],
            node=rate.get("node"),
            ratio=rate["ours"] / rate["bare"],
            target="at least 3 times bare's acknowledged events",
            met=rate["ours"] >= 3 * rate["bare"],
            note=f"{PAGES // 2} games of two in lockstep; each action is checked and goes to both",
        )
    ]


async def _acknowledge(subject: Subject) -> float:
    pages = await open_pages(subject.url, PAGES)
    payload = {"game_id": "g_0123456789abcdef", "frame": 0, "action": 1}

    async def talk(page: RawPage) -> None:
        for frame in range(EVENTS_EACH):
            await page.say("player_action", {**payload, "frame": frame})

    cpu_s = subject.cpu_s()
    await for_each(pages, talk, at_once=PAGES)
    used_s = subject.cpu_s() - cpu_s
    await for_each(pages, RawPage.drop)
    return PAGES * EVENTS_EACH / used_s


async def _relay(subject: Subject) -> float:
    players = await start_games(subject.url, PAGES // 2)
    cpu_s = subject.cpu_s()
    await asyncio.gather(*(player.play(EVENTS_EACH) for player in players))
    used_s = subject.cpu_s() - cpu_s
    for player in players:
        player.abort()
    return PAGES * EVENTS_EACH / used_s


async def start_games(url: str, number: int) -> list[Player]:
    """The players of that many running games of two."""
    pages = await open_pages(url, 2 * number)
    await for_each(pages, lambda page: page.say("join_game"))
    matched = await for_each(pages, lambda page: page.wait_for("game_matched"), at_once=2 * number)
    ready = zip(pages, matched, strict=True)
    await for_each(ready, lambda one: one[0].say("player_ready", {"game_id": one[1]["game_id"]}))
    await for_each(pages, lambda page: page.wait_for("game_started"), at_once=2 * number)
    return [Player(page, game["game_id"]) for page, game in zip(pages, matched, strict=True)]


def games_at_once(study: Path, folder: Path) -> list[Row]:
    """How many games of 30 steps a second are hardly delayed; the first too many ends it."""
    carried, limit = (0, 0.0), ""
    with Crowd() as crowd:
        for number in GAMES:
            with subjects.ours(study, folder / f"games-{number}") as ours:
                slow_ms, busy, own_ms = crowd.run(_play_on_time(ours, number))
            if slow_ms > MOST_DELAY_MS:
                limit = (
                    f"{number} games: {slow_ms:.1f} ms with the server at {busy:.0%} of a core; the"
                    f" players' own loop was late by {own_ms:.1f} ms (99th percentile)"
                )
                break
            carried = (number, slow_ms)
    return [
        Row(
            what=f"games of {STEPS_PER_S} steps/s, relayed within {MOST_DELAY_MS:g} ms (p99)",
            ours=carried[0],
            note=f"99th percentile {carried[1]:.1f} ms; {limit or 'more were not tried'}",
        )
    ]


async def _play_on_time(ours: Subject, number: int) -> tuple[float, float, float]:
    players = await start_games(ours.url, number)
    steps = int(RUN_S * STEPS_PER_S)
    cpu_s, begun = ours.cpu_s(), time.perf_counter()
    # Games do not step in time with each other.
    lag = [1 / STEPS_PER_S * (index // 2) / number for index in range(len(players))]
    await asyncio.gather(
        *(
            player.play_on_time(steps, 1 / STEPS_PER_S, begun + late)
            for player, late in zip(players, lag, strict=True)
        )
    )
    busy = (ours.cpu_s() - cpu_s) / (time.perf_counter() - begun)
    for player in players:
        player.abort()
    delays = [delay for player in players for delay in player.delays_ms]
    own = [late for player in players for late in player.late_ms]
    return percentile(delays, 99), busy, percentile(own, 99)
