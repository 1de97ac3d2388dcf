"""Every setting has a sentence and an environment variable, and what cannot work is refused."""

from pathlib import Path
from typing import Any

import pytest

from app.errors import SettingsError
from app.settings import EXAMPLE_STUDY, Settings, load_settings

NAMES = sorted(Settings.model_fields)

OTHERS: dict[str, tuple[str, object]] = {
    "ping_interval_s": ("25", 25),
    "ping_timeout_s": ("20.5", 20.5),
    "loading_timeout_s": ("61", 61.0),
    "loading_budget_s": ("300", 300.0),
    "loading_grace": ("off", False),
    "reconnect_grace_s": ("0.5", 0.5),
    "game_start_timeout_s": ("90", 90.0),
    "input_delay_frames": ("0", 0),
    "runtime": ("main", "main"),
    "preload": ("false", False),
    "cache": ("caches/mine", Path("caches/mine")),
    "snapshots": ("false", False),
    "pyodide_distribution": ("pyodide/full", Path("pyodide/full")),
    "store": ("sqlite:////var/lab/grace.db", "sqlite:////var/lab/grace.db"),
    "study": ("studies/mine", Path("studies/mine")),
    "host": ("::1", "::1"),
    "port": ("0", 0),
    "admin_token": ("a-long-token", "a-long-token"),
    "presence_ping_s": ("2.5", 2.5),
    "heartbeat": ("engineio", "engineio"),
    "gone_kept_s": ("60", 60.0),
    "address_limits": ("no", False),
}
"""Of every setting: a value other than the default, as text and as it is taken."""

TIMES = [name for name in NAMES if name.endswith("_s")]


def refusal(**given: Any) -> str:
    """The sentences with which settings are refused."""
    with pytest.raises(SettingsError) as refused:
        load_settings(given)
    return str(refused.value)


def test_the_defaults_work_together() -> None:
    """Nobody has to set anything, and the defaults are those of the design."""
    settings = load_settings({})
    assert (settings.ping_interval_s, settings.ping_timeout_s) == (8, 30)
    assert (settings.loading_timeout_s, settings.loading_budget_s) == (60, 180)
    assert (settings.reconnect_grace_s, settings.game_start_timeout_s) == (15, 180)
    assert (settings.loading_grace, settings.preload, settings.runtime) == (
        True,
        True,
        "worker",
    )
    assert settings.study == EXAMPLE_STUDY
    assert settings.admin_token is None


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_sentence(name: str) -> None:
    """The sentence of a setting is all that `--help` and the reference say of it."""
    sentence = Settings.model_fields[name].description
    assert sentence
    assert sentence[0].isupper()
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`GRACE_` and the name in capitals sets it, as text."""
    text, value = OTHERS[name]
    monkeypatch.setenv(f"GRACE_{name.upper()}", text)
    assert getattr(load_settings({}), name) == value


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_can_be_given_as_text(name: str) -> None:
    """The command line hands over what was typed."""
    text, value = OTHERS[name]
    assert getattr(load_settings({name: text}), name) == value


def test_every_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    """A TOML file sets by field name, in TOML's own types."""
    file = tmp_path / "grace.toml"
    lines = []
    for name, (_, value) in OTHERS.items():
        literal = str(value).lower() if isinstance(value, bool | int | float) else f"'{value}'"
        lines.append(f"{name} = {literal}")
    file.write_text("\n".join(lines))
    settings = load_settings({}, file)
    assert settings.model_dump() == {name: value for name, (_, value) in OTHERS.items()}


def test_the_nearest_word_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was typed goes before the environment, the environment before the file."""
    file = tmp_path / "grace.toml"
    file.write_text("port = 1\nhost = 'file'\ngone_kept_s = 1.0\n")
    monkeypatch.setenv("GRACE_PORT", "2")
    monkeypatch.setenv("GRACE_HOST", "environment")
    settings = load_settings({"port": "3"}, file)
    assert (settings.port, settings.host, settings.gone_kept_s) == (3, "environment", 1.0)
    assert settings.preload is Settings.model_fields["preload"].default


def test_one_file_does_not_reach_the_next_load(tmp_path: Path) -> None:
    """Settings of a file are those of that file only."""
    file = tmp_path / "grace.toml"
    file.write_text("port = 1")
    load_settings({}, file)
    assert load_settings({}).port == Settings.model_fields["port"].default


@pytest.mark.parametrize(
    ("settings", "patience_s"),
    [
        ({}, 5 + 15 - 3),
        ({"reconnect_grace_s": 300}, 8 + 30),
        ({"presence_ping_s": 60, "reconnect_grace_s": 8}, 30 + 8 - 3),
        ({"ping_timeout_s": 8}, 8 + 8),
        ({"reconnect_grace_s": 3}, 8 * 1.5),
        ({"reconnect_grace_s": 3, "ping_interval_s": 1, "presence_ping_s": 1}, 1.5),
    ],
)
def test_a_page_gives_a_server_up_in_time(settings: dict[str, Any], patience_s: float) -> None:
    """So that it is back before its grace ends; never before a heartbeat may have been missed."""
    assert load_settings(settings).page_patience_s == patience_s


@pytest.mark.parametrize(
    "given",
    [{"presence_ping_s": 0.4}, {"loading_timeout_s": 1e9}, {"loading_budget_s": 1e9}],
    ids=str,
)
def test_times_that_no_browser_could_keep_are_refused(given: dict[str, float]) -> None:
    """A ping has to have the time to come back; a client's timers end at three weeks."""
    assert next(iter(given)) in refusal(**given)


