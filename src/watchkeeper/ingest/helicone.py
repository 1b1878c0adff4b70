"""Helicone's asynchronous log, one call a body, to a raw span.

Shape: `{providerRequest: {url, json, meta}, providerResponse: {status, headers, json, textBody}, timing: {startTime, endTime:
{seconds, milliseconds}, timeToFirstToken}}`, as `helicone-helpers` 1.2.1 and `@helicone/helpers` 1.8.3 send it. Who, which
session and which properties come in `Helicone-*` headers, or in `meta`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from watchkeeper.ingest.decoded import (
    MAX_ATTRIBUTE,
    MAX_DEPTH,
    MAX_TIME,
    DecodedTraces,
    RejectedError,
    too_big,
    too_deep,
)
from watchkeeper.ingest.folding import fold
from watchkeeper.ingest.read import integer, loads, number, text
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import Attributes, AttributeValue, RawEvent, RawSpan, Scope, semconv

__all__ = ["PREFIX", "decode_helicone"]

PREFIX = "helicone-"
_PROPERTY = "helicone-property-"
_RESOURCE = {
    "service": semconv.SERVICE_NAME, "app": semconv.SERVICE_NAME, "environment": semconv.ENVIRONMENT,
    "release": semconv.SERVICE_VERSION, "version": semconv.SERVICE_VERSION,
}  # fmt: skip
"""Properties that say what OpenTelemetry has the resource say; Helicone has no other word for it."""
_HEADERS = {
    "helicone-user-id": semconv.USER_ID, "helicone-session-id": semconv.SESSION_ID,
    "helicone-session-path": "helicone.session.path", "helicone-session-name": "helicone.session.name",
    "helicone-prompt-id": "helicone.prompt.id", "helicone-prompt-version": "helicone.prompt.version",
    "helicone-model-override": "helicone.model_override", "helicone-request-id": "helicone.request_id",
}  # fmt: skip
_ERROR = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Interrupt|Exit)): ")
_KEPT_WHEN_OMITTED = frozenset({"model", "_type", "toolName", "stream", "usage", "id"})
_INT64 = 2**63
_REFUSED = 400
_MS, _NS = 1_000_000, 1_000_000_000


def decode_helicone(body: bytes, log: str, headers: Mapping[str, str]) -> DecodedTraces:
    """Read one log. `log` is the first word of the path it was sent to; `headers` have lower-case names.

    Raises:
        RequestError: the body is no such log.
    """
    try:
        record = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestError(f"the body is not JSON: {error}") from error
    request = record.get("providerRequest") if isinstance(record, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("json"), dict):
        raise RequestError("the body is no Helicone log: providerRequest.json is missing", hint="docs/helicone.md")
    told = _told(request.get("meta"), headers)
    try:
        return DecodedTraces((_span(record, request, told, log, body),))
    except RejectedError as error:
        return DecodedTraces((), 1, str(error))


def _told(meta: Any, headers: Mapping[str, str]) -> dict[str, str]:  # noqa: ANN401 - JSON is any shape
    """Return what the headers say; `meta` says the same where a client sends it there."""
    said = {str(key).lower(): found for key, value in _object(meta).items() if (found := text(value))}
    said |= {key: value for key, value in headers.items() if value}
    return {key: value for key, value in said.items() if key.startswith(PREFIX)}


def _span(record: dict[str, Any], request: dict[str, Any], told: dict[str, str], log: str, body: bytes) -> RawSpan:
    asked, response, timing = request["json"], _object(record.get("providerResponse")), _object(record.get("timing"))
    answer, prose = _answer(response)
    status, failure = _status(response, prose)
    if told.get("helicone-omit-request") == "true":
        asked = {key: value for key, value in asked.items() if key in _KEPT_WHEN_OMITTED}
    if told.get("helicone-omit-response") == "true":
        answer, prose = {key: value for key, value in answer.items() if key in _KEPT_WHEN_OMITTED}, ""
    properties = {key.removeprefix(_PROPERTY): value for key, value in told.items() if key.startswith(_PROPERTY)}
    attributes: Attributes = {
        "helicone.log": log,
        **{key: told[header] for header, key in _HEADERS.items() if header in told},
        **{f"helicone.property.{key}": value for key, value in properties.items()},
    }
    if provider := text(record.get("provider")):
        attributes["helicone.provider"] = provider
    if "://" in (url := text(request.get("url")) or ""):
        attributes["url.full"] = url
    if status > 0:
        attributes["http.response.status_code"] = status
    if (first := number(timing.get("timeToFirstToken"))) is not None:
        attributes["helicone.time_to_first_token_ms"] = first
    attributes.update(_fields("helicone.request", asked))
    attributes.update(_fields("helicone.response", answer))
    events: tuple[RawEvent, ...] = ()
    if prose and failure is not None:
        events = (_exception(failure, _bounded("exception.stacktrace", prose)),)
    elif prose:
        attributes["helicone.text"] = _bounded("helicone.text", prose)
    key = told.get("helicone-request-id", "").encode() or b"".join(
        (log.encode(), repr(sorted(told.items())).encode(), body)
    )
    session = told.get("helicone-session-id")
    return RawSpan(
        trace_id=_digest(b"session " + session.encode() if session else b"call " + key, 32),
        span_id=_digest(b"span " + key, 16),
        name=_name(asked, told),
        otel_kind=3,
        start_time=_time(timing.get("startTime")),
        end_time=_time(timing.get("endTime")),
        status_code=2 if failure is not None else 0,
        status_message=failure or "",
        attributes=attributes,
        events=events,
        resource={_RESOURCE[key]: properties[key] for key in reversed(_RESOURCE) if key in properties},
        scope=Scope(name="helicone"),
    )


def _answer(response: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the answer as the provider gave it whole, and what is no such answer: an error's text, or a model's own."""
    found, prose = _object(response.get("json")), text(response.get("textBody")) or ""
    if not prose:
        return found, ""
    lines = prose.splitlines()
    pieces = [loads(line.removeprefix("data:").strip()) for line in lines if line.strip() not in {"", "data: [DONE]"}]
    whole = fold(pieces)
    if whole is None and isinstance(one := loads(prose), dict):
        whole = one
    if whole is None:
        return found, prose
    said = [
        line for line, piece in zip((line for line in lines if line.strip()), pieces, strict=False) if piece == line
    ]
    return {**whole, **found}, "\n".join(said)


