"""Interpreters that the native module does not support refuse it clearly."""

from __future__ import annotations

import importlib
import sys

import pytest

PROGRAM = f"""
import sys
sys.path[:] = {sys.path!r}
try:
    import spanmux
except ImportError as error:
    assert "subinterpreters" in str(error), error
else:
    raise AssertionError("the import should have failed")
"""


def test_subinterpreter_is_refused_and_the_process_goes_on() -> None:
    name = "_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters"
    try:
        interpreters = importlib.import_module(name)
    except ImportError:
        pytest.skip(f"this Python has no module {name}")
    other = interpreters.create()
    try:
        # Raises if the program does.
        assert interpreters.run_string(other, PROGRAM) is None
    finally:
        interpreters.destroy(other)
    import spanmux

    assert spanmux.__version__


def test_command_line_is_part_of_the_package() -> None:
    import subprocess

    command = [sys.executable, "-m", "spanmux", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("spanmux 0.")
    wrong = subprocess.run([*command[:-1], "danse"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2
    assert "unrecognized subcommand 'danse'" in wrong.stderr
