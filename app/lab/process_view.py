"""What a server process holds, by its own figures and by the operating system's."""

from dataclasses import dataclass

import psutil

from app.games import GameState
from app.lab.admin import AdminClient


@dataclass(frozen=True, slots=True)
class ProcessView:
    """What is there at one moment.

    Attributes:
        sockets: open WebSockets.
        connections: those that have a session, until their end has been worked off.
        greenlets: greenlets that have not ended.
        sessions: sessions that are stored, those included that are over and not pruned yet.
        games: games that have not ended; the others are kept, as a record.
        files: open file descriptors; a socket is one.
        memory_bytes: resident memory.
    """

    sockets: int
    connections: int
    greenlets: int
    sessions: int
    games: int
    files: int
    memory_bytes: int

    @property
    def is_deserted(self) -> bool:
        """Whether the server holds nothing for anybody."""
        return not (self.sockets or self.connections or self.sessions or self.games)


def process_view(admin: AdminClient, process_id: int) -> ProcessView:
    """Look at a running server.

    Args:
        admin: its admin interface.
        process_id: its process.

    Raises:
        OSError: it does not answer.
        psutil.NoSuchProcess: it does not run.
    """
    figures = admin.process()
    process = psutil.Process(process_id)
    return ProcessView(
        sockets=int(figures["sockets"]),
        connections=int(figures["connections"]),
        greenlets=int(figures["greenlets"]),
        sessions=len(admin.sessions()),
        games=sum(game["state"] != GameState.ENDED for game in admin.games()),
        files=process.num_fds(),
        memory_bytes=process.memory_info().rss,
    )
