"""A server under test in which something was changed, to see what that does to the rest."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.lab.server import ServerProcess

SCRIPT = Path(__file__).with_name("alter_server.py")


class AlteredServer(ServerProcess):
    """A server with alterations.

    Args:
        study: the study file.
        folder: an empty folder for its store and its logs.
        settings: fields of `app.settings.Settings` that differ from their defaults.
        alterations: names of `alter_server.ALTERATIONS`.
    """

    def __init__(
        self,
        study: Path,
        folder: Path,
        settings: Mapping[str, object] | None = None,
        *,
        alterations: Sequence[str],
    ) -> None:
        super().__init__(study, folder, settings)
        self._alterations = ",".join(alterations)

    @property
    def command(self) -> list[str]:
        """The command line that it is started with: the script instead of the module."""
        python, _, _, *rest = super().command
        return [python, str(SCRIPT), self._alterations, *rest]