def _status(response: dict[str, Any], prose: str) -> tuple[int, str | None]:
    """Return the status, and the message of a failure. The Python helper says 200 whatever happened."""
    status = integer(response.get("status")) or (-1 if number(response.get("status")) else 0)
    if status == -1:
        return status, "cancelled"
    trace = prose.startswith("Traceback (most recent call last)")
    if status < _REFUSED and not trace:
        return status, None
    lines = [line for line in prose.splitlines() if line.strip()]
    last = (
        next((line for line in reversed(lines) if line[:1] not in {" ", "\t", "{"}), "")
        if trace
        else next(iter(lines), "")
    )
    return status, last[:2_000] or f"status {status}"


def _exception(failure: str, trace: AttributeValue) -> RawEvent:
    """Write an error's text as OpenTelemetry writes an exception; a bare `Error` names no type."""
    named = _ERROR.match(failure)
    kind: Attributes = {"exception.type": named[1]} if named else {}
    return RawEvent(name="exception", attributes={**kind, "exception.message": failure, "exception.stacktrace": trace})


def _fields(prefix: str, tree: dict[str, Any]) -> Iterator[tuple[str, AttributeValue]]:
    """Yield a body's fields; the numbers of its usage one by one, so that they are figures and not content."""
    for key, value in tree.items():
        name = f"{prefix}.{key}"
        if key in {"usage", "usageMetadata"} and isinstance(value, dict):
            for field, count in value.items():
                inner = count.items() if isinstance(count, dict) else ()
                yield from ((f"{name}.{field}.{one}", _bounded(name, more)) for one, more in inner)
                if not isinstance(count, dict):
                    yield f"{name}.{field}", _bounded(name, count)
        elif value is not None and value != "unknown":  # what the Python helper writes for "no type"
            yield name, _bounded(name, value)


def _bounded(key: str, value: Any) -> AttributeValue:  # noqa: ANN401 - JSON is any shape
    size = 0

    def walk(one: Any, depth: int) -> AttributeValue:  # noqa: ANN401 - the same
        nonlocal size
        if depth > MAX_DEPTH:
            raise too_deep()
        if isinstance(one, dict):
            size += sum(map(len, one))
            return {name: walk(inner, depth + 1) for name, inner in one.items()}
        if isinstance(one, list):
            return [walk(inner, depth + 1) for inner in one]
        size += len(one.encode()) if isinstance(one, str) else 8
        if size > MAX_ATTRIBUTE:
            raise too_big(key)
        return float(one) if isinstance(one, int) and not -_INT64 <= one < _INT64 else one

    return walk(value, 1)


def _name(asked: dict[str, Any], told: dict[str, str]) -> str:
    path = told.get("helicone-session-path", "").strip("/").rpartition("/")[2]
    return path or text(asked.get("toolName")) or text(asked.get("model")) or text(asked.get("_type")) or "call"


def _time(told: Any) -> int:  # noqa: ANN401 - JSON is any shape
    told = _object(told)
    whole, part = divmod(number(told.get("seconds")) or 0.0, 1)
    found = int(whole) * _NS + round(part * _NS) + round((number(told.get("milliseconds")) or 0.0) * _MS)
    return found if 0 <= found < MAX_TIME else 0


def _digest(key: bytes, length: int) -> str:
    return hashlib.sha256(key).hexdigest()[:length]


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is any shape
    return value if isinstance(value, dict) else {}
