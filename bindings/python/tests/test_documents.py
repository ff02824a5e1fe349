"""The code of the documents runs."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT


@pytest.mark.parametrize("page", ["docs/guide/python.md", "bindings/python/README.md"])
def test_code_runs(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert blocks
    # One after the other, as a reader would.
    exec(compile("\n".join(blocks), page, "exec"), {"__name__": "__main__"})
