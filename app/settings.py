"""Every setting, once: its type, default, unit, environment variable and one sentence.

A setting is taken from the command line, else from `GRACE_*` in the environment, else from a TOML
file, else from its default. What cannot work together is refused at start, with the reason.
"""

import os
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from app.errors import SettingsError

EXAMPLE_STUDY = Path(__file__).resolve().parent / "examples" / "slime_volleyball"
"""The study that ships with the server."""

DEFAULT_CACHE = Path("~/.cache/grace-server")
"""Where the user's own caches lie (XDG Base Directory Specification)."""

SHORTEST_PRESENCE_PING_S = 0.5
"""A round trip to the other side of the world, and some patience."""

COMING_BACK_S = 3.0
"""Seconds that a page needs to be back once its patience is over."""


class Settings(BaseSettings):
    """The settings of one server. Times are in seconds.

    Raises:
        pydantic.ValidationError: a value is of the wrong type, or the combination cannot work.
            `load_settings()` turns it into a `SettingsError` with one line for each fault.
    """

    model_config = SettingsConfigDict(env_prefix="GRACE_", frozen=True, extra="forbid")

    ping_interval_s: int = Field(
        8, gt=0, le=3600, description="Seconds between two heartbeats (Engine.IO PING) to a page."
    )
    ping_timeout_s: float = Field(
        30,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds a page may take to answer a heartbeat.",
    )
    presence_ping_s: float = Field(
        5,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds between two WebSocket pings, which the browser answers by itself; one"
        " that is unanswered when the next is due makes a lost connection.",
    )
    heartbeat: Literal["presence", "engineio"] = Field(
        "presence",
        description="Who watches the connections: presence (this server, with a budget for each:"
        " a page that loads is not disconnected while its browser answers) or engineio (Engine.IO"
        " alone, with one timeout for all, for comparison).",
    )
    loading_timeout_s: float = Field(
        60,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds of grace for a page that loads Python, from each stage on.",
    )
    loading_budget_s: float = Field(
        180,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds of loading grace a session gets between two successes.",
    )
    loading_grace: bool = Field(
        True, description="Off: every lost connection ends its session at once (control runs)."
    )
    reconnect_grace_s: float = Field(
        15,
        gt=0,
        allow_inf_nan=False,
        description="Seconds of grace for a connection lost while nothing loads.",
    )
    game_start_timeout_s: float = Field(
        180,
        gt=0,
        allow_inf_nan=False,
        description="Seconds a matched or paused game waits for all its players.",
    )
    input_delay_frames: int = Field(
        3, ge=0, le=30, description="Steps between a key press and its effect, to hide round trips."
    )
    runtime: Literal["worker", "main"] = Field(
        "worker",
        description="Where Python runs in the browser: in a worker, which leaves the page free, or"
        " on the page's main thread.",
    )
    snapshots: bool = Field(
        True,
        description="Off: Python is loaded plainly, and not from a memory snapshot.",
    )
    preload: bool = Field(
        True, description="Off: Python loads when a game is matched, not while people read or wait."
    )
    store: str = Field(
        "sqlite:///grace.db", description="Where sessions and the log are kept: sqlite:///FILE."
    )
    study: Path = Field(
        EXAMPLE_STUDY, description="The study's Python file, or a folder with a study.py."
    )
    cache: Path = Field(
        DEFAULT_CACHE,
        description="Folder for what is made once and served often: compressed files, snapshots.",
    )
    pyodide_distribution: Path | None = Field(
        None,
        description="Folder of Pyodide's own distribution, unpacked, for a study's"
        " distribution_packages.",
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(5000, ge=0, le=65535, description="Port; 0 picks a free one.")
    admin_token: str | None = Field(
        None, min_length=8, description="Bearer token of /admin; made and printed if not given."
    )
    gone_kept_s: float = Field(
        3600,
        gt=0,
        allow_inf_nan=False,
        description="Seconds a session that is over stays listed before it is pruned.",
    )
    address_limits: bool = Field(
        True,
        description="Off: nothing is counted by remote address; for a server behind a proxy,"
        " where all have the proxy's.",
    )

    @model_validator(mode="before")
    @classmethod
    def _whole_seconds(cls, values: Any) -> Any:
        interval = values.get("ping_interval_s") if isinstance(values, dict) else None
        if interval is not None:
            try:
                seconds = float(interval)
            except (TypeError, ValueError):
                return values
            if not seconds.is_integer():
                raise ValueError(
                    f"ping_interval_s is {seconds:g}: Engine.IO announces whole seconds only,"
                    " and a page would be told 0 for half a second"
                )
        return values

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.loading_budget_s < self.loading_timeout_s:
            raise ValueError(
                f"loading_budget_s ({self.loading_budget_s:g}) is shorter than loading_timeout_s"
                f" ({self.loading_timeout_s:g}): no load could use its timeout"
            )
        if self.presence_ping_s < SHORTEST_PRESENCE_PING_S:
            raise ValueError(
                f"presence_ping_s ({self.presence_ping_s:g}) is shorter than"
                f" {SHORTEST_PRESENCE_PING_S:g}: a browser far away could not answer in time"
            )
        if not self.store.startswith("sqlite:///") or self.store == "sqlite:///":
            raise ValueError(f"store is {self.store!r}: only sqlite:///FILE is known")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then the TOML file (pydantic-settings' hook)."""
        toml_file = settings_cls.model_config.get("toml_file")
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls)) if toml_file else sources

    @property
    def heartbeat_budget_s(self) -> float:
        """Seconds from one heartbeat's answer to the loss of a page that does not load."""
        return self.ping_interval_s + self.ping_timeout_s

    @property
    def page_patience_s(self) -> float:
        """Seconds without a heartbeat after which a page takes the server for lost.

        That is the heartbeat budget, or less: a path that has died in silence is noticed here after
        one presence interval, or one `ping_timeout_s`, at the earliest, and the page has to be back
        before its grace ends.
        """
        noticed_s = min(self.presence_ping_s, self.ping_timeout_s)
        in_time = noticed_s + self.reconnect_grace_s - COMING_BACK_S
        return min(self.heartbeat_budget_s, max(in_time, 1.5 * self.ping_interval_s))

    @property
    def engine_timeout_s(self) -> float:
        """What Engine.IO, and with it the client of every page, takes for its own timeout.

        Where this server watches, it is longer than any page may be silent: the loading budget,
        and what a page gets after it.
        """
        if self.heartbeat == "engineio":
            return self.ping_timeout_s
        return self.loading_budget_s + self.heartbeat_budget_s

    @property
    def cache_folder(self) -> Path:
        """The folder named by `cache`; the default one may be moved by `XDG_CACHE_HOME`."""
        moved = os.environ.get("XDG_CACHE_HOME", "")
        if self.cache == DEFAULT_CACHE and Path(moved).is_absolute():
            return Path(moved) / DEFAULT_CACHE.name
        return self.cache

    @property
    def sqlite_file(self) -> Path:
        """The file named by `store`."""
        return Path(self.store.removeprefix("sqlite:///"))


def load_settings(given: dict[str, Any], toml_file: Path | None = None) -> Settings:
    """Settings from what was given, the environment and a TOML file, in that order.

    Args:
        given: field names with the values from the command line, absent where not given.
        toml_file: a TOML file with field names as keys, or None.

    Raises:
        SettingsError: with one line for each value or combination that cannot work.
    """
    if toml_file is not None and not toml_file.is_file():
        raise SettingsError(f"the settings file {toml_file} does not exist")

    class _FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=toml_file)

    source: type[Settings] = Settings if toml_file is None else _FromFile
    try:
        return source(**given)
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {toml_file} is not TOML: {error}") from error
    except ValidationError as error:
        lines = [_sentence(detail["loc"], detail["msg"]) for detail in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{'.'.join(map(str, location))}: {message}" if location else message
