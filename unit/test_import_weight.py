"""Who writes a study or drives a browser does not get the server with it."""

import subprocess
import sys
from pathlib import Path

SERVER = ("engineio", "flask", "flask_socketio", "gevent", "simple_websocket", "socketio")

SCRIPT = f"""
import sys
import app, app.studies, app.lab
loaded = sorted(set({SERVER!r}) & set(sys.modules))
assert not loaded, loaded
import app.settings, app.protocol, app.sessions, app.games, app.stores.base
loaded = sorted(set({SERVER!r}) & set(sys.modules))
assert not loaded, loaded
"""


def test_a_study_is_light() -> None:
    """Importing `app.studies`, `app.lab` or what is pure loads neither Flask nor gevent."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, timeout=30, check=False,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
