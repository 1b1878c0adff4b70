"""Arize Phoenix: from its REST API, or from spans its client has written to a file as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from watchkeeper.importers.files import JsonFiles
from watchkeeper.importers.page import OtlpSpan, Page, Tree, Unit, Window
from watchkeeper.importers.scores import score, score_id
from watchkeeper.importers.values import attributes, nanoseconds, nested, pieces
from watchkeeper.importers.wire import Client
from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.kit.errors import ConfigError, NotFoundError

__all__ = ["Phoenix", "PhoenixFiles", "phoenix_score", "phoenix_span"]

_TRACES, _SPANS, _IDS, _ANNOTATIONS = 50, 1_000, 100, 1_000
_CODES = {"OK": 1, "ERROR": 2}
_SOURCES = {"LLM": "judge", "CODE": "code", "HUMAN": "human"}
_KIND = "openinference.span.kind"
_OLD = (
    "update Phoenix, or write its client's spans to a file: "
    'get_spans_dataframe().to_json("spans.jsonl", orient="records", lines=True, date_unit="ns")'
)


class Phoenix:
    """A running Phoenix: its projects' traces with spans and annotations, and its sessions' annotations.

    Args:
        client: of its address.
        window: by each trace's start.
        project: the name of the one project to import; all where it is None.
    """

    name = "phoenix"
    unit: Unit = "traces"

    def __init__(self, client: Client, window: Window, project: str | None = None) -> None:
        self._client, self._window, self._wanted = client, window, project

    def pages(self, cursor: Any) -> Iterator[Page]:  # noqa: ANN401 - whatever JSON it gave
        """Yield some traces at a time, a project after the other, each project's sessions last."""
        done = cursor["done"] if cursor else 0
        for project in self._projects():
            at = f"/v1/projects/{quote(project['id'], safe='')}"
            same = bool(cursor) and cursor["project"] == project["id"]
            if (cursor and project["id"] < cursor["project"]) or (same and cursor["phase"] == "done"):
                continue
            after = cursor["after"] if same else None
            while not (same and cursor["phase"] == "sessions"):
                page, after = self._traces(at, project["name"], after)
                done += len({one.trace_id for one in page.spans})
                phase = "traces" if after else "sessions"
                page.cursor = {"project": project["id"], "phase": phase, "after": after, "done": done}
                page.done, page.whole = done, True
                yield page
                if not after:
                    break
            page = Page(done=done, cursor={"project": project["id"], "phase": "done", "after": None, "done": done})
            page.scores = list(self._sessions(at))
            yield page

    def _projects(self) -> list[Tree]:
        found = [one for one in self._all("/v1/projects", {}) if self._wanted in {None, one["name"]}]
        if not found and self._wanted is not None:
            raise ConfigError(f"Phoenix at {self._client.url} has no project {self._wanted!r}")
        return sorted(found, key=lambda one: str(one["id"]))

    def _traces(self, at: str, project: str, after: str | None) -> tuple[Page, str | None]:
        since, until = (
            None if one is None else format_rfc3339(one) for one in (self._window.since, self._window.until)
        )
        limit = min(_TRACES, self._window.limit or _TRACES)
        query = {"order": "asc", "limit": limit, "cursor": after, "start_time": since, "end_time": until}
        try:
            told = self._client.get(f"{at}/traces", query)
        except NotFoundError as error:
            raise ConfigError(f"this Phoenix cannot list its traces: {error.message}", hint=_OLD) from None
        traces = [one["trace_id"] for one in told["data"]]
        page = Page()
        if not traces:
            return page, None
        found = self._all(f"{at}/spans", {"trace_id": traces, "limit": _SPANS})
        # A Phoenix that does not know the filter answers all the spans it has.
        spans = {one["context"]["span_id"]: one for one in found if one["context"]["trace_id"] in traces}
        page.spans = [phoenix_span(one, project) for one in spans.values()]
        for ids in pieces(spans, _IDS):
            for one in self._annotations(f"{at}/span_annotations", {"span_ids": ids}):
                page.scores.append(phoenix_score(one, spans[one["span_id"]]["context"]["trace_id"]))
        for one in self._annotations(f"{at}/trace_annotations", {"trace_ids": traces}):
            page.scores.append(phoenix_score(one))
        return page, told.get("next_cursor")

    def _sessions(self, at: str) -> Iterator[Tree]:
        try:
            sessions = [one["session_id"] for one in self._all(f"{at}/sessions", {"limit": _SPANS})]
        except NotFoundError:  # a Phoenix before sessions
            return
        for ids in pieces(sessions, _IDS):
            for one in self._annotations(f"{at}/session_annotations", {"session_ids": ids}):
                if self._window.holds(nanoseconds(one["created_at"])):
                    yield phoenix_score(one)

    def _annotations(self, path: str, query: Tree) -> Iterable[Tree]:
        try:
            return list(self._all(path, {**query, "limit": _ANNOTATIONS}))
        except NotFoundError:  # what it answers where none of them is there any longer, and before it had annotations
            return ()

    def _all(self, path: str, query: Tree) -> Iterator[Tree]:
        cursor = None
        while True:
            told = self._client.get(path, {**query, "cursor": cursor})
            yield from told["data"]
            cursor = told.get("next_cursor")
            if not cursor:
                return


