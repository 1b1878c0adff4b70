"""`/metrics` in process: formats, caps on what emitters name, projects, what is counted when."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as read_classic

from tests.otlp import CHILD, TRACE, request, span
from watchkeeper.ingest import map_span
from watchkeeper.model import Cost, RawSpan, Span
from watchkeeper.server import Services
from watchkeeper.server.figures import Figures, figures_of
from watchkeeper.server.metrics import Metrics
from watchkeeper.server.metrics.calls import DURATION_BOUNDS
from watchkeeper.server.metrics.labels import clean
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.factory import open_span_store

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
read_openmetrics: Any = openmetrics_parser.text_string_to_metric_families
DURATION = "watchkeeper_llm_request_duration_seconds"


@pytest.fixture
def metrics() -> Metrics:
    """Metrics over an empty store."""
    return Metrics(open_span_store(None, refine=map_span, memory_mib=64), "1.2.3", 5)


def call(**fields: Any) -> Figures:
    """What is counted of a stored model call of one second."""
    return figures_of([whole(**fields)])[0]


def whole(**fields: Any) -> Span:
    """A stored model call of one second."""
    given: dict[str, Any] = {
        "project": "default", "service": "bot", "provider": "openai", "model": "gpt", "operation": "chat", "kind": "llm",
        "trace_id": TRACE, "span_id": CHILD, "duration_ns": 10**9, "received_at": 1_700_000_000 * 10**9,
        "raw": RawSpan(trace_id=TRACE, span_id=CHILD, name="chat"), **fields,
    }  # fmt: skip
    return Span(**given)


def read(metrics: Metrics, project: str | None = None) -> dict[str, list[Any]]:
    """Read the page as OpenMetrics' own strict parser does; samples by name."""
    body, _ = metrics.page(OPENMETRICS, project=project)
    found: dict[str, list[Any]] = {}
    for family in read_openmetrics(body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def labels(metrics: Metrics, name: str) -> set[str]:
    """Return the values of a label among the calls."""
    return {sample.labels[name] for sample in read(metrics)[f"{DURATION}_count"]}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0, text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("application/vnd.google.protobuf;q=0.6,Application/OpenMetrics-Text; version=1.0.0;escaping=allow-utf-8;q=0.5",
         "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)  # fmt: skip
async def test_the_scraper_chooses_the_format(http: httpx.AsyncClient, accept: str, media: str) -> None:
    """OpenMetrics is written for whom asks for it, the classic text for everyone else; both parse and have one truth."""
    body = request(span()).SerializeToString()
    await http.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
    answer = await http.get("/metrics", headers={"Accept": accept})
    parse = read_openmetrics if media.startswith("application") else read_classic
    counts = [
        sample.value for family in parse(answer.text) for sample in family.samples if sample.name == f"{DURATION}_count"
    ]

    assert answer.headers["content-type"] == media
    assert ("# EOF" in answer.text, "# {" in answer.text) == (media.startswith("application"),) * 2
    assert counts == [1, 0]


async def test_a_page_travels_compressed(http: httpx.AsyncClient) -> None:
    """A scraper that takes gzip gets gzip, once."""
    async with http.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])

    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed).startswith(b"# HELP watchkeeper_llm_")


def test_only_the_first_receipt_counts(metrics: Metrics) -> None:
    """A resent or amended span is an outcome of its own and no second call."""
    metrics.stored([call(), call(), call()], ["inserted", "unchanged", "merged"])
    found = read(metrics)
    outcomes = {sample.labels["outcome"]: sample.value for sample in found["watchkeeper_spans_total"]}

    assert outcomes == {"inserted": 1, "unchanged": 1, "merged": 1}
    assert sum(sample.value for sample in found[f"{DURATION}_count"]) == 1


