"""Langfuse: from its public API, whichever generation a server speaks, or from files it has exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from watchkeeper.importers.files import CSV, JsonFiles
from watchkeeper.importers.langfuse_rows import facts_of, named, put_score, put_trace, span_of
from watchkeeper.importers.page import Page, Tree, Unit, Window
from watchkeeper.importers.values import nanoseconds
from watchkeeper.importers.wire import Client
from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.kit.errors import NotFoundError

__all__ = ["Langfuse", "LangfuseFiles"]

_FIELDS = "core,basic,time,io,metadata,model,usage,prompt,trace_context"
_OBSERVATIONS, _TRACES, _SCORES = 200, 20, 100
_LONG = 200
"""Characters after which version 2 cuts metadata that is not asked for by name."""
_API = "/api/public"


class Langfuse:
    """A Langfuse project, which the key decides.

    A server of version 4 lists observations (v2) and scores (v3); an older one traces (v1) and scores (v2), or only
    traces with their scores.

    Args:
        client: of its address.
        window: by each observation's start (v2) or each trace's time (v1), and each score's.
        service: the service's name where a span does not tell it; the project's where it is None.
    """

    name = "langfuse"
    unit: Unit = "traces"

    def __init__(self, client: Client, window: Window, service: str | None = None) -> None:
        self._client, self._window, self._service = client, window, service

    def pages(self, cursor: Any) -> Iterator[Page]:  # noqa: ANN401 - whatever JSON it gave
        """Yield observations or traces, then scores."""
        service = self._service or self._project()
        at = cursor or {"phase": self._generation(), "after": None, "done": 0}
        steps = {"v2": self._observations, "v1": self._traces, "scores": self._scores}
        while at["phase"] != "end":
            page, after, phase = steps[at["phase"]](at["after"], service)
            done = at["done"] + len({one.trace_id for one in page.spans})
            at = {"phase": phase, "after": after, "done": done}
            page.cursor, page.done = at, done
            yield page

    def _project(self) -> str:
        told = self._client.get(f"{_API}/projects")
        found = told.get("data") or [{}]
        return str(found[0].get("name") or "langfuse")

    def _generation(self) -> str:
        try:
            self._client.get(f"{_API}/v2/observations", {"limit": 1, "fields": "core"})
        except NotFoundError:
            return "v1"
        return "v2"

    def _times(self, since: str, until: str) -> Tree:
        told = {since: self._window.since, until: self._window.until}
        return {key: None if one is None else format_rfc3339(one) for key, one in told.items()}

    def _observations(self, after: Any, service: str) -> tuple[Page, Any, str]:  # noqa: ANN401 - its cursor
        query: Tree = {"limit": _OBSERVATIONS, "cursor": after, **self._times("fromStartTime", "toStartTime")}
        page = Page(whole=self._window.limit is not None)
        if self._window.limit is None:
            told, cursor = self._listed(query)
        else:  # a few traces, each of them whole
            query |= {"limit": min(_TRACES, self._window.limit), "isRootObservation": "true"}
            roots, cursor = self._listed(query)
            told = [one for root in roots for one in self._trace(root["traceId"])]
        for one in told:
            _put(page, one, service)
        return page, cursor, "v2" if cursor else "scores"

    def _trace(self, trace_id: str) -> Iterator[Tree]:
        cursor = None
        while True:
            told, cursor = self._listed({"limit": _OBSERVATIONS, "cursor": cursor, "traceId": trace_id})
            yield from told
            if not cursor:
                return

    def _listed(self, query: Tree) -> tuple[list[Tree], str | None]:
        query = {"fields": _FIELDS, **query}
        told = self._client.get(f"{_API}/v2/observations", query)
        cut = sorted(
            {key for one in told["data"] for key, value in (one.get("metadata") or {}).items() if _is_cut(value)}
        )
        if cut:
            told = self._client.get(f"{_API}/v2/observations", {**query, "expandMetadata": ",".join(cut)})
        return told["data"], (told.get("meta") or {}).get("cursor")

    def _traces(self, after: Any, service: str) -> tuple[Page, Any, str]:  # noqa: ANN401 - a page's number
        number = after or 1
        limit = min(_TRACES, self._window.limit or _TRACES)
        query = {
            "page": number,
            "limit": limit,
            "orderBy": "timestamp.asc",
            **self._times("fromTimestamp", "toTimestamp"),
        }
        told = self._client.get(f"{_API}/traces", query)
        page = Page(whole=True)
        for one in told["data"]:
            try:
                trace = self._client.get(f"{_API}/traces/{quote(one['id'], safe='')}")
            except NotFoundError:
                page.skip("a trace was deleted meanwhile", f"trace {one['id']}")
                continue
            put_trace(page, {**trace, "scores": []}, service)  # they are listed by themselves, with those of sessions
        last = number >= told["meta"]["totalPages"]
        return page, None if last else number + 1, "scores" if last else "v1"

    def _scores(self, after: Any, service: str) -> tuple[Page, Any, str]:  # noqa: ANN401 - a cursor or a page's number
        del service
        page, times = Page(), self._times("fromTimestamp", "toTimestamp")
        after = after or {"v": 3, "at": None}
        try:
            if after["v"] == 3:  # noqa: PLR2004 - a version
                query = {"limit": _SCORES, "fields": "details,subject,annotation", "cursor": after["at"], **times}
                told = self._client.get(f"{_API}/v3/scores", query)
                at = (told.get("meta") or {}).get("cursor")
            else:
                query = {"limit": _SCORES, "page": after["at"] or 1, **times}
                told = self._client.get(f"{_API}/v2/scores", query)
                at = (after["at"] or 1) + 1 if (after["at"] or 1) < told["meta"]["totalPages"] else None
        except NotFoundError:
            if after["v"] == 3:  # noqa: PLR2004 - a version
                return page, {"v": 2, "at": None}, "scores"
            page.skip("this Langfuse cannot list scores", self._client.url)
            return page, None, "end"
        for one in told["data"]:
            put_score(page, named(one))
        return page, {"v": after["v"], "at": at}, "scores" if at else "end"


class LangfuseFiles(JsonFiles):
    """What Langfuse exported, as JSON, JSON lines or CSV: observations, scores, and traces with or without observations.

    Args:
        path: a file, or a folder of files.
        window: by each row's time.
        service: the service's name, which the rows need not tell.
    """

    def __init__(self, path: Path, window: Window, service: str) -> None:
        hint = "Langfuse exports tables as JSON or CSV, and to a bucket also as JSON lines"
        super().__init__("langfuse", path, self._row, hint, names=CSV)
        self._window, self._service = window, service

    def _row(self, page: Page, told: object, where: str) -> None:
        row = named(told) if isinstance(told, dict) else {}
        time = row.get("startTime") or row.get("timestamp")
        try:
            if "id" not in row or time is None:
                page.skip("not a row of Langfuse: no id, or neither startTime nor timestamp", where)
            elif not self._window.holds(nanoseconds(time)):
                page.skip("outside --since and --until", where)
            elif "startTime" in row:
                _put(page, row, self._service)
            elif "value" in row or "stringValue" in row:
                put_score(page, row)
            else:
                put_trace(page, row, self._service)
        except (KeyError, ValueError, TypeError) as error:
            page.skip(f"not a row of Langfuse: {error}", where)


def _put(page: Page, told: Tree, service: str) -> None:
    try:
        row = named(told)
        page.spans.append(span_of(row, facts_of({**row, "name": None}), service))
    except (KeyError, ValueError, TypeError) as error:
        page.skip(f"not an observation of Langfuse: {error}", f"observation {told.get('id')}")


def _is_cut(value: object) -> bool:
    return isinstance(value, str) and len(value) >= _LONG
