"""Langfuse's ingestion batch, one event after another, to raw spans and scores in the words of its newer SDKs.

Shape: `{"batch": [{"id", "type", "timestamp", "body"}], "metadata"}`. Versions 3 and 4 send scores so; version 2 in Python
and up to 3 in JavaScript send traces and observations too, each as a creation and later changes. A change is written as a
span of the same id that carries nothing but what changed: the store joins the two. Their ids are any text; ours are hex,
which theirs are turned into where they are not. A trace is a span of its own, above the observations that name no parent.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

import msgspec

from watchkeeper.ingest.decoded import MAX_ATTRIBUTE, too_big
from watchkeeper.ingest.read import integer, number, text
from watchkeeper.kit.clock import parse_rfc3339
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import Attributes, AttributeValue, RawSpan, Scope, semconv

__all__ = ["Outcome", "ScoreEvent", "read_event", "span_id_of", "trace_id_of"]

_OBSERVED = "langfuse.observation."
_TYPES = {
    "span-create": "span", "span-update": "span", "generation-create": "generation", "generation-update": "generation",
    "event-create": "event", "observation-create": None, "observation-update": None,
}  # fmt: skip
_UPDATES = frozenset({"span-update", "generation-update", "observation-update"})
_HEX_TRACE, _HEX_SPAN = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{16}")
_ID_MAX = 500
_TOKENS = {"input": "input", "output": "output", "total": "total", "promptTokens": "prompt_tokens",
           "completionTokens": "completion_tokens", "totalTokens": "total_tokens"}  # fmt: skip
_COSTS = {"inputCost": "input", "outputCost": "output", "totalCost": "total"}
_NO_TRACE = "0" * 32


class ScoreEvent(NamedTuple):
    """A score's body; the server says what a score may be."""

    body: dict[str, Any]


Outcome = RawSpan | ScoreEvent | None
"""What an event becomes; None for one that tells of the SDK alone."""


def read_event(event: object) -> tuple[str, Outcome]:
    """Return an event's id and what it becomes.

    Raises:
        RequestError: it is no event, or its body is not what its type says.
    """
    if not isinstance(event, dict) or not isinstance(event.get("body"), dict):
        raise RequestError("an event is an object with an id, a type and a body")
    event_id, kind, body = text(event.get("id")) or "", event.get("type"), event["body"]
    match kind:
        case "score-create":
            return event_id, ScoreEvent(body)
        case "sdk-log":
            return event_id, None
        case "trace-create":
            return event_id, _trace(body)
        case str() if kind in _TYPES:
            return event_id, _observation(kind, body)
        case _:
            raise RequestError(f"no event is called {str(kind)[:80]!r}")


def trace_id_of(told: str) -> str:
    """Return our id of a trace: theirs, if it is 32 hex digits or such a UUID, else a digest of it."""
    bare = told.replace("-", "").lower()
    return bare if _HEX_TRACE.fullmatch(bare) and bare != _NO_TRACE else _digest(told, 32)


def span_id_of(told: str) -> str:
    """Return our id of an observation: theirs, if it is 16 hex digits, else a digest of it."""
    return told if _HEX_SPAN.fullmatch(told) and told != _NO_TRACE[:16] else _digest(told, 16)


def _root_of(trace: str) -> str:
    return _digest(f"trace {trace}", 16)


def _digest(told: str, length: int) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:length]


def _trace(body: dict[str, Any]) -> RawSpan:
    told = _id(body, "id", "trace-create")
    attributes: Attributes = {semconv.LANGFUSE_TRACE: told, **_about(body)}
    for key, name in (("userId", semconv.USER_ID), ("sessionId", semconv.SESSION_ID)):
        if found := text(body.get(key)):
            attributes[name] = found
    if isinstance(tags := body.get("tags"), list):
        attributes["langfuse.trace.tags"] = [str(one) for one in tags if isinstance(one, str | int | float)]
    if isinstance(body.get("public"), bool):
        attributes["langfuse.trace.public"] = body["public"]
    start, end = _time(body.get("start_time") or body.get("timestamp")), _time(body.get("end_time"))
    return RawSpan(
        trace_id=trace_id_of(told), span_id=_root_of(told), name=text(body.get("name")) or "",
        start_time=start, end_time=end, attributes=attributes, scope=Scope(name="langfuse-ingestion"),
    )  # fmt: skip