def test_a_span_that_is_no_call_is_only_received(metrics: Metrics) -> None:
    """Tools, agents and plain spans are counted as spans, by the dialects they speak."""
    metrics.stored([call(kind="tool", dialects=("own", "otel_genai")), call(kind="span")], ["inserted", "inserted"])
    found = read(metrics)

    assert {sample.labels["dialect"] for sample in found["watchkeeper_spans_total"]} == {"own+otel_genai", "none"}
    assert f"{DURATION}_count" not in found


@pytest.mark.parametrize("seconds", [0.0, *DURATION_BOUNDS, 601.0])
def test_a_duration_falls_into_the_bucket_that_ends_with_it(metrics: Metrics, seconds: float) -> None:
    """A bound holds its own value, as `le` says; nothing is lost above the last one."""
    metrics.stored([call(duration_ns=round(seconds * 10**9))], ["inserted"])
    buckets = [one for one in read(metrics)[f"{DURATION}_bucket"] if one.labels["status"] == "ok"]

    assert [one.value for one in buckets] == [
        float(float(one.labels["le"].replace("+Inf", "inf")) >= seconds) for one in buckets
    ]


def test_errors_stand_at_zero_before_the_first(metrics: Metrics) -> None:
    """A label set has its error counter from the start: one that appears at 1 would be invisible to increase()."""
    metrics.stored([call()], ["inserted"])

    assert {one.labels["status"]: one.value for one in read(metrics)[f"{DURATION}_count"]} == {"ok": 1, "error": 0}


def test_an_exemplar_is_within_the_standards_limit(metrics: Metrics) -> None:
    """The latest trace of a bucket is its exemplar: trace and span id, value and time, under 128 characters of labels."""
    metrics.stored([call(span_id="0" * 16), call(), call(duration_ns=1, status="error")], ["inserted"] * 3)
    found = [one.exemplar for one in read(metrics)[f"{DURATION}_bucket"] if one.exemplar is not None]

    assert [(one.labels["span_id"], one.value, float(one.timestamp)) for one in found] == [
        (CHILD, 1.0, 1_700_000_000.0), (CHILD, 1e-9, 1_700_000_000.0),
    ]  # fmt: skip
    assert all(sum(map(len, (*one.labels, *one.labels.values()))) == 63 for one in found)


@pytest.mark.parametrize("label", ["service", "provider", "model", "operation"])
def test_values_beyond_the_cap_become_other(metrics: Metrics, label: str) -> None:
    """The first values of a label are shown, the rest are counted as `other`, and the page says that it folded."""
    metrics.stored([call(**{label: f"value-{n}"}) for n in range(50)], ["inserted"] * 50)
    found = read(metrics)

    assert labels(metrics, label) == {"value-0", "value-1", "value-2", "value-3", "value-4", "other"}
    assert sum(one.value for one in found[f"{DURATION}_count"]) == 50
    assert any(one.labels["label"] == label for one in found["watchkeeper_metrics_folded_total"])


def test_label_sets_are_capped_too() -> None:
    """Within the caps of single labels, their product stays bounded: a project has at most 300 sets and one of `other`."""
    metrics = Metrics(open_span_store(None, refine=map_span, memory_mib=64), "", 100)
    spans = [call(service=f"s{n % 100}", model=f"m{n // 100}") for n in range(5_000)]
    metrics.stored([*spans, call(project="quiet")], ["inserted"] * 5_001)
    found = read(metrics)
    sets = [one for one in found[f"{DURATION}_count"] if one.labels["status"] == "ok"]

    assert len(sets) == 302
    assert sum(one.value for one in sets) == 5_001
    assert [one.labels["service"] for one in sets if one.labels["project"] == "quiet"] == ["bot"]


def test_a_project_does_not_use_up_anothers_values(metrics: Metrics) -> None:
    """One project's flood of names leaves the next one's names whole."""
    metrics.stored([call(project="loud", model=f"m{n}") for n in range(50)], ["inserted"] * 50)
    metrics.stored([call(project="quiet", model="mine")], ["inserted"])

    assert {one.labels["model"] for one in read(metrics, "quiet")[f"{DURATION}_count"]} == {"mine"}


