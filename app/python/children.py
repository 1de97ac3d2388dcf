"""What processes are told that execute code of a study or of its packages."""

import os
from collections.abc import Mapping

PASSED_ON = frozenset(
    {"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR"}
)
"""Variables that programs need to run at all."""


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables for such a process: none that could hold a secret of the server.

    Tokens and the credentials of a package index are in variables, and a package from that index is
    somebody else's code.
    """
    return {name: value for name, value in environ.items() if name in PASSED_ON}
