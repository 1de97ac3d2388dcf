"""The command says what it can do, and says in a sentence what it cannot."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import app.joined
import app.logs
import app.services.delivery
import app.services.study_files
import app.web.serving
from app import __version__
from app.cli import _serve, main, serve
from app.services.delivery import Delivery
from app.services.study_files import LoadedStudy, WrittenStudy
from app.settings import Settings, load_settings
from app.stores.sqlite import SqliteStore
from unit.fakes.studies import one_game

ROOT = Path(__file__).parents[1]
ARGUMENTS = {"study"}
"""Settings that are no option: the study is what is served, and stands alone."""

OPTIONS = {
    option.name: option
    for option in serve.params
    if isinstance(option, click.Option) and option.name != "config"
}


def test_help_explains_the_command() -> None:
    """`--help` and `-h` lead to the commands, and from there to every option."""
    runner = CliRunner()
    for flag in ("--help", "-h"):
        result = runner.invoke(main, [flag])
        assert result.exit_code == 0
        assert "serve" in result.output


def test_help_of_serve_names_every_setting() -> None:
    """Each option is shown with its sentence, its variable and its default."""
    result = CliRunner().invoke(main, ["serve", "--help"], terminal_width=1000)
    assert result.exit_code == 0
    for name, field in Settings.model_fields.items():
        if name not in ARGUMENTS:
            assert str(field.description) in result.output
            assert f"[GRACE_{name.upper()}; default: " in result.output
    assert "GRACE_PORT; default: 5000]" in result.output


def test_the_version_is_the_packages() -> None:
    """`--version` works from a checkout too."""
    result = CliRunner().invoke(main, ["--version"])
    assert result.output == f"grace-server, version {__version__}\n"


def test_every_setting_has_an_option_and_every_option_a_setting() -> None:
    """What can be set can be typed, and nothing else."""
    assert {*OPTIONS, *ARGUMENTS} == set(Settings.model_fields)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_named_for_its_setting(name: str) -> None:
    """The name is the setting's with dashes and without the unit; a switch can be turned off."""
    words = name.removesuffix("_s").replace("_", "-")
    option = OPTIONS[name]
    assert option.opts == [f"--{words}"]
    assert option.secondary_opts == ([f"--no-{words}"] if option.is_bool_flag else [])
    assert option.is_bool_flag == (Settings.model_fields[name].annotation is bool)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_is_not_given_is_absent(name: str) -> None:
    """Otherwise it would hide the environment and the file."""
    assert OPTIONS[name].default is None


@pytest.mark.parametrize("arguments", [["serve", "--pong", "1"], ["serve", "a", "b"], ["bake"]])
def test_what_is_no_option_is_refused(arguments: list[str]) -> None:
    """A misspelt option ends the command with its usage, before anything is touched."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.output


def test_refused_settings_end_the_command_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit status 2, a line for the combination, nothing on standard output, no traceback."""
    monkeypatch.setattr("gevent.monkey.patch_all", lambda: None)  # It would last for all tests.
    monkeypatch.setenv("GRACE_LOADING_BUDGET_S", "10")
    ended = CliRunner().invoke(main, ["serve", "--loading-timeout", "20"])
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "grace-server: loading_budget_s (10) is shorter than loading_timeout_s (20):"
        " no load could use its timeout\n"
    )


def test_a_broken_study_ends_the_command_with_file_and_line(tmp_path: Path) -> None:
    """Exit status 2 and `FILE:LINE: sentence`, no traceback, and no store is made for it."""
    study = tmp_path / "study.py"
    study.write_text("from app.studies import Study\n\nstudy = Study(study_id='')\n")
    store = tmp_path / "grace.db"
    # In a process of its own, as it is typed; it ends before it listens.
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", str(study), "--store", f"sqlite:///{store}"],
        capture_output=True, text=True, timeout=30, check=False, cwd=ROOT,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"grace-server: {study}:3: ")
    assert "Traceback" not in ended.stderr
    assert not store.exists()


class Server:
    """What stands in for a server that listens: it is ready at once, and ends at once."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.served: list[tuple[str, int]] = []
        self.prepared: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.app: Any = None

    def serve(
        self, app: Any, host: str, port: int, ready: Callable[[str], None], stop: Any
    ) -> None:
        """Take the place of `app.web.serving.serve`."""
        if self.error is not None:
            raise self.error
        self.app = app
        assert stop == app.extensions["grace"].stop
        self.served.append((host, port))
        ready("http://127.0.0.1:49152")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server without a network, a study without files, and a log that stays as it is."""
    fake = Server()
    study = one_game()
    noted = LoadedStudy(study.study, study.environments, study.path, notes=("A note.",))
    written = WrittenStudy(noted.study, noted.path)
    monkeypatch.setattr(app.services.study_files, "read_study", lambda path: written)
    monkeypatch.setattr(app.services.study_files, "check_study", lambda *given: noted)
    monkeypatch.setattr(app.logs, "configure_logs", lambda: None)
    monkeypatch.setattr(app.joined.Grace, "start", lambda grace: fake.started.append(grace))
    monkeypatch.setattr(app.web.serving, "serve", fake.serve)
    prepare = app.services.delivery.prepare_delivery

    def prepare_plainly(study: LoadedStudy, **given: Any) -> Delivery:
        # Compressing the real files takes seconds.
        fake.prepared.append(given)
        return prepare(study)

    monkeypatch.setattr(app.services.delivery, "prepare_delivery", prepare_plainly)
    return fake


