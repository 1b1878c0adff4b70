"""Langfuse's observations, traces and scores as spans and scores: as its API answers them, and as its exports write them.

Rows come in camelCase (API, exports of its tables) or snake_case (exports to a bucket), in CSV every value as text. A span is
written in the attributes that Langfuse's own SDK sends, so that the same dialect reads both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from watchkeeper.importers.page import OtlpSpan, Page, Tree
from watchkeeper.importers.scores import score
from watchkeeper.importers.values import attributes, nanoseconds
from watchkeeper.ingest import span_id_of, trace_id_of

__all__ = ["facts_of", "named", "put_score", "put_trace", "span_of"]

_OBSERVED, _TRACE = "langfuse.observation.", "langfuse.trace."
_SCOPE: Tree = {"name": "langfuse-sdk"}
_SOURCES = {"API": "api", "EVAL": "judge", "ANNOTATION": "human"}
_FROM_OTEL = ("resourceAttributes", "scope")
"""What Langfuse puts among the metadata of spans that came to it by OTLP; the resource becomes ours again."""
_LONGEST_ID, _LONGEST_LABEL = 100, 500
_JSON = frozenset(
    {
        "metadata",
        "modelParameters",
        "usageDetails",
        "costDetails",
        "tags",
        "resourceAttributes",
        "observations",
        "scores",
    }
)
_OTHER_NAMES = {"providedModelName": "model", "providedUsageDetails": "", "providedCostDetails": ""}


def named(row: Mapping[str, Any]) -> Tree:
    """Give a row's fields the API's names, and read JSON out of text where a field is no text; empty ones are left out."""
    found: Tree = {}
    for key, value in row.items():
        name = re.sub(r"[_ ](\w)", lambda hit: hit[1].upper(), key)
        name = _OTHER_NAMES.get(name, name)
        if value is None or value == "" or not name:
            continue
        found[name] = _loads(value) if name in _JSON else value
    return found


def facts_of(trace: Tree) -> Tree:
    """Return what is true of a whole trace, as attributes that its SDK puts on each span."""
    public = trace.get("public")
    return {
        "session.id": trace.get("sessionId"),
        "user.id": trace.get("userId"),
        f"{_TRACE}name": trace.get("traceName") or trace.get("name"),
        f"{_TRACE}tags": trace.get("tags") or None,
        f"{_TRACE}public": public if public is True else None,
        "langfuse.release": trace.get("release"),
        "langfuse.environment": trace.get("environment"),
    }


def put_trace(page: Page, trace: Tree, service: str) -> None:
    """Put a trace with its observations and scores onto a page.

    Langfuse's older SDKs let a trace have several observations at its top, or input and output of its own: then a span
    stands for the trace.
    """
    told = [named(one) for one in trace.get("observations") or () if isinstance(one, dict)]
    facts = facts_of(trace)
    about = {f"{_TRACE}metadata.{key}": _text(one) for key, one in _metadata(trace).items() if key not in _FROM_OTEL}
    ids = {one.get("id") for one in told}
    tops = {one.get("id") for one in told if one.get("parentObservationId") not in ids}
    root = None
    if len(tops) != 1:
        root = hashlib.sha256(f"trace {trace['id']}".encode()).hexdigest()[:16]
        ends = [str(one.get("endTime") or one["startTime"]) for one in told]
        whole = {
            **{key: trace.get(key) for key in ("input", "output", "version", "name")}, "id": root, "traceId": trace["id"],
            "type": "SPAN", "startTime": trace["timestamp"], "endTime": max(ends, default=trace["timestamp"], key=nanoseconds),
        }  # fmt: skip
        page.spans.append(span_of(whole, {**facts, **about}, service))
    for one in told:
        top = one.get("id") in tops
        try:
            span = span_of({**one, "traceId": trace["id"]}, {**facts, **(about if top and not root else {})}, service)
        except (KeyError, ValueError, TypeError) as error:
            page.skip(f"not an observation of Langfuse: {error}", f"observation {one.get('id')} of trace {trace['id']}")
            continue
        if root and top:
            span.span["parentSpanId"] = root
        page.spans.append(span)
    for one in trace.get("scores") or ():
        if isinstance(one, dict):
            put_score(page, {**named(one), "traceId": trace["id"]})


def span_of(told: Tree, facts: Tree, service: str) -> OtlpSpan:
    """Write an observation as OTLP.

    Raises:
        KeyError, ValueError, TypeError: it has no id, trace or start, or they are none.
    """
    metadata = _metadata(told)
    resource = _loads(metadata.get("resourceAttributes"))
    resource = resource if isinstance(resource, dict) else {}
    level, message = told.get("level"), told.get("statusMessage")
    started = told.get("completionStartTime")
    found = {
        **facts,
        f"{_OBSERVED}type": str(told.get("type") or "SPAN").lower(),
        f"{_OBSERVED}input": _text(told.get("input")),
        f"{_OBSERVED}output": _text(told.get("output")),
        f"{_OBSERVED}level": level,
        f"{_OBSERVED}status_message": message,
        f"{_OBSERVED}completion_start_time": json.dumps(_iso(started)) if started else None,
        f"{_OBSERVED}model.name": told.get("model"),
        f"{_OBSERVED}model.parameters": _text(told.get("modelParameters") or None),
        f"{_OBSERVED}usage_details": _text(told.get("usageDetails") or _usage(told.get("usage"))),
        f"{_OBSERVED}cost_details": _text(told.get("costDetails") or None),
        f"{_OBSERVED}prompt.name": told.get("promptName"),
        f"{_OBSERVED}prompt.version": told.get("promptVersion"),
        "langfuse.version": told.get("version"),
        "langfuse.environment": told.get("environment") or facts.get("langfuse.environment"),
        **{f"{_OBSERVED}metadata.{key}": _text(one) for key, one in metadata.items() if key not in _FROM_OTEL},
    }
    start, parent = nanoseconds(told["startTime"]), told.get("parentObservationId")
    span: Tree = {
        "traceId": trace_id_of(told["traceId"]),
        "spanId": span_id_of(told["id"]),
        "parentSpanId": span_id_of(parent) if parent else "",
        "name": told.get("name") or "",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(nanoseconds(told.get("endTime")) or (start if told.get("type") == "EVENT" else 0)),
        "status": {"code": 2 if level == "ERROR" else 0, "message": message or "" if level == "ERROR" else ""},
        "attributes": attributes(found),
    }
    return OtlpSpan({"attributes": attributes({"service.name": service, **resource})}, _SCOPE, span)


def put_score(page: Page, told: Tree) -> None:
    """Put a score, of any of the API's versions, onto a page; one of a dataset's run is counted as left out."""
    subject = told.get("subject") or {}
    about = {
        "trace": {"traceId": subject.get("id")},
        "observation": {"traceId": subject.get("traceId"), "observationId": subject.get("id")},
        "session": {"sessionId": subject.get("id")},
    }.get(subject.get("kind") or "", told)
    trace, session, span = about.get("traceId"), about.get("sessionId"), about.get("observationId")
    where = f"score {told.get('id')}"
    if not trace and not session:
        page.skip("scores of dataset runs are not stored", where)
        return
    value, text = told.get("value"), told.get("stringValue")
    if isinstance(value, str):  # version 3 has no stringValue, and CSV only text
        value, text = _number(value), text or value
    if told.get("dataType") in {"CATEGORICAL", "TEXT", "CORRECTION"}:
        value = value if told["dataType"] == "CATEGORICAL" and told.get("stringValue") else None
    else:  # a truth is told in words too, as where scores are sent to us
        text = str(bool(value)).lower() if told.get("dataType") == "BOOLEAN" and value in {0, 1} else None
    given, comment = str(told.get("id") or where), told.get("comment")
    if text and len(text) > _LONGEST_LABEL and not comment:
        comment = text
    page.scores.append(
        score(
            id=given if len(given) <= _LONGEST_ID else hashlib.sha256(given.encode()).hexdigest()[:32],
            name=str(told.get("name") or "score"),
            value=value,
            label=text,
            comment=comment,
            trace_id=trace_id_of(trace) if trace else None,
            span_id=span_id_of(span) if trace and span else None,
            session_id=None if trace else session,
            source=_SOURCES.get(str(told.get("source")), "api"),
            evaluator=told.get("authorUserId"),
            time=nanoseconds(told.get("timestamp")),
        )
    )


def _metadata(told: Tree) -> Tree:
    found = _loads(told.get("metadata"))
    return found if isinstance(found, dict) else {} if found is None else {"value": found}


def _usage(told: object) -> Tree | None:
    """Read the counts of an API that had no usageDetails yet."""
    kept = {key: told[key] for key in ("input", "output", "total") if told.get(key)} if isinstance(told, dict) else {}
    return kept or None


def _iso(told: object) -> str:
    at = nanoseconds(told)
    return datetime.fromtimestamp(at // 1_000 / 1_000_000, UTC).isoformat()


def _number(told: str) -> float | None:
    if told in {"true", "True", "false", "False"}:
        return float(told in {"true", "True"})
    try:
        return float(told)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _loads(value: object) -> Any:  # noqa: ANN401 - JSON is any shape
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value
