"""The page and the environments it steps."""

import json
from typing import Any

import flask

from app.services.core import Core
from app.services.scene_view import environment_address
from app.studies import Game

PYODIDE_URL = "/static/vendor/pyodide/"
RUNNER_URL = "/static/py/grace_runner.py"
LONGEST_LABEL = 128


def pages(core: Core) -> flask.Blueprint:
    """The routes of the page, its environments and the health check."""
    blueprint = flask.Blueprint("pages", __name__, template_folder="templates")

    @blueprint.get("/")
    def page() -> str:
        config = page_config(core, flask.request.args.get("participant"))
        # In a script element only "<" could end the JSON; escaped it is the same JSON.
        return flask.render_template(
            "index.html",
            title=core.study.study.title,
            config=json.dumps(config).replace("<", "\\u003c"),
        )

    @blueprint.get("/study/<scene_id>/environment.py")
    def environment(scene_id: str) -> flask.Response:
        found = core.study.environments.get(scene_id)
        if found is None:
            flask.abort(404)
        return flask.Response(found.source, mimetype="text/x-python")

    @blueprint.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "stopping" if core.stopping else "ok"}

    return blueprint


def page_config(core: Core, participant: str | None) -> dict[str, Any]:
    """What the page has to know before it connects. `participant` is a label, shortened."""
    study = core.study.study
    games = [scene for scene in study.scenes if isinstance(scene, Game)]
    return {
        "study": {"id": study.study_id, "title": study.title},
        "participant": participant[:LONGEST_LABEL] if participant else None,
        "runtime": core.settings.runtime,
        "preload": core.settings.preload,
        "pyodide_url": PYODIDE_URL,
        "runner_url": RUNNER_URL,
        "first_environment_url": environment_address(games[0].scene_id) if games else None,
        "first_environment_config": dict(games[0].config) if games else None,
    }
