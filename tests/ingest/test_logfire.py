"""Logfire's and Pydantic AI's spans, as their SDKs wrote them and as they are when they come in another order."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from tests.ingest.recorded import FOLDER, as_json, raws, spans
from tests.ingest.test_mapper import span
from watchkeeper.ingest import decode_traces, map_span
from watchkeeper.model import Content, Cost, RawSpan, Scope, Usage, merge_raw

PENDING = "pending_span"
PYDANTIC_AI = ("pydantic-ai", "pydantic-ai_v2", "pydantic-ai_v6", "pydantic-ai_otel")


def receipts() -> list[RawSpan]:
    """Return both receipts of a recorded span that was told of as it began: that, and its own."""
    found = raws("logfire")
    begun = next(
        one for one in found if one.attributes["logfire.span_type"] == PENDING and "request_data" in one.attributes
    )
    return [begun, next(one for one in found if one.span_id == begun.span_id and one is not begun)]


def test_a_pending_span_is_the_span_it_tells_of() -> None:
    """A span told of as it begins has the id and the parent that its own record will have, and no end."""
    begun, ended = receipts()

    assert (begun.parent_span_id, begun.start_time, begun.end_time) == (ended.parent_span_id, ended.start_time, 0)
    assert map_span("p", begun, 7).kind == "llm"


@pytest.mark.parametrize("order", list(permutations((0, 1))))
def test_a_pending_span_never_takes_the_place_of_the_last_one(order: tuple[int, int]) -> None:
    """Whichever of the two comes first, the span reads as its own record says."""
    found = receipts()
    merged = map_span("p", merge_raw(*(found[place] for place in order)), 7)
    whole = map_span("p", found[1], 7)

    assert msgspec.structs.replace(merged, raw=whole.raw) == whole
    assert merged.raw.attributes["logfire.span_type"] == "span"


def test_pending_spans_are_read_from_json_too() -> None:
    """The same records as OTLP/JSON give the same spans."""
    body = (FOLDER / "logfire.traces.pb").read_bytes()

    assert decode_traces(as_json(body), "application/json").spans == raws("logfire")


@pytest.mark.parametrize("above", [None, 5, "0" * 16, "nonsense", "A" * 16])
def test_a_pending_root_has_no_parent(above: object) -> None:
    """Where the real parent is none, or no id, a pending span is a root."""
    from watchkeeper.ingest.pending import begun

    told = {"logfire.span_type": PENDING, "logfire.pending_parent_id": above}
    raw = RawSpan(trace_id="a" * 32, span_id="b" * 16, parent_span_id="c" * 16, attributes=told)  # type: ignore[arg-type]

    assert (begun(raw).span_id, begun(raw).parent_span_id) == ("c" * 16, "")


def test_a_stream_takes_as_long_as_its_record_says() -> None:
    """A stream, told of by a record at its end, begins and lasts as it did, and the call before it is not counted."""
    told = {raw.name[:9]: map_span("p", raw, 7) for raw in raws("logfire_otlp") if raw.attributes.get("async") is False}
    stream = told["streaming"]
    (opening,) = [one for one in spans("logfire_otlp") if one.operation == "chat" and one.kind == "span"]

    assert (stream.kind, stream.streaming, stream.usage.input_tokens) == ("llm", True, 100)
    assert 0 < stream.duration_ns < 10**9
    assert stream.start_time == stream.raw.end_time - stream.duration_ns
    assert opening.usage == Usage()


def test_a_wrapped_function_has_its_arguments_and_its_result() -> None:
    """A function that Logfire wraps has what it was given as input and what it returned as output."""
    (tool,) = [one for one in spans("logfire_otlp") if one.name == "get_weather"]

    assert tool.input == Content(text='{"city":"Bern"}', mime_type="application/json")
    assert tool.output == Content(text='{"city":"Bern","temperature":21,"sky":"clear"}', mime_type="application/json")


def test_a_scrubbed_id_is_none() -> None:
    """What a scrubber left in place of an id is nobody's id."""
    found = span({"session.id": "[Scrubbed due to 'session']", "user.id": "user-1"})

    assert (found.session_id, found.user_id) == (None, "user-1")


def test_own_tags_are_the_apps() -> None:
    """The tag that the SDK itself puts on a call is none of the app's."""
    assert span({"logfire.msg": "m", "logfire.tags": ["LLM", "tag-a"]}).tags == ("tag-a",)


@pytest.mark.parametrize("scope", ["logfire.openai", "pydantic-ai"])
def test_its_cost_is_the_emitters(scope: str) -> None:
    """The cost that the integrations compute is a provided one, in US dollars."""
    found = span({"gen_ai.operation.name": "chat", "operation.cost": 0.25}, scope=Scope(name=scope))

    assert found.cost == Cost(
        state="provided", nano=250_000_000, nano_usd=250_000_000, source="the emitter (operation.cost)"
    )


def test_the_first_version_of_responses_is_read() -> None:
    """Version 1 tells of the Responses API in events, one a message."""
    events = (
        '[{"event.name":"gen_ai.system.message","content":"be brief","role":"system"},'
        '{"event.name":"gen_ai.user.message","content":"hi","role":"user"},'
        '{"event.name":"gen_ai.choice","index":0,"message":{"role":"assistant","content":"hello"}}]'
    )
    found = span({"logfire.msg": "m", "gen_ai.operation.name": "chat", "request_data": "{}", "events": events})

    assert [one.role for one in found.input.messages] == ["system", "user"]  # type: ignore[union-attr]
    assert [one.role for one in found.output.messages] == ["assistant"]  # type: ignore[union-attr]


@pytest.mark.parametrize("client", PYDANTIC_AI)
def test_a_run_of_an_agent_tells_all_of_it(client: str) -> None:
    """An agent's run has every message as input, the answer as output, and none of its calls' tokens."""
    run = next(one for one in spans(client) if one.kind == "agent" and one.raw.end_time)
    roles = [one.role for one in run.input.messages]  # type: ignore[union-attr]

    assert (run.agent_name, run.usage, run.cost) == ("weather-bot", Usage(), None)
    assert roles == ["system", "user", "assistant", "tool"]
    assert [one.role for one in run.output.messages] == ["assistant"]  # type: ignore[union-attr]


def test_an_answer_that_is_no_message_is_the_final_result() -> None:
    """A run that ends with a tool's answer has its structured result as output."""
    messages = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
    told = {"gen_ai.operation.name": "invoke_agent", "pydantic_ai.all_messages": messages, "final_result": '{"a":1}'}
    found = span(told, scope=Scope(name="pydantic-ai"))

    assert found.output == Content(text='{"a":1}')
