"""A child process that does not outlive the process that started it, however that one ends.

A test run that is killed (SIGKILL) cannot stop its server. So the child asks Linux to kill it when
its parent dies (prctl(2), `PR_SET_PDEATHSIG`). That outlasts `execve`, so this file, run as a
script, asks for it and then becomes the command. `subprocess`'s `preexec_fn` would be shorter, but
is not safe in a process with threads (Python's documentation of `subprocess`), and Playwright
starts some. Browsers need none of this: Playwright's driver ends them when its pipe from us breaks.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
"""From `linux/prctl.h`."""


def tethered(command: Sequence[str], platform: str = sys.platform) -> list[str]:
    """A command line that runs the command, and is killed with the process that starts it.

    Linux looks at the thread that started it, not at the whole process (prctl(2)): it has to be
    one that lives as long as the child is wanted.

    Args:
        command: an executable and its arguments.
        platform: Python's name of the system; on any but Linux the command is returned as it is.
    """
    if platform != "linux":
        return list(command)
    # The file instead of the module, and isolated: no setting of Python's reaches this step.
    return [sys.executable, "-I", __file__, str(os.getpid()), *command]


def main() -> None:
    """Become the command of `tether.py PARENT_ID COMMAND...`, tethered to the parent."""
    parent_id, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # A parent that was gone before that is not noticed any more.
    if os.getppid() != int(parent_id):
        sys.exit("the parent process is gone")
    os.execv(command[0], command)  # noqa: S606 - there is no shell that could be wanted


if __name__ == "__main__":
    main()
