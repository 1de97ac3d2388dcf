"""The admin JSON, behind a bearer token (RFC 6750)."""

import secrets
from typing import Any

import flask

from app.services.addresses import Addresses, Limits
from app.services.core import Core
from app.services.views import game_view, session_view

WRONG_TOKENS = Limits(guesses_per_s=1.0, guesses_burst=100.0)
"""How many wrong tokens of one address are answered as such."""


def admin_api(core: Core, token: str | None) -> flask.Blueprint:
    """`/admin/api/sessions`, `/admin/api/events?after=N&limit=M`, `/admin/api/games`.

    The right token is always let in, so that nobody can lock the experimenter out; it has to be
    too long to be guessed. Comparing takes as long for every token of that length.

    Args:
        core: the shared parts.
        token: the bearer token that is asked for; None refuses everybody.
    """
    blueprint = flask.Blueprint("admin", __name__, url_prefix="/admin/api")
    addresses = Addresses(WRONG_TOKENS)

    def may_guess() -> bool:
        address = flask.request.remote_addr or ""
        counted = core.settings.address_limits
        return not counted or addresses.may_guess(address, core.clock.now())

    @blueprint.before_request
    def check_token() -> flask.Response | None:
        given = flask.request.headers.get("Authorization", "")
        wanted = f"Bearer {token}"
        if token is not None and secrets.compare_digest(given.encode(), wanted.encode()):
            return None
        if given and not may_guess():
            refused = flask.jsonify(error={"code": "rate_limited", "message": "too many tokens"})
            refused.status_code = 429
            refused.headers["Retry-After"] = "60"
            return refused
        refused = flask.jsonify(error={"code": "unauthorized", "message": "a token is needed"})
        refused.status_code = 401
        refused.headers["WWW-Authenticate"] = 'Bearer realm="grace-server"'
        return refused

    @blueprint.get("/sessions")
    def sessions() -> Any:
        now = core.clock.now()
        busy_since = core.connections.busy_since
        views = [session_view(one, now, busy_since(one.id)) for one in core.store.sessions()]
        return flask.jsonify(views)

    @blueprint.get("/events")
    def events() -> Any:
        after, limit = _number("after"), _number("limit")
        return flask.jsonify(core.store.events(after or 0, limit))

    @blueprint.get("/games")
    def games() -> Any:
        now = core.clock.now()
        return flask.jsonify([game_view(game, now) for game in core.store.games()])

    return blueprint


def _number(name: str) -> int | None:
    text = flask.request.args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        flask.abort(400, f"{name} is not a number")
    return int(text)
