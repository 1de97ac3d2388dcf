"""Adds the pages of the group `load` to a server: `/bench/MODE/` for each way to load Python.

Ours are the page as it is served, with the policies, the hints and the configuration that belong to
the way; only the first script is another one, which loads Python with the page's own modules and
opens no connection. The plain page has the same server, policies and files, and nothing of ours.
"""

import json
from dataclasses import replace
from pathlib import Path

import flask

from app.python.bundle import Bundle, plain_bundle
from app.python.cache import temporary_cache
from app.services.core import Core
from app.services.delivery import Delivery

HERE = Path(__file__).with_name("load_pages")
SCRIPTS = ("plain.js", "ours.js", "play.js")

BLANK = '<!doctype html><title>blank</title><link rel="icon" href="data:,">'
"""A page of the same server, to set a throttle on before the navigation that is measured."""


def add_load_pages() -> None:
    """Change the server that is about to be started."""
    from app.web import pages as served

    # Their addresses are made of their content, as everything's: browsers keep their compiled code.
    # Read now: a file that is edited in the minutes of a run would arrive cut off.
    contents = {name: (HERE / name).read_bytes() for name in SCRIPTS}
    bench = plain_bundle(contents, temporary_cache)
    plain_page = (HERE / "plain.html").read_text()
    get_bundles = vars(Delivery)["bundles"].fget
    make_pages = served.pages

    def bundles(delivery: Delivery) -> tuple[Bundle, ...]:
        return (*get_bundles(delivery), bench)

    def pages(core: Core) -> flask.Blueprint:
        blueprint = make_pages(core)

        @blueprint.get("/bench/blank")
        def blank() -> str:
            return BLANK

        @blueprint.get("/bench/plain/")
        def plain() -> str:
            config = served.page_config(core, None)
            return flask.render_template_string(
                plain_page,
                config=json.dumps(config).replace("<", "\\u003c"),
                pyodide=core.delivery.pyodide.address,
                script=bench.url("plain.js"),
            )

        for mode, changed in _ways(core).items():
            page = make_pages(changed)
            page.after_request(lambda response: _with_script(response, core, bench.url("ours.js")))
            blueprint.register_blueprint(page, url_prefix=f"/bench/{mode}", name=mode)
        return blueprint

    setattr(Delivery, "bundles", property(bundles))  # noqa: B010
    setattr(served, "pages", pages)  # noqa: B010


def _ways(core: Core) -> dict[str, Core]:
    """By its mode, each way that this server offers to load Python."""
    ways = {}
    for runtime in ("main", "worker"):
        settings = core.settings.model_copy(update={"runtime": runtime})
        bare = replace(core.delivery, snapshot=None)
        ways[runtime] = replace(core, settings=settings, delivery=bare)
        if core.delivery.snapshot is not None:
            ways[f"{runtime}-snapshot"] = replace(core, settings=settings)
    return ways


def _with_script(response: flask.Response, core: Core, script: str) -> flask.Response:
    served = f'src="{core.delivery.page.address}js/start.js"'
    page = response.get_data(as_text=True)
    assert served in page
    response.set_data(page.replace(served, f'src="{script}"'))
    return response