HOSTILE = {
    "newline": "a\nwatchkeeper_llm_cost_usd_total 999\n# EOF\nb", "carriage return": "a\rb", "quote": 'a"} 1\\',
    "backslash": "a\\",
    "null": "a\x00b", "surrogate": "a\ud800b", "line separator": "a\u2028b", "right to left": "a\u202eb",
    "a megabyte": "x" * 1_000_000, "empty": "", "spaces": "  ", "brace": '{le="1"}', "emoji": "🦜" * 500,
}  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_stays_a_value(metrics: Metrics, value: str) -> None:
    """Whatever an emitter calls its service or model, the page parses, has one such value of bounded length, and no more."""
    metrics.stored([call(service=value, model=value)], ["inserted"])
    body, _ = metrics.page("")
    shown = labels(metrics, "model")

    assert len(shown) == 1
    assert all(len(one) <= 100 and "\n" not in one for one in shown)
    assert len(body) < 60_000
    assert {one.labels["service"] for family in read_classic(body.decode()) for one in family.samples
            if one.name == f"{DURATION}_count"} == shown  # fmt: skip


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_a_label(text: str) -> None:
    """Any text at all, lone surrogates too, comes out as short printable Unicode that can be encoded."""
    shown = clean(text)

    assert shown.isprintable()
    assert 0 < len(shown) <= 100
    assert shown.encode()


def test_memory_stays_bounded_under_a_flood_of_names(metrics: Metrics) -> None:
    """A hundred thousand distinct names leave no more than the caps behind."""
    for start in range(0, 100_000, 1_000):
        metrics.stored(
            [call(model=f"m{n}", service=f"s{n}") for n in range(start, start + 1_000)], ["inserted"] * 1_000
        )
    body, _ = metrics.page("")

    assert len(body) < 200_000
    assert len(metrics._calls._by_key) <= 10_000


async def test_money_is_whole_and_unpriced_is_counted(metrics: Metrics) -> None:
    """Nano-dollars add up without loss; a call without a price is no free call; a negative cost takes nothing back."""
    costs = [
        Cost(state="computed", nano=1, nano_usd=1), Cost(state="provided", nano=10**9, nano_usd=10**9),
        Cost(state="unpriced"), Cost(state="provided", nano=-5, nano_usd=-5), None,
    ]  # fmt: skip
    metrics.stored([call(cost=cost) for cost in costs], ["inserted"] * 5)
    found = read(metrics)

    assert found["watchkeeper_llm_cost_usd_total"][0].value == 1.000000001
    assert found["watchkeeper_llm_unpriced_requests_total"][0].value == 1


async def test_refusals_and_rejected_items_are_counted(http: httpx.AsyncClient) -> None:
    """A refused export counts by its code, a bad span in a good export by project and signal."""
    protobuf = {"Content-Type": "application/x-protobuf"}
    await http.post("/v1/traces", content=b"\xff\xff", headers=protobuf)
    bad = request(span(), span(trace_id="00" * 16))
    await http.post("/v1/traces", content=bad.SerializeToString(), headers=protobuf)
    text = (await http.get("/metrics")).text

    assert 'watchkeeper_refused_requests_total{code="bad_request"} 1\n' in text
    assert 'watchkeeper_rejected_items_total{project="default",signal="traces"} 1\n' in text


