"""OTLP/JSON in files: one export, a list of them, or one a line as the OpenTelemetry Collector's file exporter writes.

Spans are handed on as they are written: the server's own reader knows hex and base64 ids, camelCase and snake_case,
numbers as text.
"""

from __future__ import annotations

from pathlib import Path

from watchkeeper.importers.files import JsonFiles
from watchkeeper.importers.page import OtlpSpan, Page, Tree, Window

__all__ = ["OtlpJson"]

_HINT = "the collector's file exporter writes JSON lines with `format: json` and no `compression`; gzip is read too"
_SHAPES = {
    "spans": ("resourceSpans", "resource_spans", "batches"),
    "logs": ("resourceLogs", "resource_logs"),
    "metrics": ("resourceMetrics", "resource_metrics"),
}
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")


class OtlpJson(JsonFiles):
    """Files of OTLP/JSON.

    Args:
        path: a file, or a folder of files.
        window: by each span's start.
    """

    def __init__(self, path: Path, window: Window) -> None:
        super().__init__("otlp-json", path, self._export, _HINT)
        self._window = window

    def _export(self, page: Page, told: object, where: str) -> None:
        if not isinstance(told, dict):
            page.skip("not an OTLP export: no object", where)
            return
        if "scopeSpans" in told or "scope_spans" in told:  # a list of resourceSpans without their envelope
            told = {"resourceSpans": [told]}
        found = {kind: next((name for name in names if name in told), None) for kind, names in _SHAPES.items()}
        if found["spans"] is not None:
            for group in _objects(told[found["spans"]]):
                self._group(page, group, where)
        if found["logs"] is not None:
            page.logs += _objects(told[found["logs"]])
        if found["metrics"] is not None:
            page.skip("metrics are not stored", where)
        if not any(found.values()):
            page.skip("not an OTLP export: no resourceSpans", where)

    def _group(self, page: Page, group: Tree, where: str) -> None:
        resource = group.get("resource") or {}
        for name in _SCOPES:
            for inner in _objects(group.get(name)):
                scope = inner.get("scope") or inner.get("instrumentationLibrary") or {}
                for span in _objects(inner.get("spans")):
                    if self._window.holds(_start(span)):
                        page.spans.append(OtlpSpan(resource, scope, span))
                    else:
                        page.skip("outside --since and --until", where)


def _objects(told: object) -> list[Tree]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _start(span: Tree) -> int:
    told = span.get("startTimeUnixNano") or span.get("start_time_unix_nano") or 0
    try:
        return int(told)
    except (TypeError, ValueError):
        return 0
