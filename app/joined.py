"""The parts of a server, joined."""

import contextlib
import importlib.util
from dataclasses import dataclass

import flask
from flask_socketio import SocketIO

from app.admin.api import admin_api
from app.admin.process import add_process_view
from app.clock import Clock
from app.errors import SettingsError, StoreError
from app.services.busy import BusyPages
from app.services.core import Core
from app.services.delivery import Delivery
from app.services.games import GameService
from app.services.inbox import LossInbox
from app.services.performer import Performer
from app.services.restart import recover
from app.services.sessions import SessionService
from app.services.study_files import LoadedStudy
from app.services.sweeper import Sweeper
from app.services.waiting import WaitingService
from app.settings import Settings
from app.sockets.emitter import SocketEmitter
from app.sockets.engine import measure_heartbeats_steadily, use_websocket
from app.sockets.handlers import Handlers
from app.sockets.register import Sockets
from app.sockets.transport import GraceWebSocket
from app.sockets.watch import Watch
from app.sockets.websocket import MAX_MESSAGE_BYTES
from app.stores.base import Store
from app.studies import Stager
from app.web.headers import add_headers
from app.web.pages import pages
from app.web.static_files import StaticFiles


@dataclass(slots=True)
class Grace:
    """What runs beside the requests of one application."""

    core: Core
    games: GameService
    sweeper: Sweeper
    inbox: LossInbox
    socketio: SocketIO
    sockets: Sockets
    watch: Watch | None

    def start(self) -> None:
        """Take over what an earlier server left, then start what runs beside the requests."""
        recover(self.core, self.games)
        if self.watch is not None:
            self.socketio.start_background_task(self.watch.run, lambda: self.core.stopping)
        self.socketio.start_background_task(self.sweeper.run)
        self.socketio.start_background_task(self.inbox.run)

    def stop(self) -> None:
        """Refuse new connections and note when the server was last alive.

        The losses of the connections that end now are left to the next start, which gives every
        session its grace from then on.
        """
        self.inbox.drain()
        self.core.stopping = True
        self.sweeper.wake()
        self.inbox.stop()
        # A store that is held by another process must not keep the server from ending.
        with contextlib.suppress(StoreError):
            self.core.store.mark_alive(self.core.clock.now())


def join(
    settings: Settings, *, clock: Clock, store: Store, study: LoadedStudy, delivery: Delivery
) -> flask.Flask:
    """See `app.create_app`."""
    if importlib.util.find_spec("geventwebsocket") is not None:
        raise SettingsError(
            "gevent-websocket is installed: Engine.IO would take it instead of our WebSocket,"
            " and the close code would be lost. Uninstall it."
        )
    application = flask.Flask("app", static_folder=None)
    application.after_request(add_headers)
    socketio = SocketIO(
        application,
        async_mode="gevent",
        async_handlers=False,
        transports=["websocket"],
        manage_session=False,
        ping_interval=settings.ping_interval_s,
        ping_timeout=settings.engine_timeout_s,
        max_http_buffer_size=MAX_MESSAGE_BYTES,
    )
    measure_heartbeats_steadily()
    sockets = Sockets(clock.now)
    use_websocket(socketio.server.eio, lambda handler: GraceWebSocket(handler, sockets))
    emitter = SocketEmitter(socketio, sockets)
    core = Core(
        settings=settings,
        clock=clock,
        store=store,
        study=study,
        stager=Stager(study.study),
        outbox=emitter,
        delivery=delivery,
    )
    games = GameService(core)
    sessions = SessionService(core, games)
    waiting = WaitingService(core, games)
    sweeper = Sweeper(core, sessions, games)
    watch = None
    if settings.heartbeat == "presence":
        watch = Watch(
            sockets,
            clock,
            presence_ping_s=settings.presence_ping_s,
            ping_timeout_s=settings.ping_timeout_s,
        )
    owing = sockets.owing if watch is None else sockets.busy
    sweeper.chores += [sockets.reap, BusyPages(core, owing).look]
    core.effects.perform = Performer(core, sessions, games, waiting, sweeper).perform
    inbox = LossInbox(sessions, clock)
    Handlers(core, sessions, games, inbox, sockets, emitter).register(socketio.server)
    application.register_blueprint(pages(core))
    admin = admin_api(core, settings.admin_token)
    add_process_view(admin, core, sockets)
    application.register_blueprint(admin)
    # Around Socket.IO too: a file is one look into a table.
    application.wsgi_app = StaticFiles(application.wsgi_app, delivery.bundles)  # type: ignore[method-assign]
    application.extensions["grace"] = Grace(core, games, sweeper, inbox, socketio, sockets, watch)
    return application
