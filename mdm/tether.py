"""Runs a program that is told to stop when its parent dies: `tether.py PARENT_PID COMMAND…`.

Run by path, not as a module, so that nothing of the server is loaded before the program is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # The parent may have died before the line above took effect.
    if os.getppid() != int(parent):
        sys.exit("the process that started this one is gone")
    os.execvp(command[0], command)  # noqa: S606 - the supervisor's own list of arguments


if __name__ == "__main__":
    main(sys.argv[1:])