def settings(tmp_path: Path, **given: Any) -> Settings:
    """Settings with a store and a cache of their own, and without a snapshot unless given."""
    own = {
        "store": f"sqlite:///{tmp_path / 'grace.db'}",
        "cache": tmp_path / "cache",
        "snapshots": False,
    }
    return load_settings({**own, **given})


def test_it_says_where_it_is_ready(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the address and one with the admin's; the study's notes are on the side."""
    _serve(settings(tmp_path, admin_token="a-long-token", port=0, host="::1"))
    captured = capsys.readouterr()
    assert captured.out == (
        "Grace Server ready: http://127.0.0.1:49152\n"
        "Admin: http://127.0.0.1:49152/admin/api/sessions\n"
    )
    assert captured.err == "grace-server: A note.\n"
    assert server.served == [("::1", 0)]
    assert server.started == [server.app.extensions["grace"]]


def test_it_says_why_there_is_no_snapshot_and_serves(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment of this study defines nothing."""
    _serve(settings(tmp_path, admin_token="a-long-token", port=0, snapshots=True))
    said = capsys.readouterr().err
    assert "no memory snapshot, so Python is loaded plainly: " in said
    assert "defines no parallel_env()" in said
    assert len(server.served) == 1


@pytest.mark.timeout(240)
def test_the_snapshot_of_a_study_is_made_on_request(tmp_path: Path) -> None:
    """It says how large it is, and where; the second time it is there."""
    said = [CliRunner().invoke(main, ["snapshot", "--cache", str(tmp_path)]) for _ in range(2)]
    assert [result.exit_code for result in said] == [0, 0]
    sizes = r"\d\.\d MB of 3\d\.\d MB \([23]\.\d MB compressed\): .*snapshot\.pack\n"
    assert re.fullmatch(f"Snapshot made now: {sizes}", said[0].stdout)
    assert "making a memory snapshot" in said[0].stderr
    assert re.fullmatch(f"Snapshot from the cache: {sizes}", said[1].stdout)
    assert said[1].stderr == ""


def test_a_study_without_games_needs_no_snapshot(tmp_path: Path) -> None:
    """That is no failure."""
    study = tmp_path / "study.py"
    study.write_text(
        "from app.studies import Study, Text\n"
        "words = Text(scene_id='a', title='A', markdown='')\n"
        "study = Study(study_id='words', title='Words', scenes=[words])\n"
    )
    result = CliRunner().invoke(main, ["snapshot", str(study), "--cache", str(tmp_path / "cache")])
    assert result.exit_code == 0
    assert "needs no snapshot" in result.output


def test_a_snapshot_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    """The reason is the error."""
    study = tmp_path / "nothing.py"
    study.write_text("study = None\n")
    result = CliRunner().invoke(main, ["snapshot", str(study), "--cache", str(tmp_path)])
    assert result.exit_code == 1
    assert "nothing.py" in result.output


def test_what_is_served_is_prepared_in_the_cache(server: Server, tmp_path: Path) -> None:
    """In the folder of the settings; files are compressed side by side."""
    _serve(settings(tmp_path))
    (given,) = server.prepared
    assert given["cache"].folder == tmp_path / "cache"
    assert list(given["at_once"](len, ["one", "three"])) == [3, 5]
    assert server.app.extensions["grace"].core.delivery.bundles


def test_a_cache_that_cannot_be_used_is_said(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence, and the server starts all the same."""
    (tmp_path / "file").touch()
    _serve(settings(tmp_path, cache=tmp_path / "file" / "cache"))
    assert f"grace-server: the cache {tmp_path / 'file'}" in capsys.readouterr().err
    assert server.served == [("127.0.0.1", 5000)]


def test_a_token_is_made_when_none_is_given(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is printed, since nobody else knows it, and it is the one that is asked for."""
    _serve(settings(tmp_path))
    ready, admin = capsys.readouterr().out.splitlines()
    assert ready.startswith("Grace Server ready: ")
    token = admin.partition("  token: ")[2]
    assert len(token) >= 32
    grace = server.app.extensions["grace"]
    assert grace.core.settings.admin_token == token


def test_the_store_is_closed_in_the_end(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However serving ends: a port that is taken leaves no open file behind."""
    closed: list[SqliteStore] = []
    close = SqliteStore.close

    def note_and_close(store: SqliteStore) -> None:
        closed.append(store)
        close(store)

    monkeypatch.setattr(SqliteStore, "close", note_and_close)
    _serve(settings(tmp_path))
    server.error = OSError("the port is taken")
    with pytest.raises(OSError, match="taken"):
        _serve(settings(tmp_path))
    assert len(closed) == 2


def test_a_port_that_is_taken_leaves_the_store_alone(server: Server, tmp_path: Path) -> None:
    """Who starts a study twice by mistake does not end the games of the server that runs."""
    server.error = OSError("the port is taken")
    with pytest.raises(OSError, match="taken"):
        _serve(settings(tmp_path))
    assert server.started == []
