"""Into a running server, by the way everything comes in: OTLP for spans and log records, the API for scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import msgspec

from watchkeeper.importers.page import OtlpSpan, Page, Tree
from watchkeeper.importers.values import attributes
from watchkeeper.importers.wire import Client
from watchkeeper.kit.errors import BodyTooLargeError, RequestError

__all__ = ["IMPORTED_FROM", "Delivery", "DryRun", "Server", "export"]

IMPORTED_FROM: Final = "watchkeeper.imported_from"
"""The attribute that says which tool an imported span was first stored by."""

_MOST_SPANS = 2_000
_MOST_BYTES = 8 << 20
_AT_ONCE = 8


class Delivery(Protocol):
    """Where pages go."""

    def page(self, page: Page) -> None:
        """Deliver what is on the page, and note there what the server would not store.

        Raises:
            WatchkeeperError: the server did not take it.
        """
        ...


class DryRun:
    """Delivers nothing, but reads spans as the server would.

    Args:
        name: of the source.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def page(self, page: Page) -> None:
        """Note what the server would not store."""
        from watchkeeper.ingest import decode_traces  # a real import leaves reading to the server

        for spans in _pieces(page.spans):
            read = decode_traces(export(spans, self._name), "application/json")
            if read.rejected:
                _refused(page, read.reason, read.rejected, _where(spans[0]))


class Server:
    """A server that takes pages; a page that came back is durable there.

    Args:
        client: of our own server.
        name: of the source, told on each span.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name

    def page(self, page: Page) -> None:
        """Deliver what is on the page; it is durable when this returns. Raises as `Delivery` says."""
        for spans in _pieces(page.spans):
            self._spans(page, spans)
        if page.logs:
            answer = self._client.post("/v1/logs", {"resourceLogs": page.logs})
            count, reason = _partial(answer, "rejectedLogRecords")
            if count:
                page.skip(f"the server does not store: {reason}", "in an export of log records", count)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for refused in pool.map(self._score, page.scores):
                if refused is not None:
                    page.skip(*refused)
                    page.refused_scores += 1

    def _spans(self, page: Page, spans: list[OtlpSpan]) -> None:
        try:
            answer = self._client.send("POST", "/v1/traces", export(spans, self._name))
        except BodyTooLargeError as error:
            if len(spans) == 1:
                page.skip("a span is larger than the server takes (WATCHKEEPER_MAX_BODY_MIB)", _where(spans[0]))
                page.refused_spans += 1
                return
            del error
            middle = len(spans) // 2
            self._spans(page, spans[:middle])
            self._spans(page, spans[middle:])
            return
        count, reason = _partial(answer, "rejectedSpans")
        if count:
            _refused(page, reason, count, _where(spans[0]))

    def _score(self, score: Tree) -> tuple[str, str] | None:
        try:
            self._client.post("/api/v1/scores", score)
        except RequestError as error:
            return f"the server refused a score: {error.message}", f"score {score.get('name')} {score.get('id')}"
        return None


def _where(one: OtlpSpan) -> str:
    return f"span {one.span.get('spanId') or one.span.get('span_id')} of trace {one.trace_id}"


def _refused(page: Page, reason: str, count: int, where: str) -> None:
    page.skip(f"the server does not store: {reason}", f"in an export that began with {where}", count)
    page.refused_spans += count


def _partial(answer: Any, name: str) -> tuple[int, str]:  # noqa: ANN401 - JSON is any shape
    """Return how many the server refused of an export, and the first reason."""
    told = answer.get("partialSuccess") if isinstance(answer, Mapping) else None
    told = told if isinstance(told, Mapping) else {}
    return int(told.get(name, 0)), str(told.get("errorMessage", ""))


def _pieces(spans: list[OtlpSpan]) -> Iterator[list[OtlpSpan]]:
    piece: list[OtlpSpan] = []
    size = 0
    for one in spans:
        bytes_ = len(msgspec.json.encode(one.span))
        if piece and (len(piece) >= _MOST_SPANS or size + bytes_ > _MOST_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += bytes_
    if piece:
        yield piece


def export(spans: list[OtlpSpan], name: str) -> bytes:
    """Write spans as one OTLP/JSON export, each marked with the name of where it came from."""
    mark = attributes({IMPORTED_FROM: name})[0]
    groups: list[Tree] = []
    last: tuple[Tree, Tree] | None = None
    for one in spans:
        if last is None or last != (one.resource, one.scope):
            groups.append({"resource": one.resource, "scopeSpans": [{"scope": one.scope, "spans": []}]})
            last = (one.resource, one.scope)
        told = one.span.get("attributes")
        marked = [*told, mark] if isinstance(told, list) else [mark] if told is None else told
        groups[-1]["scopeSpans"][0]["spans"].append({**one.span, "attributes": marked})
    return msgspec.json.encode({"resourceSpans": groups})