def test_a_budget_under_the_timeout_is_refused() -> None:
    """A budget that no load could use up is a mistake, and both numbers are named."""
    sentence = refusal(loading_budget_s="59.5", loading_timeout_s="60")
    assert "loading_budget_s (59.5) is shorter than loading_timeout_s (60)" in sentence
    assert load_settings({"loading_budget_s": 60}).loading_budget_s == 60


@pytest.mark.parametrize("text", ["0.5", "8.5", "1e-3", "nan", "inf"])
def test_a_ping_interval_of_part_of_a_second_is_refused(text: str) -> None:
    """Engine.IO announces whole seconds, so half a second would be announced as none."""
    sentence = refusal(ping_interval_s=text)
    assert f"ping_interval_s is {float(text):g}: Engine.IO announces whole seconds" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("given", [8, "8", 8.0, "8.0"])
def test_a_ping_interval_of_whole_seconds_is_taken(given: object) -> None:
    """However a whole number is written."""
    assert load_settings({"ping_interval_s": given}).ping_interval_s == 8


@pytest.mark.parametrize("text", ["0", "-1"])
@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_is_not_positive_is_refused(name: str, text: str) -> None:
    """No time can be nothing or less, and the sentence names it."""
    sentence = refusal(**{name: text})
    assert f"{name}: Input should be greater than 0" in sentence.splitlines()


@pytest.mark.parametrize("text", ["inf", "1e999", "nan"])
@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_never_ends_is_refused(name: str, text: str) -> None:
    """Grace always ends by itself, and JSON has no word for infinity: none could be stored."""
    assert name in refusal(**{name: text})


def test_a_reconnect_grace_may_be_the_longer_one() -> None:
    """It is allowed to exceed the loading timeout."""
    settings = load_settings({"reconnect_grace_s": 120, "loading_timeout_s": 60})
    assert settings.reconnect_grace_s > settings.loading_timeout_s


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"port": "65536"}, "port: Input should be less than or equal to 65535"),
        ({"port": "-1"}, "port: Input should be greater than or equal to 0"),
        ({"port": "http"}, "port: Input should be a valid integer"),
        ({"input_delay_frames": "31"}, "input_delay_frames: Input should be less than"),
        ({"input_delay_frames": "-1"}, "input_delay_frames: Input should be greater than"),
        ({"runtime": "wasm"}, "runtime: Input should be 'worker' or 'main'"),
        ({"loading_grace": "perhaps"}, "loading_grace: Input should be a valid boolean"),
        ({"admin_token": "short"}, "admin_token: String should have at least 8 characters"),
        ({"store": "redis://localhost"}, "store is 'redis://localhost': only sqlite:///FILE"),
        ({"store": "sqlite:///"}, "store is 'sqlite:///': only sqlite:///FILE"),
        ({"pong": "1"}, "pong: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, str], sentence: str) -> None:
    """One line says which setting, and what it should be."""
    assert refusal(**given).startswith(sentence)


def test_every_fault_has_its_line() -> None:
    """Whoever made three mistakes learns of all of them at once."""
    lines = refusal(port="x", ping_timeout_s="0", runtime="wasm").splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["ping_timeout_s", "port", "runtime"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port = 'x'", "port: Input should be a valid integer"),
        ("ping_interval_s = 0.5", "ping_interval_s is 0.5: "),
        ("pong = 1", "pong: Extra inputs are not permitted"),
        ("port = ", "grace.toml"),
        ("port = 1\nport = 2", "grace.toml"),
        ("port = '\udcff'", "grace.toml"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """A file with a wrong value, an unknown name, or that is no TOML, is refused as settings."""
    file = tmp_path / "grace.toml"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(SettingsError) as refused:
        load_settings({}, file)
    assert sentence in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A misspelt path is not taken for a file without settings."""
    with pytest.raises(SettingsError, match=r"grace\.toml does not exist"):
        load_settings({}, tmp_path / "grace.toml")


@pytest.mark.parametrize(
    ("cache", "moved", "folder"),
    [
        (None, "", "~/.cache/grace-server"),
        (None, "/var/cache", "/var/cache/grace-server"),
        (None, "here", "~/.cache/grace-server"),
        ("/my/cache", "/var/cache", "/my/cache"),
    ],
)
def test_the_cache_lies_with_the_users_own(
    cache: str | None, moved: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where `XDG_CACHE_HOME` names no absolute path it says nothing (XDG Base Directory)."""
    monkeypatch.setenv("XDG_CACHE_HOME", moved)
    given = {} if cache is None else {"cache": cache}
    assert load_settings(given).cache_folder == Path(folder)


def test_settings_do_not_change() -> None:
    """A running server keeps the settings that were checked together."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("store", "file"),
    [("sqlite:///grace.db", "grace.db"), ("sqlite:////var/lab/grace.db", "/var/lab/grace.db")],
)
def test_the_store_names_a_file(store: str, file: str) -> None:
    """Three slashes for a path from here, four for one from the root."""
    assert load_settings({"store": store}).sqlite_file == Path(file)
