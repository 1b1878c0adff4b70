"""A delivery that keeps what would be sent, read by the server's own reader, and can break off like a process that is killed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.importers import IMPORTED_FROM, Page
from watchkeeper.importers.deliver import export
from watchkeeper.ingest import decode_traces
from watchkeeper.model import RawSpan


class Killed(BaseException):
    """The process is no more."""


class Kept:
    """Keeps spans by id, as the store does; `dies_at` is the page after whose delivery the process ends."""

    def __init__(self, name: str, dies_at: int | None = None) -> None:
        self.name, self.dies_at = name, dies_at
        self.pages = 0
        self.spans: dict[str, RawSpan] = {}
        self.scores: dict[str, dict[str, Any]] = {}
        self.logs: list[Any] = []

    def page(self, page: Page) -> None:
        """Keep a page."""
        decoded = decode_traces(export(page.spans, self.name), "application/json")
        assert (decoded.rejected, decoded.reason) == (0, "")
        self.spans |= {f"{one.trace_id}{one.span_id}": one for one in decoded.spans}
        self.scores |= {one["id"]: one for one in page.scores}
        self.logs += page.logs
        self.pages += 1
        if self.pages == self.dies_at:
            raise Killed


def unmarked(spans: Iterable[RawSpan], name: str) -> list[RawSpan]:
    """Return spans without the mark of where they came from, which each of them bears, oldest first."""
    found = []
    for one in spans:
        left = dict(one.attributes)
        assert left.pop(IMPORTED_FROM) == name
        found.append(msgspec.structs.replace(one, attributes=left))
    return sorted(found, key=lambda one: (one.start_time, one.span_id))
