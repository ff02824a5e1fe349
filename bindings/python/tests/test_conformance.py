"""Rust and Python decide alike: every case of the conformance suite, in five languages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import spanmux
from conftest import ROOT
from spanmux._native import encode_name

COMPONENTS = ROOT / "tests" / "conformance" / "components"
LANGUAGES = ["assemblyscript", "c", "rust", "wat", "zig"]


@pytest.fixture(scope="session")
def answers(target: Path) -> dict[str, list[dict[str, Any]]]:
    """The answers of the Rust library by component."""
    program = target / "debug" / "conformance"
    done = subprocess.run(
        [program, COMPONENTS, "--answers"], capture_output=True, text=True, check=True, timeout=300
    )
    by_component: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        by_component.setdefault(answer["component"], []).append(answer)
    return by_component


@pytest.mark.parametrize("language", LANGUAGES)
def test_python_decides_as_rust(language: str, answers: dict[str, list[dict[str, Any]]]) -> None:
    differences = []
    assert len(answers[language]) > 150
    with spanmux.Policy(COMPONENTS / f"{language}.wasm") as policy:
        for answer in answers[language]:
            context = json.loads(answer["context"])
            context |= {key: float(value) for key, value in answer["floats"].items()}
            # The second decision is the learned one.
            for _ in range(2):
                decision = policy.decide(context, answer["tracers"])
                got = {
                    "tracer": decision.tracer,
                    "selector": decision.selector,
                    "fallback": decision.fallback,
                    "cause": decision.cause,
                    "reason": decision.reason,
                    "tracestate": decision.tracer and encode_name(decision.tracer),
                }
                if any(answer[key] != value for key, value in got.items()):
                    differences.append((answer["case"], {key: answer[key] for key in got}, got))
    assert differences == []
