"""Debian's Prometheus scrapes a real server: targets up, values and exemplars by PromQL, nothing for promtool to say."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.otlp import CHAT, TRACE, request, span
from tests.serving import Served, free_port, serving, wait_until

T = TypeVar("T")

CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: watchkeeper
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: team-a
    authorization: {{credentials: "{key}"}}
    static_configs: [{{targets: ["{target}"]}}]
"""


@dataclass
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        """Ask its API."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, promql: str) -> float | None:
        """Return the value of an instant query, None where there is none."""
        found = self.ask("query", query=promql)["result"]
        return float(found[0]["value"][1]) if found else None


def eventually(look: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Look until it is good, for up to 30 seconds; return what was seen last."""
    for _ in range(150):
        seen = look()
        if good(seen):
            break
        time.sleep(0.2)
    return seen


def _command(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: apt-get install --no-install-recommends prometheus")
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with two projects, to which the same and different spans were sent."""
    with serving(tmp_path_factory.mktemp("served"), projects=("team-a", "team-b")) as found:
        one = span()
        found.export(request(one, span(span_id="00f067aa0ba902b7", status=2)))
        found.export(request(one))
        found.export(request(span(), service="a-bot"), "team-a")
        unknown = {**CHAT, "gen_ai.request.model": "our-own", "gen_ai.response.model": "our-own"}
        found.export(request(span(attributes=unknown), service="b-bot"), "team-b")
        yield found


@pytest.fixture(scope="module")
def prometheus(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus on loopback, scraping the server as its own user and as a key of one project."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(target=served.url.removeprefix("http://"), key=served.keys["team-a"]))
    listen, log = f"127.0.0.1:{free_port()}", folder / "prometheus.log"
    command = [
        _command("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={listen}", "--enable-feature=exemplar-storage",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    found = Prometheus(f"http://{listen}")
    try:
        wait_until(lambda: urlopen(f"{found.url}/-/ready", timeout=5).status == 200, process, log)
        up = eventually(lambda: found.value("sum(up)"), lambda seen: seen == 2)
        assert up == 2, found.ask("targets")["activeTargets"]
        yield found
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_prometheus_counts_each_call_once(prometheus: Prometheus) -> None:
    """Calls, tokens, money and times come out of PromQL as they were sent, a resend as `unchanged` and nothing else."""
    own = 'job="watchkeeper",project="default",service="support-bot",model="gpt-4o-mini-2024-07-18"'
    name = "watchkeeper_llm_request_duration_seconds"
    expected = {
        f'{name}_count{{{own},status="ok"}}': 1,
        f'{name}_count{{{own},status="error"}}': 1,
        f'{name}_bucket{{{own},status="ok",le="1.0"}}': 1,
        f'{name}_bucket{{{own},status="ok",le="0.5"}}': 0,
        f'{name}_sum{{{own},status="ok"}}': 1,
        f"watchkeeper_llm_time_to_first_token_seconds_sum{{{own}}}": 0.5,
        f'watchkeeper_llm_tokens_total{{{own},type="input"}}': 2_000,
        f'watchkeeper_llm_tokens_total{{{own},type="cache_read"}}': 800,
        f"watchkeeper_llm_cost_usd_total{{{own}}} * 1e9": 840_000,
        f"watchkeeper_llm_unpriced_requests_total{{{own}}}": 0,
        'watchkeeper_llm_unpriced_requests_total{job="watchkeeper",project="team-b",model="our-own"}': 1,
        'watchkeeper_spans_total{job="watchkeeper",project="default",dialect="otel_genai",outcome="inserted"}': 2,
        'watchkeeper_spans_total{job="watchkeeper",project="default",dialect="otel_genai",outcome="unchanged"}': 1,
        'watchkeeper_store_rows{job="watchkeeper",table="spans"}': 4,
        'watchkeeper_commit_seconds_count{job="watchkeeper"} >= bool 1': 1,  # exports may share one
        'watchkeeper_queue_bytes{job="watchkeeper"}': 0,
        'count(watchkeeper_build_info{job="watchkeeper"})': 1,
    }
    for promql, value in expected.items():
        seen = eventually(lambda promql=promql: prometheus.value(promql), lambda seen, value=value: seen == value)  # type: ignore[misc]
        assert (promql, seen) == (promql, pytest.approx(value))


@pytest.mark.slow
def test_an_exemplar_leads_from_a_bucket_to_its_trace(prometheus: Prometheus) -> None:
    """Prometheus keeps the trace id of a call that fell into a bucket, and gives it back for the histogram's query."""
    now = time.time()
    asked = {
        "query": 'watchkeeper_llm_request_duration_seconds_bucket{job="watchkeeper",project="default"}',
        "start": str(now - 600), "end": str(now + 60),
    }  # fmt: skip
    found = eventually(lambda: prometheus.ask("query_exemplars", **asked), bool)
    labels = [one["labels"] for series in found for one in series["exemplars"]]

    assert {one["trace_id"] for one in labels} == {TRACE}
    assert {one["span_id"] for one in labels} <= {"b7ad6b7169203331", "00f067aa0ba902b7"}


@pytest.mark.slow
def test_a_key_of_one_project_scrapes_that_project_alone(prometheus: Prometheus) -> None:
    """What Prometheus gets with a project's key names no other project, and nothing of the server."""
    shown = prometheus.ask("label/project/values", **{"match[]": '{job="team-a"}'})
    names = prometheus.ask("label/__name__/values", **{"match[]": '{job="team-a"}'})

    assert shown == ["team-a"]
    assert [name for name in names if name.startswith(("watchkeeper_store", "watchkeeper_queue", "process_"))] == []


@pytest.mark.slow
@pytest.mark.parametrize("project", [None, "team-a"])
def test_promtool_finds_nothing(served: Served, project: str | None) -> None:
    """`promtool check metrics` has no complaint about the page."""
    _, body, headers = served.call("/metrics", project=project)
    done = subprocess.run([_command("promtool"), "check", "metrics"], input=body, capture_output=True, check=False)

    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
