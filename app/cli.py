"""The command `grace-server`."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import __version__
from app.errors import GraceError
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.python.cache import Cache
    from app.python.parts import SnapshotFile
    from app.services.delivery import Delivery
    from app.services.packages import PreparedPackages
    from app.services.study_files import LoadedStudy

_OPTIONS: dict[str, str] = {
    "--host": "host",
    "--port": "port",
    "--ping-interval": "ping_interval_s",
    "--ping-timeout": "ping_timeout_s",
    "--presence-ping": "presence_ping_s",
    "--heartbeat": "heartbeat",
    "--loading-timeout": "loading_timeout_s",
    "--loading-budget": "loading_budget_s",
    "--reconnect-grace": "reconnect_grace_s",
    "--game-start-timeout": "game_start_timeout_s",
    "--input-delay-frames": "input_delay_frames",
    "--runtime": "runtime",
    "--store": "store",
    "--cache": "cache",
    "--pyodide-distribution": "pyodide_distribution",
    "--admin-token": "admin_token",
    "--gone-kept": "gone_kept_s",
}
_SWITCHES: dict[str, str] = {
    "--loading-grace/--no-loading-grace": "loading_grace",
    "--snapshots/--no-snapshots": "snapshots",
    "--preload/--no-preload": "preload",
    "--address-limits/--no-address-limits": "address_limits",
}
_NO_DEFAULT = {"pyodide_distribution": "none"}


def _setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each setting, with its sentence; absent unless given."""
    for switch, name in reversed(_SWITCHES.items()):
        command = click.option(switch, name, default=None, help=_help_of(name))(command)
    for option, name in reversed(_OPTIONS.items()):
        command = click.option(option, name, default=None, help=_help_of(name))(command)
    return command


def _help_of(name: str) -> str:
    field = Settings.model_fields[name]
    default = _NO_DEFAULT.get(name, "made at start") if field.default is None else field.default
    return f"{field.description} [GRACE_{name.upper()}; default: {default}]"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grace-server")
def main() -> None:
    """Serve studies whose participants run Python in their browser, and keep those participants."""


@main.command()
@click.argument("study", required=False, type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), help="A TOML file with settings, by field name."
)
@_setting_options
def serve(study: Path | None, config: Path | None, **given: Any) -> None:
    """Serve STUDY, a study file or its folder; the shipped example when it is not named.

    A setting is taken from an option, else from its GRACE_* variable, else from the TOML file.
    """
    # First of all: what is imported from here on works with gevent instead of threads.
    from gevent import monkey

    monkey.patch_all()
    values = {name: value for name, value in given.items() if value is not None}
    if study is not None:
        values["study"] = study
    try:
        settings = load_settings(values, config)
        _serve(settings)
    except (GraceError, OSError) as error:
        click.echo(f"grace-server: {error}", err=True)
        sys.exit(2)


@main.command()
@click.argument("study", required=False, type=click.Path(path_type=Path))
@click.option("--cache", type=click.Path(path_type=Path), help=_help_of("cache"))
@click.option(
    "--pyodide-distribution",
    type=click.Path(path_type=Path),
    help=_help_of("pyodide_distribution"),
)
def snapshot(study: Path | None, cache: Path | None, pyodide_distribution: Path | None) -> None:
    """Make the memory snapshot of STUDY, as `serve` does at its first start.

    It holds Python with the study's environments imported. Fails when it cannot be made.
    """
    from app.python.cache import open_cache
    from app.services.packages import prepare_packages
    from app.services.snapshots import describe_snapshot, study_snapshot
    from app.services.study_files import check_study, read_study

    made_now = False

    def say(sentence: str) -> None:
        nonlocal made_now
        made_now = True
        _say(sentence)

    given = {"study": study, "cache": cache, "pyodide_distribution": pyodide_distribution}
    try:
        settings = load_settings({name: value for name, value in given.items() if value})
        store = open_cache(settings.cache_folder, _say)
        written = read_study(settings.study)
        packages = prepare_packages(
            written, store, distribution=settings.pyodide_distribution, say=_say
        )
        loaded = check_study(written, packages.folder)
        made = study_snapshot(loaded, store, packages=packages, say=say)
        described = describe_snapshot(made, store) if made else None
    except (GraceError, OSError) as error:
        click.echo(f"grace-server: {error}", err=True)
        sys.exit(1)
    if described is None:
        click.echo("The study has no environment, so it needs no snapshot.")
    else:
        click.echo(f"Snapshot {'made now' if made_now else 'from the cache'}: {described}")