class PhoenixFiles(JsonFiles):
    """Spans that Phoenix's client has written as JSON lines: rows of its dataframe, or what its API answers.

    Args:
        path: a file, or a folder of files.
        window: by each span's start.
        project: the service's name, which the rows do not tell.
    """

    def __init__(self, path: Path, window: Window, project: str) -> None:
        super().__init__("phoenix", path, self._row, _OLD.partition(", or ")[2])
        self._window, self._project = window, project

    def _row(self, page: Page, told: object, where: str) -> None:
        if not isinstance(told, dict) or not isinstance(told.get("context.trace_id", told.get("context")), str | dict):
            page.skip("not a span of Phoenix: no context.trace_id", where)
            return
        try:
            span = phoenix_span(told if "context" in told else _unprefixed(told), self._project)
        except (KeyError, ValueError, TypeError) as error:
            page.skip(f"not a span of Phoenix: {error}", where)
            return
        if self._window.holds(int(span.span["startTimeUnixNano"])):
            page.spans.append(span)
        else:
            page.skip("outside --since and --until", where)


def _unprefixed(row: Mapping[str, Any]) -> Tree:
    """Turn a row of the dataframe into what the API answers."""
    told = {key: one for key, one in row.items() if not key.startswith(("attributes.", "context."))}
    found = {key.removeprefix("attributes."): one for key, one in row.items() if key.startswith("attributes.")}
    return {
        **told, "attributes": found,
        "context": {"trace_id": row["context.trace_id"], "span_id": row["context.span_id"]},
    }  # fmt: skip


def phoenix_span(told: Tree, project: str) -> OtlpSpan:
    """Write a span as OTLP. Phoenix keeps no resource, no scope, and times in microseconds: its project is the service."""
    found = nested({**told["attributes"]})
    about = {key.removeprefix("metadata."): found.pop(key) for key in list(found) if key.startswith("metadata.")}
    if about:
        found["metadata"] = json.dumps(about)
    kind = told.get("span_kind")
    if kind and kind != "UNKNOWN":
        found[_KIND] = kind
    span: Tree = {
        "traceId": told["context"]["trace_id"],
        "spanId": told["context"]["span_id"],
        "parentSpanId": told.get("parent_id") or "",
        "name": told.get("name") or "",
        "startTimeUnixNano": str(nanoseconds(told["start_time"])),
        "endTimeUnixNano": str(nanoseconds(told.get("end_time"))),
        "status": {"code": _CODES.get(told.get("status_code") or "", 0), "message": told.get("status_message") or ""},
        "attributes": attributes(found),
        "events": [
            {
                "name": one.get("name") or "",
                "timeUnixNano": str(nanoseconds(one.get("timestamp"))),
                "attributes": attributes(nested(one.get("attributes") or {})),
            }
            for one in told.get("events") or ()
        ],
    }
    return OtlpSpan({"attributes": attributes({"service.name": project})}, {}, span)


def phoenix_score(told: Tree, trace_id: str | None = None) -> Tree:
    """Turn an annotation of a span (whose trace is given), a trace or a session into a score."""
    result = told.get("result") or {}
    about = told.get("span_id") or told.get("trace_id") or told.get("session_id")
    return score(
        id=score_id("phoenix", about, told["name"], told.get("identifier") or ""),
        name=told["name"],
        value=result.get("score"),
        label=result.get("label"),
        comment=result.get("explanation"),
        trace_id=trace_id or told.get("trace_id"),
        span_id=told.get("span_id"),
        session_id=told.get("session_id"),
        source=_SOURCES.get(told.get("annotator_kind") or "", "api"),
        evaluator=told.get("identifier"),
        time=nanoseconds(told.get("updated_at") or told.get("created_at")),
    )