def _observation(kind: str, body: dict[str, Any]) -> RawSpan:
    told, trace = _id(body, "id", kind), text(body.get("traceId"))
    if trace is None and kind in _UPDATES:
        raise RequestError(f"a {kind} names the traceId of what it changes")
    observed = _TYPES[kind] or (text(body.get("type")) or "span").lower()
    attributes: Attributes = {f"{_OBSERVED}type": observed, "langfuse.legacy.observation_id": told, **_about(body)}
    if model := text(body.get("model")):
        attributes[f"{_OBSERVED}model.name"] = model
    for key, name in (("modelParameters", "model.parameters"), ("costDetails", "cost_details")):
        if isinstance(body.get(key), dict):
            attributes[f"{_OBSERVED}{name}"] = _json(name, body[key])
    attributes.update(_usage(body))
    if first := text(body.get("completionStartTime")):
        attributes[f"{_OBSERVED}completion_start_time"] = _json("completion_start_time", first)
    for key, name in (("promptName", "prompt.name"), ("promptVersion", "prompt.version")):
        if found := text(body.get(key)):
            attributes[f"{_OBSERVED}{name}"] = found
    parent = text(body.get("parentObservationId"))
    root = _root_of(trace) if trace is not None and kind not in _UPDATES else ""
    start, end = _time(body.get("startTime")), _time(body.get("endTime"))
    return RawSpan(
        trace_id=trace_id_of(trace or told), span_id=span_id_of(told),
        parent_span_id=span_id_of(parent) if parent else root, name=text(body.get("name")) or "",
        start_time=start, end_time=end or (start if observed == "event" else 0), attributes=attributes,
        status_code=2 if body.get("level") == "ERROR" else 0,
        status_message=text(body.get("statusMessage")) or "", scope=Scope(name="langfuse-ingestion"),
    )  # fmt: skip


def _about(body: dict[str, Any]) -> Attributes:
    """Return what traces and observations have in common."""
    found: Attributes = {}
    for key in ("environment", "release", "version"):
        if told := text(body.get(key)):
            found[f"langfuse.{key}"] = told
    for key in ("input", "output"):
        if (given := body.get(key)) is not None:
            found[f"{_OBSERVED}{key}"] = given if isinstance(given, str) else _json(key, given)
            _bound(key, found[f"{_OBSERVED}{key}"])
    if (metadata := body.get("metadata")) is not None:
        found[f"{_OBSERVED}metadata"] = metadata if isinstance(metadata, str) else _json("metadata", metadata)
        _bound("metadata", found[f"{_OBSERVED}metadata"])
    for key, name in (("level", "level"), ("statusMessage", "status_message")):
        if told := text(body.get(key)):
            found[f"{_OBSERVED}{name}"] = told
    return found


def _usage(body: dict[str, Any]) -> Attributes:
    """Return counts and amounts: `usageDetails`, or the older `usage`, whose unit may be none of ours."""
    usage, details = body.get("usage"), body.get("usageDetails")
    told = usage if isinstance(usage, dict) else {}
    found: Attributes = {}
    if not isinstance(details, dict) and text(told.get("unit")) in {None, "TOKENS"}:
        details = {name: count for key, name in _TOKENS.items() if (count := integer(told.get(key))) is not None}
    if isinstance(details, dict) and details:
        found[f"{_OBSERVED}usage_details"] = _json("usage_details", details)
    costs = {name: cost for key, name in _COSTS.items() if (cost := number(told.get(key))) is not None}
    if costs:
        found[f"{_OBSERVED}cost_details"] = _json("cost_details", costs)
    return found


def _id(body: dict[str, Any], key: str, kind: str) -> str:
    found = text(body.get(key))
    if found is None or len(found) > _ID_MAX:
        raise RequestError(f"a {kind} has an {key} of at most {_ID_MAX} characters")
    return found


def _time(told: object) -> int:
    if not isinstance(told, str):
        return 0
    try:
        return max(0, parse_rfc3339(told))
    except ValueError as error:
        raise RequestError(f"{told[:40]!r} is no time: RFC 3339 is, as in 2026-11-26T10:00:00Z") from error


def _json(key: str, value: object) -> str:
    found = msgspec.json.encode(value).decode()
    _bound(key, found)
    return found


def _bound(key: str, value: AttributeValue) -> None:
    if isinstance(value, str) and len(value) > MAX_ATTRIBUTE // 4 and len(value.encode()) > MAX_ATTRIBUTE:
        raise RequestError(str(too_big(key)))
