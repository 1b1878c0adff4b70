"""A score in Langfuse's words to one in ours."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from watchkeeper.ingest import span_id_of, trace_id_of
from watchkeeper.ingest.read import text
from watchkeeper.kit.errors import RequestError
from watchkeeper.server.scores.schemas import ScoreIn

__all__ = ["score_of"]


def score_of(body: object) -> ScoreIn:
    """Read a score. A text is a label; a truth or a number is a value; of a category that has both, the text is told.

    Raises:
        RequestError: it is none, or about nothing that is stored here.
    """
    if not isinstance(body, dict):
        raise RequestError("a score is an object")
    trace, observation, session = (text(body.get(key)) for key in ("traceId", "observationId", "sessionId"))
    if trace is None and session is None and body.get("datasetRunId") is not None:
        raise RequestError("scores of dataset runs are not stored; a traceId or a sessionId is needed")
    told: dict[str, Any] = {
        "name": body.get("name"), "id": text(body.get("id")), "comment": body.get("comment"),
        "trace_id": trace_id_of(trace) if trace else None, "session_id": session,
        "span_id": span_id_of(observation) if observation else None, "time": text(body.get("timestamp")),
        **_said(body),
    }  # fmt: skip
    try:
        return ScoreIn.model_validate(told)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in error.errors()[:3])
        raise RequestError("; ".join(problems)) from error


def _said(body: dict[str, Any]) -> dict[str, Any]:
    value, label = body.get("value"), body.get("stringValue")
    if isinstance(value, str):
        return {"label": value}
    if isinstance(value, bool):
        return {"value": float(value), "label": str(value).lower()}
    if body.get("dataType") == "BOOLEAN" and value in {0, 1}:
        return {"value": value, "label": "true" if value else "false"}
    return {"value": value, "label": label if isinstance(label, str) else None}
