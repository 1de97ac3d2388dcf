"""One run: a server, its participants, and the record that they leave."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from playwright.sync_api import Error

from app.lab.admin import Event
from app.lab.chromium import Chromium
from app.lab.errors import LabError
from app.lab.participant import Participant
from app.lab.record import Entry, merge, shown, write_json_lines
from app.lab.server import ServerProcess


class Bench:
    """A server process and the participants who use it, closed together.

    Args:
        chromium: the browser that participants get when they bring none.
        folder: an empty folder for the server's store and logs.
    """

    def __init__(self, chromium: Chromium, folder: Path) -> None:
        self._chromium = chromium
        self._folder = folder
        self._open = ExitStack()
        self._server: ServerProcess | None = None
        self._kept: list[Entry] | None = None
        self.participants: list[Participant] = []

    @property
    def server(self) -> ServerProcess:
        """The server that `serve()` started.

        Raises:
            LabError: it was not called.
        """
        if self._server is None:
            raise LabError("this bench serves nothing yet")
        return self._server

    def serve(
        self,
        study: Path,
        *,
        make: Callable[[Path, Path, Mapping[str, object]], ServerProcess] = ServerProcess,
        **settings: object,
    ) -> ServerProcess:
        """Start a server and wait until it is ready.

        Args:
            study: the study file or folder.
            make: makes it of the study, a folder and the settings.
            settings: fields of `app.settings.Settings` that differ from their defaults.

        Raises:
            ServerFailed: it did not start.
        """
        server = make(study, self._folder, settings)
        self._server = server
        return self._open.enter_context(server)

    def participant(
        self,
        name: str,
        *,
        chromium: Chromium | None = None,
        beside: Participant | None = None,
        phone: bool = False,
    ) -> Participant:
        """A new participant with a page that is still blank.

        Args:
            name: what the record calls them.
            chromium: their own browser; else the bench's, in a profile of its own.
            beside: somebody in whose browser profile this is a second tab.
            phone: they have a phone in their hand; not where `beside` is given.
        """
        if beside is not None:
            context = beside.page.context
        else:
            context = (chromium or self._chromium).new_context(phone=phone)
            self._open.callback(_close_quietly, context.close)
        participant = Participant(name, context.new_page())
        self.participants.append(participant)
        return participant

    def record(self) -> list[Entry]:
        """What the pages and the server have recorded, ordered by time; when closed, until then."""
        if self._kept is not None:
            return self._kept
        logs = {participant.name: participant.event_log() for participant in self.participants}
        return merge(logs, self._events())

    def faults(self) -> list[str]:
        """Uncaught exceptions and refusals by the content security policy, of every page."""
        return [f"{one.name}: {fault}" for one in self.participants for fault in one.faults]

    def report(self) -> str:
        """The run for people: the end of the record, the pages' faults, the server's log."""
        parts = ["--- record", shown(self.record()), *self.faults()]
        return "\n".join([*parts, self._server.log() if self._server else ""])

    def save(self, folder: Path) -> None:
        """Write the record, the server's log and a picture of every page into a folder."""
        write_json_lines(self.record(), folder / "record.jsonl")
        for participant in self.participants:
            participant.screenshot(folder / f"{participant.name}.png")
        if self._server is not None:
            (folder / "server.log").write_text(self._server.log(last_lines=100_000))

    def close(self) -> None:
        """Keep the record, close the pages, then stop the server; once is enough.

        Raises:
            ServerFailed: the server did not stop as it should.
        """
        self._kept = self.record()
        self._open.close()

    def _events(self) -> list[Event]:
        if self._server is None:
            return []
        try:
            return self._server.admin.events()
        except OSError:  # it is down; what the pages have is still worth showing
            return []


def _close_quietly(close: Callable[[], None]) -> None:
    with suppress(Error):
        close()
