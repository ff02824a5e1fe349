"""Jobs in forked processes, counted at the receiver."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

import process_pool
from conftest import Arrived

KEY_OF = {"acme": "key-acme", "umbrella": "key-umbrella", "stranger": "key-q"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def test_no_job_reaches_another_tenant(arrived: Arrived) -> None:
    jobs = [(tenant, number) for tenant in KEY_OF for number in range(1, 101)]
    random.shuffle(jobs)
    done = process_pool.run(arrived.endpoint, jobs, processes=6)
    tenant_of = {trace: tenant for tenant, trace, _ in done}
    processes = {process for _, _, process in done}
    assert len(tenant_of) == len(jobs)
    assert len(processes) > 1 and os.getpid() not in processes

    found = Counter[str]()
    for sender, spans in arrived.receiver.spans.items():
        for span in spans:
            tenant = tenant_of.get(int.from_bytes(span.trace_id, "big"))
            if tenant is None:
                found["parent"] += 1
                continue
            found["arrived"] += 1
            found["wrong"] += sender != f"Bearer {KEY_OF[tenant]}"
    assert found == {"arrived": 2 * len(jobs), "wrong": 0, "parent": 1}
    arrived.assert_whole()
