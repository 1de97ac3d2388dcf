"""Grace Server: keeps a participant whose page is busy loading Python.

`create_app` joins the parts and is the only place that knows all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import flask

    from app.clock import Clock
    from app.services.delivery import Delivery
    from app.services.study_files import LoadedStudy
    from app.settings import Settings
    from app.stores.base import Store

__version__ = "0.1.0"


def create_app(
    settings: Settings,
    *,
    clock: Clock,
    store: Store,
    study: LoadedStudy | None = None,
    delivery: Delivery | None = None,
) -> flask.Flask:
    """The application, ready to be served, with its parts in `app.extensions["grace"]`.

    Nothing runs yet: `app.joined.Grace.start()` takes over the store an earlier server left and
    starts the sweeper.

    Args:
        settings: checked settings; `admin_token` is the bearer token of `/admin/api`, and without
            one nobody gets in there.
        clock: the only source of time.
        store: an open store.
        study: the study that is served; by default it is loaded from `settings.study`.
        delivery: what is served with it; by default files as they lie, and nothing compressed.

    Raises:
        StudyFileError: the study or one of its environments cannot be used.
        SettingsError: gevent-websocket is installed, which Engine.IO would silently prefer.
    """
    # Imported here because whoever imports `app.studies` or `app.lab` (a study file, a test with a
    # browser) must not pull in gevent and the server.
    from app.joined import join
    from app.services.delivery import prepare_delivery
    from app.services.study_files import load_study

    study = study or load_study(settings.study)
    delivery = delivery or prepare_delivery(study)
    return join(settings, clock=clock, store=store, study=study, delivery=delivery)
