"""Logfire: what its SDK adds to any span, and how its integrations of providers write a call (`request_data`)."""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.message_events import Conversation, conversation_of
from watchkeeper.ingest.messages import content_of, messages_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text
from watchkeeper.model import Attributes, Content, Cost, Message, RawSpan, SpanKind, TextPart, Usage, semconv

__all__ = ["Logfire", "cost_of"]

_NS = 1_000_000_000
_DEAREST = 1_000_000_000
_LONGEST = 10**6  # seconds: eleven days
_ERROR = 2
_OWN_TAG = "LLM"
_STREAMED = frozenset({"chat", "text_completion"})
_ANSWERED = frozenset({"response_data", semconv.RESPONSE_ID, semconv.OUTPUT_MESSAGES, semconv.USAGE_INPUT})
_NO_USAGE = Usage()
_DETAILS = (
    ("reasoning_tokens", ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens"),
    ("input_audio_tokens", ("prompt_tokens_details", "input_tokens_details"), "audio_tokens"),
    ("output_audio_tokens", ("completion_tokens_details", "output_tokens_details"), "audio_tokens"),
)


class Logfire:
    """`logfire.*`, and `operation.cost`, which Logfire and Pydantic AI put beside `gen_ai.*`."""

    name = "logfire"
    heads = frozenset({"logfire", "operation"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether the SDK made the span, or it carries the cost that its integrations compute."""
        found = raw.attributes
        return semconv.LOGFIRE_SPAN_TYPE in found or "logfire.msg" in found or "operation.cost" in found

    def read(self, raw: RawSpan) -> Draft:
        """Read a call of a provider's, or any span's tags, arguments and result."""
        found = raw.attributes
        draft = Draft(tags=_tags(found), cost=cost_of(found))
        if "request_data" in found:
            _call(raw, draft)
        elif semconv.OPERATION not in found and "logfire.json_schema" in found:
            _function(found, draft)
        return draft


def cost_of(found: Attributes) -> Cost | None:
    """Return the cost in US dollars that the emitter computed (`operation.cost`)."""
    told = found.get("operation.cost")
    cost = None if told is None else number(told)
    if cost is None or not 0 <= cost < _DEAREST:
        return None
    nano = round(cost * _NS)
    return Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (operation.cost)")


def _tags(found: Attributes) -> tuple[str, ...]:
    told = found.get("logfire.tags")
    return () if told is None else tuple(one for one in strings(told) if one != _OWN_TAG)


def _call(raw: RawSpan, draft: Draft) -> None:
    found = raw.attributes
    draft.kind = _kind(raw)
    draft.usage = _usage(found)
    if found.get(semconv.LOGFIRE_SPAN_TYPE) == "log":
        # A stream is a record of its own, written when it ends; the span of the call ends as the first bytes come.
        seconds = number(found.get("duration"))
        draft.took_ns = round(seconds * _NS) if seconds is not None and 0 <= seconds < _LONGEST else None
        draft.streaming = True
    if semconv.INPUT_MESSAGES not in found:
        given, answer = _conversation(found)
        draft.input = Content(messages=given) if given else _embedded(found)
        draft.output = Content(messages=answer) if answer else None


def _kind(raw: RawSpan) -> SpanKind | None:
    """Tell a call from the beginning of a stream, whose own record is the call: the tokens and the answer are there."""
    found = raw.attributes
    begins = raw.end_time and raw.status_code != _ERROR and text(found.get(semconv.OPERATION)) in _STREAMED
    return "span" if begins and _ANSWERED.isdisjoint(found) else None


def _usage(found: Attributes) -> Usage:
    """Read the counts that only the provider's own words hold."""
    told = loads(found.get("gen_ai.usage.raw"))
    if not isinstance(told, dict):
        return _NO_USAGE
    counts: dict[str, int] = {}
    for name, places, key in _DETAILS:
        for place in places:
            inner = told.get(place)
            if isinstance(inner, dict) and (count := integer(inner.get(key))):
                counts[name] = count
    return Usage(**counts) if counts else _NO_USAGE


def _conversation(found: Attributes) -> Conversation:
    """Read version 1: the request and the response in the provider's words, or events where it has none."""
    events = loads(found.get("events"))
    if isinstance(events, list):
        return conversation_of((text(one.get("event.name")) or "", one) for one in events if isinstance(one, dict))
    request, response = loads(found.get("request_data")), loads(found.get("response_data"))
    request = request if isinstance(request, dict) else {}
    response = response if isinstance(response, dict) else {}
    given = messages_of(request.get("messages"), "user")
    if system := request.get("system"):
        given = messages_of([{"role": "system", "content": system}], "system") + given
    given = given or messages_of(request.get("prompt"), "user")
    answer = messages_of([response["message"]], "assistant") if response.get("message") else ()
    told = text(response.get("combined_chunk_content")) or text(response.get("text"))
    return given, answer or ((Message(role="assistant", parts=(TextPart(told),)),) if told else ())


def _embedded(found: Attributes) -> Content | None:
    request = loads(found.get("request_data"))
    told = request.get("input") if isinstance(request, dict) else None
    if isinstance(told, list) and all(isinstance(one, str) for one in told):
        told = "\n".join(told)
    return content_of(plain(told))


def _function(found: Attributes, draft: Draft) -> None:
    """Read what a span was given, and what a function that `logfire.instrument` wraps returned."""
    schema = loads(found.get("logfire.json_schema"))
    named = schema.get("properties") if isinstance(schema, dict) else None
    told: dict[str, Any] = {}
    for name, shape in named.items() if isinstance(named, dict) else ():
        if name in found and not name.startswith("logfire."):
            # Only what the schema calls an object or an array is JSON: a text that looks like it may be just a text.
            value = found[name]
            told[name] = plain(loads(value) if isinstance(shape, dict) and "type" in shape else value)
    result = told.pop("return", None)
    draft.input = content_of(told) if told else None
    draft.output = content_of(result)