async def test_a_projects_key_sees_its_own_calls_alone(http: httpx.AsyncClient, services: Services) -> None:
    """A key that belongs to one project is shown neither another's names nor the server's own figures."""
    services.control.ensure_project("team-a")
    services.control.keys.create("team-a", ("ingest", "read"), pair=("pk-a", "sk-a"))
    protobuf = {"Content-Type": "application/x-protobuf"}
    one = request(span(), service="secret-plans").SerializeToString()
    await http.post("/v1/traces", content=one, headers=protobuf)
    key = {"Authorization": "Bearer sk-a"}
    await http.post("/v1/traces", content=request(span(), service="ours").SerializeToString(), headers=protobuf | key)
    text = (await http.get("/metrics", headers=key)).text

    assert "ours" in text
    assert "secret-plans" not in text
    assert set(re.findall(r'project="([^"]*)"', text)) == {"team-a"}
    assert set(re.findall(r"^# TYPE (?:watchkeeper_)?([a-z]+)", text, re.MULTILINE)) == {"llm", "spans", "rejected"}


async def test_gauges_are_right_at_once(http: httpx.AsyncClient, services: Services) -> None:
    """Before anything is sent the page has every self-metric, counts at zero and gauges as the store says."""
    text = (await http.get("/metrics", headers={"Accept": OPENMETRICS})).text
    found = {one.name: one.value for family in read_openmetrics(text) for one in family.samples}
    stats = services.store.stats()

    assert found["watchkeeper_queue_limit_bytes"] == 64 << 20
    assert found["watchkeeper_store_bytes"] == stats.disk_bytes > 0
    assert found["watchkeeper_store_wal_bytes"] == stats.wal_bytes
    assert (found["watchkeeper_commit_seconds_count"], found["watchkeeper_checkpoint_seconds_count"]) == (0, 0)
    assert found["process_resident_memory_bytes"] > 10 << 20
    assert found["watchkeeper_build_info"] == 1


async def test_what_was_set_aside_is_on_the_page(http: httpx.AsyncClient, services: Services, tmp_path: Path) -> None:
    """What could not be stored is a gauge to alert on, in entries and bytes, beside what only waits."""
    refused(tmp_path)
    found = labels_of((await http.get("/metrics", headers={"Accept": OPENMETRICS})).text)

    assert found["watchkeeper_journal_entries"] == {"pending": 0, "refused": 1, "damaged": 0}
    assert found["watchkeeper_journal_bytes"] == {"pending": 0, "refused": 5, "damaged": 0}
    assert services.store.stats().journal.refused == 1


def refused(folder: Path) -> None:
    """Put a refused export into the journal."""
    (path,) = folder.rglob("spans.duckdb.journal")
    (path / "1.refused").write_bytes(b"12345")


def labels_of(text: str) -> dict[str, dict[str, float]]:
    """Return the values of each family by its label `state`."""
    return {
        family.name: {one.labels["state"]: one.value for one in family.samples if "state" in one.labels}
        for family in read_openmetrics(text)
    }


async def test_a_commit_of_many_requests_is_one_commit(services: Services) -> None:
    """Commits are counted where they are made, so requests that shared one do not count it twice."""
    batch = WriteBatch(spans=tuple(whole(raw=RawSpan(trace_id=TRACE, span_id=f"{n + 1:016x}", name="x"),
                                        span_id=f"{n + 1:016x}") for n in range(3)))  # fmt: skip
    for waiting in [services.store.submit(batch) for _ in range(20)]:
        waiting.result(30)
    stats = services.store.stats()

    assert sum(stats.commits.counts) <= stats.revision
    assert stats.queued_spans == 0


def test_a_counter_of_ones_own(metrics: Metrics) -> None:
    """Another part adds a counter and counts in it; one without a project is not shown to a project's key."""
    masked = metrics.tally("watchkeeper_masked_values", "Values masked", "project", "kind")
    hidden = metrics.tally("watchkeeper_hidden", "Hidden", "kind")
    metrics.add(masked, "default", "email", count=3)
    metrics.add(hidden, "x")

    assert read(metrics)["watchkeeper_masked_values_total"][0].value == 3
    assert "watchkeeper_hidden_total" not in read(metrics, "default")
    assert read(metrics, "default")["watchkeeper_masked_values_total"][0].labels["kind"] == "email"
