"""What a Langfuse server would answer of a recorded conversation: built with the SDKs' own models, which are the authority.

Run in an environment of one of them: spans as JSON on stdin, answers on stdout. There is no Langfuse server to ask.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

SAID = "langfuse.observation."
STAMP = "2026-11-26T12:00:00.000Z"
PROJECT = {"id": "p", "name": "weather-bot", "organization": {"id": "o", "name": "o"}, "metadata": {}}


def observation(span: dict[str, Any]) -> dict[str, Any]:
    """Say what a server keeps of a span."""
    found = span["attributes"]
    usage = json.loads(found.get(f"{SAID}usage_details", "{}"))
    metadata = {
        key.rpartition(".")[2]: json.loads(one) for key, one in found.items() if key.startswith(f"{SAID}metadata.")
    }
    told = {
        "id": span["span_id"],
        "traceId": span["trace_id"],
        "parentObservationId": span["parent"] or None,
        "type": found[f"{SAID}type"].upper(),
        "name": span["name"],
        "startTime": stamp(span["start"]),
        "endTime": stamp(span["end"]),
        "level": found.get(f"{SAID}level", "DEFAULT"),
        "statusMessage": found.get(f"{SAID}status_message"),
        "input": found.get(f"{SAID}input"),
        "output": found.get(f"{SAID}output"),
        "metadata": {**metadata, "resourceAttributes": span["resource"], "scope": {"name": "langfuse-sdk"}},
        "model": found.get(f"{SAID}model.name"),
        "modelParameters": json.loads(found.get(f"{SAID}model.parameters", "{}")),
        "usageDetails": buckets(usage),
        "costDetails": {"input": 1.86e-05, "output": 3.6e-06, "total": 2.22e-05} if "prompt_tokens" in usage else {},
        "environment": found["langfuse.environment"],
    }
    if started := found.get(f"{SAID}completion_start_time"):
        told["completionStartTime"] = json.loads(started)
    return told


def buckets(usage: dict[str, Any]) -> dict[str, int]:
    """Turn OpenAI's usage into the buckets that the server keeps, with their sum."""
    if "prompt_tokens" not in usage:
        return {**usage, "total": sum(usage.values())} if usage else {}
    cached, reasoned = (
        usage["prompt_tokens_details"]["cached_tokens"],
        usage["completion_tokens_details"]["reasoning_tokens"],
    )
    return {
        "input": usage["prompt_tokens"] - cached, "output": usage["completion_tokens"] - reasoned, "total": usage["total_tokens"],
        "input_cached_tokens": cached, "output_reasoning_tokens": reasoned,
    }  # fmt: skip


def stamp(ns: int) -> str:
    """Write a time as the API does, to the microsecond."""
    return datetime.fromtimestamp(ns // 1_000 / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def judged(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make scores of a span, its trace and its session, each of another kind."""
    trace, span = spans[0]["trace_id"], spans[1]["span_id"]
    common = {
        "createdAt": STAMP,
        "updatedAt": STAMP,
        "timestamp": STAMP,
        "environment": "test",
        "comment": "so",
        "metadata": {},
    }
    return [
        {**common, "id": "s1", "name": "helpful", "source": "EVAL", "dataType": "NUMERIC", "value": 0.75, "traceId": trace,
         "observationId": span},
        {**common, "id": "s2", "name": "tone", "source": "ANNOTATION", "dataType": "CATEGORICAL", "value": "friendly",
         "traceId": trace},
        {**common, "id": "s3", "name": "solved", "source": "API", "dataType": "BOOLEAN", "value": True, "sessionId": "session-1"},
    ]  # fmt: skip


def version_5(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer as a server of version 4 does, whose SDK is the fifth: observations v2 and scores v3."""
    from langfuse.api.core.pydantic_utilities import parse_obj_as
    from langfuse.api.observations import ObservationsV2Response
    from langfuse.api.projects import Projects
    from langfuse.api.scores import GetScoresV3Response

    found = spans[0]["attributes"]
    facts = {
        "projectId": "p", "userId": found["user.id"], "sessionId": found["session.id"], "tags": found["langfuse.trace.tags"],
        "release": found["langfuse.release"], "traceName": "weather-bot",
    }  # fmt: skip
    rows = [{**observation(one), **facts, "isRootObservation": not one["parent"]} for one in spans]
    scores = []
    for one in judged(spans):
        about = {key: one.pop(key, None) for key in ("traceId", "observationId", "sessionId")}
        kind = "session" if about["sessionId"] else "observation" if about["observationId"] else "trace"
        subject = {"kind": kind, "id": about[f"{kind}Id"]}
        subject |= {"traceId": about["traceId"]} if kind == "observation" else {}
        scores.append({**one, "projectId": "p", "subject": subject})
    told = {
        "projects": parse_obj_as(Projects, {"data": [PROJECT]}),
        "v2/observations": parse_obj_as(ObservationsV2Response, {"data": rows, "meta": {}}),
        "v3/scores": parse_obj_as(GetScoresV3Response, {"data": scores, "meta": {"limit": 100}}),
    }
    return {path: json.loads(one.json(by_alias=True)) for path, one in told.items()}


def version_3(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer as a server of version 3 does, whose SDK is the third: traces with their observations, and scores v2."""
    from langfuse.api.resources.commons.types import TraceWithFullDetails
    from langfuse.api.resources.score_v_2.types import GetScoresResponse
    from langfuse.api.resources.trace.types import Traces

    found = spans[0]["attributes"]
    rows = [{**observation(one), "usage": {"input": 0, "output": 0, "total": 0, "unit": "TOKENS"}} for one in spans]
    for one in rows:
        for side in ("input", "output"):
            one[side] = _loads(one[side])
    trace = {
        "id": spans[0]["trace_id"], "timestamp": stamp(spans[0]["start"]), "name": "weather-bot", "userId": found["user.id"],
        "sessionId": found["session.id"], "tags": found["langfuse.trace.tags"], "release": found["langfuse.release"],
        "metadata": {"team": "weather"}, "public": False, "environment": "test", "htmlPath": "/t",
    }  # fmt: skip
    scores = judged(spans)
    for one in scores:
        if one["dataType"] == "CATEGORICAL":
            one |= {"stringValue": one["value"], "value": 1}
        if one["dataType"] == "BOOLEAN":
            one |= {"stringValue": "True", "value": 1}
    meta = {"page": 1, "limit": 100, "totalItems": 1, "totalPages": 1}
    told = {
        "traces": Traces(data=[trace], meta=meta),
        "trace": TraceWithFullDetails(**trace, observations=rows, scores=[]),
        "v2/scores": GetScoresResponse(data=scores, meta=meta),
    }
    return {path: json.loads(one.json(by_alias=True)) for path, one in told.items()}


def _loads(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump({"5": version_5, "3": version_3}[version("langfuse")[0]](given), sys.stdout, indent=1)
