"""The baseline: Flask-SocketIO as its documentation shows it, with the WebSocket library we use.

Run as a script; it prints `ready: ADDRESS` and serves until it is killed. It also serves a page
with a stock socket.io-client, to see how soon that is back after its thread was blocked, and at
`/lost` when it has noticed which end.
"""

import sys
import time
from pathlib import Path

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import flask
from flask_socketio import SocketIO, emit
from gevent.pywsgi import WSGIServer

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor"

STOCK_PAGE = """<!doctype html><title>stock</title><script type="module">
import { io } from "/vendor/socket.io/socket.io.esm.min.js";
window.opened = [];
io({ transports: ["websocket"] }).on("session_opened", () => {
  window.opened.push(performance.timeOrigin + performance.now());
});
</script>"""


def make(ping_interval_s: int, ping_timeout_s: float) -> tuple[flask.Flask, SocketIO]:
    """The application: it greets, acknowledges an event, and notes when it has noticed an end."""
    application = flask.Flask("bare", static_folder=str(VENDOR), static_url_path="/vendor")
    socketio = SocketIO(
        application,
        async_mode="gevent",
        async_handlers=False,
        transports=["websocket"],
        manage_session=False,
        ping_interval=ping_interval_s,
        ping_timeout=ping_timeout_s,
    )

    @application.get("/")
    def page() -> str:
        return STOCK_PAGE

    lost_at: dict[str, float] = {}

    @application.get("/lost")
    def lost() -> dict[str, float]:
        return lost_at

    @socketio.on("disconnect")  # type: ignore[untyped-decorator]
    def disconnect(reason: object = None) -> None:
        lost_at[flask.request.sid] = time.time()  # type: ignore[attr-defined]

    @socketio.on("connect")  # type: ignore[untyped-decorator]
    def connect(auth: object = None) -> None:
        emit("session_opened", {"session_id": flask.request.sid})  # type: ignore[attr-defined]

    @socketio.on("player_action")  # type: ignore[untyped-decorator]
    def act(payload: object) -> dict[str, bool]:
        return {"ok": True}

    return application, socketio


def main() -> None:
    """Serve on a free port: `bare_server.py PING_INTERVAL_S PING_TIMEOUT_S`."""
    application, _ = make(int(sys.argv[1]), float(sys.argv[2]))
    server = WSGIServer(("127.0.0.1", 0), application, log=None)
    server.init_socket()
    sys.stdout.write(f"ready: http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
