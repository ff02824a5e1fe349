"""The address space that a policy reserves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SELECTORS

STATM = Path("/proc/self/statm")

pytestmark = pytest.mark.skipif(
    not STATM.exists(), reason="the system does not report its address space"
)

PROGRAM = """
import resource, sys
import spanmux

def pages():
    return int(open("/proc/self/statm").read().split()[0])

before = pages()
policy = spanmux.Policy({path!r}, cache={cache!r}{more})
decided = policy.decide({{"tenant": "acme"}}, ["console", "tenant-acme"])
assert decided.tracer == "tenant-acme", decided
print((pages() - before) * resource.getpagesize())
"""


def reserved(path: Path, cache: Path, more: str = "", before: str = "") -> int:
    program = before + PROGRAM.format(path=str(path), cache=str(cache), more=more)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


def test_policy_reserves_little(cache: Path) -> None:
    assert reserved(SELECTORS, cache) < 512 << 20
    # Whether the check can fail.
    assert reserved(SELECTORS, cache, ", small=False") > 2 << 30


def test_configuration_file_may_choose(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "spanmux.toml"
    text = (
        "service = 'shop'\ntracers.console.exporter = { type = 'discard' }\n"
        f"[selectors]\ndirectory = '{SELECTORS}'\n"
    )
    path.write_text(text)
    assert reserved(path, cache) < 512 << 20
    path.write_text(text + "small = false\n")
    assert reserved(path, cache) > 2 << 30
    assert reserved(path, cache, ", small=True") < 512 << 20


def test_policy_opens_within_a_limit_of_the_address_space(cache: Path) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
    assert reserved(SELECTORS, cache, before=limit) < 512 << 20
