"""Runs the command line: ``python -m spanmux --help``."""

from __future__ import annotations

import signal
import sys

from ._native import run_command


def main() -> int:
    """Runs the command with the arguments of the process. Returns its exit code."""
    # Python's own handler would wait until the command has ended.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(["spanmux", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
