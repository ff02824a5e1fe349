"""Refuses subinterpreters, which the native module does not support."""

from __future__ import annotations

import importlib
import sys


def require() -> None:
    """Raises ``ImportError`` in a subinterpreter."""
    name = "_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters"
    try:
        interpreters = importlib.import_module(name)
    except ImportError:
        # Without the module, no subinterpreter can be made from Python.
        return
    if interpreters.get_current() != interpreters.get_main():
        raise ImportError(
            "spanmux does not support subinterpreters; import it in the main interpreter, or start "
            "a process"
        )