@main.command()
@click.argument("study", required=False, type=click.Path(path_type=Path))
@click.option("--upgrade", is_flag=True, help="Choose all versions anew.")
@click.option("--cache", type=click.Path(path_type=Path), help=_help_of("cache"))
def packages(study: Path | None, upgrade: bool, cache: Path | None) -> None:
    """Look up the Python packages of STUDY, and write which they are into its packages.lock.

    pip asks the package index for what the study's `packages` name and all that they need, as pure
    or WebAssembly wheels. What is locked stays as it is, unless the study names other packages.
    """
    from app.python.cache import open_cache
    from app.services.packages import lock_file, lock_packages
    from app.services.study_files import read_study

    given = {"study": study, "cache": cache}
    try:
        settings = load_settings({name: value for name, value in given.items() if value})
        written = read_study(settings.study)
        store = open_cache(settings.cache_folder, _say)
        lock = lock_packages(written, store, upgrade=upgrade, say=_say)
    except (GraceError, OSError) as error:
        click.echo(f"grace-server: {error}", err=True)
        sys.exit(2)
    if lock is None:
        click.echo("The study names no packages of the package index, so it needs no lock.")
        return
    for wheel in lock.wheels:
        kind = "" if wheel.pure else ", WebAssembly"
        needed = ", ".join(wheel.requested_by)
        click.echo(f"{wheel.pin} ({wheel.size / 1e3:.0f} kB{kind}), for {needed}")
    click.echo(f"Locked: {lock_file(written.path)}")


def _serve(settings: Settings) -> None:
    from app import create_app
    from app.clock import SystemClock
    from app.logs import configure_logs
    from app.python.cache import open_cache
    from app.services.packages import prepare_packages
    from app.services.study_files import check_study, read_study
    from app.stores.sqlite import SqliteStore
    from app.web.serving import serve as serve_http

    configure_logs()
    written = read_study(settings.study)
    cache = open_cache(settings.cache_folder, _say)
    cache.prune()
    packages = prepare_packages(
        written, cache, distribution=settings.pyodide_distribution, say=_say
    )
    study = check_study(written, packages.folder)
    for note in study.notes:
        _say(note)
    delivery = _prepare(settings, study, packages, cache)
    clock = SystemClock()
    store = SqliteStore(settings.sqlite_file, sleep=clock.sleep)
    token = settings.admin_token or secrets.token_urlsafe(24)
    settings, made = settings.model_copy(update={"admin_token": token}), not settings.admin_token
    app = create_app(settings, clock=clock, store=store, study=study, delivery=delivery)
    grace = app.extensions["grace"]

    def ready(address: str) -> None:
        # Only now: a second server on a taken port must not end the games of the first.
        grace.start()
        click.echo(f"Grace Server ready: {address}")
        click.echo(f"Admin: {address}/admin/api/sessions" + (f"  token: {token}" if made else ""))
        sys.stdout.flush()

    try:
        serve_http(app, settings.host, settings.port, ready, grace.stop)
    finally:
        store.close()


def _prepare(
    settings: Settings, study: LoadedStudy, packages: PreparedPackages, cache: Cache
) -> Delivery:
    """Make what is served, in threads of the system: gevent's own do one thing at a time."""
    from gevent.threadpool import ThreadPool

    from app.services.delivery import prepare_delivery

    threads = ThreadPool(2)
    try:
        snapshot = _snapshot(study, packages, cache) if settings.snapshots else None
        return prepare_delivery(
            study,
            cache=cache,
            snapshot=snapshot,
            packages=packages.served,
            say=_say,
            at_once=threads.map,
        )
    finally:
        threads.kill()


def _snapshot(study: LoadedStudy, packages: PreparedPackages, cache: Cache) -> SnapshotFile | None:
    from app.python.snapshots import SnapshotNotMade
    from app.services.snapshots import study_snapshot

    try:
        return study_snapshot(study, cache, packages=packages, say=_say)
    except (SnapshotNotMade, OSError) as error:
        _say(f"no memory snapshot, so Python is loaded plainly: {error}")
        return None


def _say(sentence: str) -> None:
    click.echo(f"grace-server: {sentence}", err=True)


if __name__ == "__main__":
    main()
