"""The page, and the health check."""

import json
from typing import Any

import flask

from app.services.core import Core
from app.studies import Game

LONGEST_LABEL = 128


def pages(core: Core) -> flask.Blueprint:
    """The routes of the page and the health check."""
    blueprint = flask.Blueprint("pages", __name__, template_folder="templates")

    @blueprint.get("/")
    def page() -> str:
        config = page_config(core, flask.request.args.get("participant"))
        # In a script element only "<" could end the JSON; escaped it is the same JSON.
        return flask.render_template(
            "index.html",
            title=core.study.study.title,
            static=core.delivery.page.address,
            modules=core.delivery.modules,
            config=json.dumps(config).replace("<", "\\u003c"),
        )

    @blueprint.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "stopping" if core.stopping else "ok"}

    return blueprint


def page_config(core: Core, participant: str | None) -> dict[str, Any]:
    """What the page has to know before it connects. `participant` is a label, shortened."""
    study = core.study.study
    games = [scene for scene in study.scenes if isinstance(scene, Game)]
    delivery = core.delivery
    first = games[0] if games else None
    return {
        "study": {"id": study.study_id, "title": study.title},
        "participant": participant[:LONGEST_LABEL] if participant else None,
        "preload": core.settings.preload,
        "python": delivery.python_config(core.settings.runtime),
        "first_environment": None
        if first is None
        else {"url": delivery.environment_address(first.scene_id), "config": dict(first.config)},
    }
