"""MLflow: from a tracking server's REST API (MLflow 3), or from traces written to a file with `Trace.to_json`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watchkeeper.importers.files import JsonFiles
from watchkeeper.importers.page import OtlpSpan, Page, Tree, Unit, Window
from watchkeeper.importers.scores import score, score_id
from watchkeeper.importers.values import attributes, nanoseconds, value_of
from watchkeeper.importers.wire import Client
from watchkeeper.kit.errors import ConfigError, NotFoundError, RequestError

__all__ = ["MLflow", "MLflowFiles"]

_TRACES, _EXPERIMENTS = 20, 1_000
_CODES = {"STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2, "OK": 1, "ERROR": 2}
_SOURCES = {"HUMAN": "human", "LLM_JUDGE": "judge", "AI_JUDGE": "judge", "CODE": "code"}
_OWN, _TAG = "mlflow.", "mlflow.traceTag."
_SESSION, _USER = "mlflow.trace.session", "mlflow.trace.user"
_DEFAULT = "default"


class MLflow:
    """A tracking server: its experiments' traces with spans and assessments.

    Args:
        client: of its address.
        window: by each trace's start.
        experiment: the name of the one experiment to import; all where it is None.
    """

    name = "mlflow"
    unit: Unit = "traces"

    def __init__(self, client: Client, window: Window, experiment: str | None = None) -> None:
        self._client, self._window, self._wanted = client, window, experiment

    def pages(self, cursor: Any) -> Iterator[Page]:  # noqa: ANN401 - whatever JSON it gave
        """Yield some traces at a time, an experiment after the other, the oldest first."""
        done = cursor["done"] if cursor else 0
        for number, experiment in self._experiments():
            same = bool(cursor) and cursor["experiment"] == number
            after = cursor["after"] if same else None
            if cursor and (number < cursor["experiment"] or (same and not after)):
                continue
            while True:
                infos, after = self._search(str(number), after)
                page = Page(whole=True)
                for trace in self._traces(infos):
                    put(page, trace, experiment)
                done += len(infos)
                page.cursor = {"experiment": number, "after": after, "done": done}
                page.done = done
                yield page
                if not after:
                    break

    def _experiments(self) -> list[tuple[int, str]]:
        found: list[Tree] = []
        token = None
        while token != "":
            body = {"max_results": _EXPERIMENTS, "view_type": "ACTIVE_ONLY", **({"page_token": token} if token else {})}
            told = self._client.post("/api/2.0/mlflow/experiments/search", body) or {}
            found += told.get("experiments") or []
            token = told.get("next_page_token") or ""
        if self._wanted is not None and all(one["name"] != self._wanted for one in found):
            raise ConfigError(f"MLflow at {self._client.url} has no experiment {self._wanted!r}")
        return sorted((int(one["experiment_id"]), one["name"]) for one in found if self._wanted in {None, one["name"]})

    def _search(self, experiment: str, after: str | None) -> tuple[list[Tree], str | None]:
        since, until = self._window.since, self._window.until
        times = [f"timestamp_ms >= {-(-since // 1_000_000)}"] if since is not None else []
        times += [f"timestamp_ms < {-(-until // 1_000_000)}"] if until is not None else []
        body = {
            "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}],
            "max_results": min(_TRACES, self._window.limit or _TRACES),
            "order_by": ["timestamp_ms ASC"],
            **({"filter": " AND ".join(times)} if times else {}),
            **({"page_token": after} if after else {}),
        }
        try:
            told = self._client.post("/api/3.0/mlflow/traces/search", body) or {}
        except NotFoundError as error:
            raise ConfigError(
                f"this MLflow cannot list traces: {error.message}",
                hint="MLflow 3 is needed; an older one's database can be served by a newer one after `mlflow db upgrade`",
            ) from None
        return told.get("traces") or [], told.get("next_page_token")

    def _traces(self, infos: list[Tree]) -> Iterator[Tree]:
        ids = [one["trace_id"] for one in infos]
        told = self._client.get("/api/3.0/mlflow/traces/batchGet", {"trace_ids": ids}) if ids else {}
        whole = {one["trace_info"]["trace_id"]: one.get("spans") for one in told.get("traces") or []}
        for info in infos:
            # Spans of traces from before MLflow kept them in its database are in a file of its artifact store.
            yield {"info": info, "spans": whole.get(info["trace_id"]) or self._artifact(info["trace_id"])}

    def _artifact(self, trace_id: str) -> list[Tree]:
        try:
            told = self._client.get("/ajax-api/2.0/mlflow/get-trace-artifact", {"request_id": trace_id})
        except RequestError:
            return []
        return told.get("spans") or [] if isinstance(told, dict) else []


class MLflowFiles(JsonFiles):
    """Traces that were written to files with `Trace.to_json`, one a file, a line, or in a list.

    Args:
        path: a file, or a folder of files.
        window: by each trace's start.
        experiment: the service's name, which the files do not tell.
    """

    def __init__(self, path: Path, window: Window, experiment: str) -> None:
        super().__init__("mlflow", path, self._trace, "traces are written as JSON with mlflow.get_trace(id).to_json()")
        self._window, self._experiment = window, experiment

    def _trace(self, page: Page, told: object, where: str) -> None:
        info = told.get("info") if isinstance(told, dict) else None
        data = told.get("data") if isinstance(told, dict) else None
        if not isinstance(info, dict) or not isinstance(data, dict):
            page.skip("not a trace of MLflow: no info and data", where)
            return
        if self._window.holds(nanoseconds(info.get("request_time"))):
            put(page, {"info": info, "spans": data.get("spans")}, self._experiment)
        else:
            page.skip("outside --since and --until", where)


def put(page: Page, trace: Tree, experiment: str) -> None:
    """Put a trace's spans and assessments onto a page; what cannot be taken is counted there."""
    info, spans = trace["info"], trace.get("spans") or []
    if not spans:
        page.skip("a trace has no spans that can be had", f"trace {info.get('trace_id')}")
        return
    metadata = info.get("trace_metadata") or {}
    common = {"session.id": metadata.get(_SESSION), "user.id": metadata.get(_USER)}
    tags = {f"{_TAG}{key}": one for key, one in (info.get("tags") or {}).items() if not key.startswith(_OWN)}
    resource = {"attributes": attributes({"service.name": experiment})}
    for told in spans:
        try:
            span = _span(told, common, tags)
        except (KeyError, ValueError, TypeError) as error:
            page.skip(f"not a span of MLflow: {error}", f"trace {info.get('trace_id')}")
            continue
        page.spans.append(OtlpSpan(resource, {"name": "mlflow"}, span))
    trace_id = page.spans[-1].trace_id if page.spans else ""
    for one in info.get("assessments") or ():
        _assessment(page, one, trace_id)


