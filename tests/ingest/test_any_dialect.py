"""Whatever a span says in the words of whichever dialects, it is mapped, nothing raises and nothing is lost.

The words are harvested: every key that a real client was recorded with, and every one that a dialect's source names.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.recorded import FOLDER, raws
from tests.ingest.test_mapper import VALUES, span
from watchkeeper.ingest import dialects, map_span
from watchkeeper.ingest.dialects import registry
from watchkeeper.model import RawEvent, RawLog, RawSpan, semconv

SOURCES = Path(dialects.__file__).parent
RECORDED = [raw for path in sorted(FOLDER.glob("*.traces.pb")) for raw in raws(path.name.removesuffix(".traces.pb"))]
NAMED = re.compile(r'"([A-Za-z_]+(?:\.[\w-]+)+\.?)"')
EVENTS = sorted(
    {event.name for raw in RECORDED for event in raw.events}
    | {log.event_name for raw in RECORDED for log in raw.logs}
    | {"exception", "gen_ai.choice", "gen_ai.user.message", "gen_ai.content.prompt", "First Token Stream Event"}
)


def harvest() -> dict[str, list[str]]:
    """Return every key that is known, by its first word; a prefix is continued by an index, a name and a field."""
    keys = {key for raw in RECORDED for key in (*raw.attributes, *raw.resource)}
    for source in (*SOURCES.glob("*.py"), Path(semconv.__file__)):
        for found in NAMED.findall(source.read_text(encoding="utf-8")):
            ends = ("0", "x", "0.role", "0.content", "0.message.role") if found.endswith(".") else ("",)
            keys |= {f"{found}{end}" for end in ends}
    families: dict[str, list[str]] = defaultdict(list)
    for key in sorted(keys):
        families[key.partition(".")[0]].append(key)
    return dict(families)


FAMILIES = harvest()
SAID: dict[str, list[Any]] = defaultdict(list)
for _raw in RECORDED:
    for _key, _value in _raw.attributes.items():
        if _value not in SAID[_key]:
            SAID[_key].append(_value)

UNEXPECTED = VALUES | st.sampled_from(
    [b"\xff\xfe", float("inf"), -1, 2**62, "\ud83d".encode("utf-16", "surrogatepass")]
)
WRAPPED = VALUES.map(lambda one: msgspec.json.encode(one).decode())


@st.composite
def told(draw: st.DrawFn) -> dict[str, Any]:
    """Draw attributes: most in the words of one dialect, some in those of any, half of them as a client wrote them."""
    family = FAMILIES[draw(st.sampled_from(sorted(FAMILIES)))]
    keys = draw(st.lists(st.sampled_from(family), max_size=10, unique=True))
    keys += draw(
        st.lists(st.sampled_from(sorted(FAMILIES)).flatmap(lambda one: st.sampled_from(FAMILIES[one])), max_size=4)
    )
    return {key: draw(value(key)) for key in keys}


def value(key: str) -> st.SearchStrategy[Any]:
    """Return what a key may hold: what it was recorded with, or anything."""
    anything = UNEXPECTED | WRAPPED
    return st.sampled_from(SAID[key]) | anything if SAID.get(key) else anything


TIMES = st.sampled_from([0, 1, 10**18, 2 * 10**18, 2**63 - 1]) | st.integers(0, 2**63 - 1)


@st.composite
def strange(draw: st.DrawFn) -> RawSpan:
    """Draw a span: of one dialect or of several, half known, with clocks that are wrong and a parent that is nowhere."""
    logs = draw(st.lists(st.tuples(st.sampled_from(EVENTS), told(), UNEXPECTED), max_size=2))
    return RawSpan(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=draw(st.sampled_from(["", "c" * 16])),
        name=draw(st.sampled_from(["", "chat", "ai.toolCall", "OpenAI.embeddings"])),
        start_time=draw(TIMES),
        end_time=draw(TIMES),
        status_code=draw(st.integers(0, 3)),
        attributes=draw(told()),
        resource=draw(told()),
        scope=draw(st.sampled_from([raw.scope for raw in RECORDED])),
        events=tuple(
            RawEvent(name=name, time=time, attributes=found)
            for name, time, found in draw(st.lists(st.tuples(st.sampled_from(EVENTS), TIMES, told()), max_size=2))
        ),
        logs=tuple(
            RawLog(trace_id="a" * 32, span_id="b" * 16, event_name=name, attributes=found, body=body)
            for name, found, body in logs
        ),
    )


@st.composite
def altered(draw: st.DrawFn) -> RawSpan:
    """Draw a recorded span with some of its values replaced and some of its keys gone."""
    raw = draw(st.sampled_from(RECORDED))
    keys = sorted(raw.attributes)
    hit = draw(st.lists(st.sampled_from(keys), max_size=4, unique=True)) if keys else []
    changed = {key: draw(UNEXPECTED | WRAPPED) for key in hit}
    gone = set(draw(st.lists(st.sampled_from(keys), max_size=3))) if keys else set()
    kept = {key: one for key, one in {**raw.attributes, **changed}.items() if key not in gone}
    return msgspec.structs.replace(raw, attributes=kept)


def check(raw: RawSpan) -> None:
    """See that a span is mapped, by every dialect that it speaks, and kept as it came."""
    before = msgspec.json.encode(raw)
    found = map_span("p", raw, 7)
    speaking = [dialect.name for dialect in registry() if dialect.name in found.dialects or _speaks(dialect, raw)]

    assert found.raw is raw
    assert msgspec.json.encode(raw) == before
    assert list(found.dialects) == speaking
    assert found.duration_ns >= 0
    assert found.parent_span_id == (raw.parent_span_id or None)
    usage = found.usage
    assert (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0) <= (usage.input_tokens or 2**63)
    content = msgspec.to_builtins(
        [found.input, found.output, found.parameters, found.tools, found.tags, usage, found.cost],
        builtin_types=(bytes,),
    )
    assert json.dumps(content, allow_nan=False)
    assert msgspec.json.encode(found)


def _speaks(dialect: Any, raw: RawSpan) -> bool:
    """Say whether a dialect is offered the span and says it speaks it: then it must have read it too."""
    words = [*raw.attributes, *(one.name for one in raw.events), *(one.event_name for one in raw.logs)]
    return bool(dialect.heads & {one.partition(".")[0] for one in words}) and bool(dialect.speaks(raw))


PATIENT = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@PATIENT
@given(raw=strange())
def test_any_words_in_any_dialect(raw: RawSpan) -> None:
    """Any values under any known keys, of one dialect or of several, are mapped and kept."""
    check(raw)


@PATIENT
@given(raw=altered())
def test_a_dialect_half_known(raw: RawSpan) -> None:
    """A recorded span of which some values are others and some are gone is mapped and kept."""
    check(raw)


def test_every_dialect_is_put_to_the_test() -> None:
    """The harvest has words of each dialect; a new one comes in by itself."""
    assert [one.name for one in registry() if not one.heads & FAMILIES.keys()] == []


def test_a_clock_in_the_far_future() -> None:
    """A span of a clock that is far off is kept with the times it gave."""
    found = span({"gen_ai.operation.name": "chat"}, end_time=2**63 - 1)

    assert (found.start_time, found.duration_ns) == (100, 2**63 - 101)


def test_contradictory_tokens_are_one_reading() -> None:
    """Where two dialects give different counts, each count is the earlier dialect's and the total holds its parts."""
    found = span(
        {
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 64,
            "openinference.span.kind": "LLM", "llm.token_count.prompt": 100, "llm.token_count.completion": 5,
        }
    )  # fmt: skip

    assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.cache_read_tokens) == (74, 5, 64)
