"""What is counted, and the page it is read from.

Counted once, when a span is first stored: a resend or an amendment changes nothing but its own outcome.
"""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from watchkeeper.model import MODEL_KINDS
from watchkeeper.server.figures import Figures
from watchkeeper.server.metrics.calls import Calls, write_calls
from watchkeeper.server.metrics.exposition import Page, wants_openmetrics
from watchkeeper.server.metrics.labels import clean
from watchkeeper.server.metrics.own import write_process, write_store
from watchkeeper.server.metrics.tally import Tally
from watchkeeper.store.api import Outcome, SpanStore

__all__ = ["DEFAULT_CAP", "Metrics"]

DEFAULT_CAP = 100
_WORTH_COMPRESSING = 1_000

_CATCH_UP = 1.0


class Metrics:
    """The counts. All methods may be called from any thread.

    Args:
        store: what the gauges are read from, at each scrape.
        version: of this server.
        cap: how many values of one label a project may have before the rest become `other`.
    """

    def __init__(self, store: SpanStore, version: str = "", cap: int = DEFAULT_CAP) -> None:
        self._store = store
        self._version = version
        self._lock = threading.Lock()
        self._calls = Calls(cap)
        self._spans = Tally(
            "watchkeeper_spans", "Spans received and durable; unchanged ones were sent again",
            "project", "service", "dialect", "outcome",
        )  # fmt: skip
        self._rejected = Tally(
            "watchkeeper_rejected_items",
            "Items of an otherwise stored export that could not be kept",
            "project",
            "signal",
        )
        self._refused = Tally("watchkeeper_refused_requests", "Exports refused whole, by reason", "code")
        self._extra: list[Tally] = []

    def tally(self, name: str, text: str, *labels: str) -> Tally:
        """Add a counter of one's own to the page; count in it with `add`."""
        made = Tally(name, text, *labels)
        with self._lock:
            self._extra.append(made)
        return made

    def add(self, tally: Tally, *values: str, count: int = 1) -> None:
        """Count in a tally."""
        with self._lock:
            tally.add(tuple(clean(value) for value in values), count)

    def refused(self, code: str) -> None:
        """Count a refused ingest request."""
        self.add(self._refused, code)

    def rejected(self, project: str, signal: str, count: int) -> None:
        """Count what an export lost: items that came with it and could not be kept."""
        if count:
            self.add(self._rejected, project, signal, count=count)

    def stored(self, spans: Sequence[Figures], outcomes: Iterable[Outcome]) -> None:
        """Count a committed batch, one outcome a span."""
        received: Counter[tuple[str, str, tuple[str, ...], str]] = Counter()
        with self._lock:
            calls = self._calls
            for span, outcome in zip(spans, outcomes, strict=True):
                received[span.project, span.service, span.dialects, outcome] += 1
                if outcome == "inserted" and span.kind in MODEL_KINDS:
                    calls.add(span)
            for (project, service, dialects, became), count in received.items():
                named = calls.caps("service", service, project)
                self._spans.add((clean(project), named, "+".join(dialects) or "none", became), count)

    def page(self, accept: str, accept_encoding: str = "", project: str | None = None) -> tuple[bytes, dict[str, str]]:
        """Write the page; returns body and headers. Takes milliseconds: call it off the event loop.

        Args:
            accept: decides the format; OpenMetrics has exemplars.
            accept_encoding: gzip is understood.
            project: whose calls alone are shown, and nothing of the server; None shows everything.
        """
        self._store.settle(_CATCH_UP)  # what was acknowledged before is counted
        with self._lock:
            calls = self._calls.snapshot(project)
            sets, folded = len(self._calls), dict(self._calls.caps.folded)
            mine = None if project is None else clean(project)
            tallies = [(one, one.snapshot(mine)) for one in (self._spans, self._rejected, self._refused, *self._extra)]
        page = Page(openmetrics=wants_openmetrics(accept))
        write_calls(page, calls)
        for tally, found in tallies:
            if project is None or tally.labels[:1] == ("project",):
                tally.write(page, found)
        if project is None:
            write_store(page, self._store.stats())
            write_process(page, self._version)
            page.family("watchkeeper_metrics_label_sets", "gauge", "Label sets of model calls on this page")
            page.sample("", sets)
            page.family(
                "watchkeeper_metrics_folded", "counter",
                "Label values over their cap, or sets over theirs, that were counted under other",
            )  # fmt: skip
            page.samples(((f'label="{label}"', count) for label, count in folded.items()), "_total")
        body, content_type = page.encode()
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        if "gzip" in accept_encoding and len(body) > _WORTH_COMPRESSING:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        return body, headers
