"""User SQL under load, on a real server: what is too much is turned away, and spans arrive all the same."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.otlp import request, span
from tests.serving import Served, serving

HOG = "select count(*) from spans a, spans b, spans c, spans d, spans e, spans f, spans g, spans h"
_AT_ONCE, _WAITING = 2, 4


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with enough rows that a cross join of eight never ends."""
    with serving(tmp_path_factory.mktemp("load"), environ={"WATCHKEEPER_MEMORY_MIB": "256"}) as found:
        found.export(request(*[span(trace_id=f"{n + 1:032x}", span_id=f"{n + 1:016x}") for n in range(200)]))
        yield found


def _ask(served: Served, sql: str) -> tuple[int, dict[str, str], str]:
    status, answer, headers = served.call(
        "/api/v1/query", json.dumps({"sql": sql}).encode(), Content_Type="application/json"
    )
    return status, headers, json.loads(answer).get("error", {}).get("code", "")


@pytest.mark.slow
def test_too_many_queries_are_turned_away_and_told_when_to_come_back(served: Served) -> None:
    """Beyond what runs and what may wait, a query is refused as 429 with Retry-After while the first still run."""
    many = 10
    ended: list[tuple[int, dict[str, str], str]] = []
    with ThreadPoolExecutor(many) as pool:
        for asked in [pool.submit(_ask, served, HOG) for _ in range(many)]:
            asked.add_done_callback(lambda done: ended.append(done.result()))
    statuses = [status for status, _, _ in ended]
    refused = [(code, int(headers["retry-after"])) for status, headers, code in ended if status == 429]

    assert statuses[: many - _AT_ONCE] == [429] * (many - _AT_ONCE), ended
    assert statuses[-_AT_ONCE:] == [504] * _AT_ONCE
    assert set(refused) == {("overloaded", 2)}
    assert _ask(served, "select count(*) from spans")[0] == 200


@pytest.mark.slow
def test_spans_are_acknowledged_while_heavy_queries_run(served: Served) -> None:
    """Exports sent after the hogs began are acknowledged before any of the hogs has ended."""
    order: list[str] = []
    begun = threading.Barrier(_AT_ONCE + 1)

    def hog() -> None:
        begun.wait()
        _ask(served, HOG)
        order.append("hog")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        hogs: list[Future[None]] = [pool.submit(hog) for _ in range(_AT_ONCE)]
        begun.wait()
        while _ask(served, "select 1")[0] == 200:  # until both places are taken
            time.sleep(0.01)
        for n in range(20):
            served.export(request(span(trace_id=f"{n + 1:031x}f", span_id=f"{n + 1:015x}f")))
            order.append("span")
    for one in hogs:
        one.result()

    assert order == ["span"] * 20 + ["hog"] * _AT_ONCE