def _span(told: Tree, common: Tree, tags: Tree) -> Tree:
    parent = told.get("parent_span_id")
    given = told.get("attributes") or {}
    if isinstance(given, list):  # OTLP's way, with values decoded
        given = {one["key"]: _as_sent(one["key"], value_of(one.get("value"))) for one in given}
    status = told.get("status") or {}
    return {
        "traceId": _hex(told["trace_id"]),
        "spanId": _hex(told["span_id"]),
        "parentSpanId": _hex(parent) if parent else "",
        "name": told.get("name") or "",
        "startTimeUnixNano": str(told["start_time_unix_nano"]),
        "endTimeUnixNano": str(told.get("end_time_unix_nano") or 0),
        "status": {"code": _CODES.get(status.get("code") or "", 0), "message": status.get("message") or ""},
        "attributes": attributes({**common, **given, **({} if parent else tags)}),
        "events": [_event(one) for one in told.get("events") or ()],
    }


def _event(told: Tree) -> Tree:
    given = told.get("attributes") or {}
    return {
        "name": told.get("name") or "",
        "timeUnixNano": str(told.get("time_unix_nano") or 0),
        "attributes": given if isinstance(given, list) else attributes(given),
    }


def _as_sent(key: str, value: object) -> object:
    """Write a value as MLflow's exporter sends it: its own and what `autolog` sets (model, stream) as JSON text."""
    own = key.startswith(_OWN) or "." not in key
    return json.dumps(value, ensure_ascii=False) if own and not key.startswith(_TAG) else value


def _hex(told: str) -> str:
    """Read an id: base64 in MLflow's answers, hex in some of its files."""
    if len(told) in {16, 32} and not set(told) - set("0123456789abcdefABCDEF"):
        return told.lower()
    try:
        return base64.b64decode(told, validate=True).hex()
    except binascii.Error:
        raise ValueError(f"{told!r} is not an id") from None


def _assessment(page: Page, told: Mapping[str, Any], trace_id: str) -> None:
    where = f"assessment {told.get('assessment_id')} of trace {told.get('trace_id')}"
    feedback = told.get("feedback")
    if not isinstance(feedback, dict):
        page.skip("expectations and issues are not judgements", where)
        return
    if told.get("valid") is False:
        page.skip("an assessment was overridden by another", where)
        return
    value = feedback.get("value")
    if value is None:
        page.skip("an assessment failed, and says nothing", where)
        return
    source, metadata = told.get("source") or {}, told.get("metadata") or {}
    evaluator = source.get("source_id")
    page.scores.append(
        score(
            id=score_id("mlflow", told.get("assessment_id") or where),
            name=told.get("assessment_name") or "assessment",
            value=value,
            label=value if isinstance(value, str) else json.dumps(value) if isinstance(value, list | dict) else None,
            comment=told.get("rationale"),
            trace_id=trace_id,
            span_id=_span_id(told.get("span_id")),
            source=_SOURCES.get(source.get("source_type") or "", "api"),
            evaluator=None if evaluator == _DEFAULT else evaluator,
            evaluator_version=metadata.get("mlflow.assessment.scorerVersion"),
            time=nanoseconds(told.get("last_update_time") or told.get("create_time")),
        )
    )


def _span_id(told: str | None) -> str | None:
    try:
        return _hex(told) if told else None
    except ValueError:
        return None
