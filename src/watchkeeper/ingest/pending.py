"""Logfire's pending spans: a span told of as it begins, under an id of its own and as a child of the one it tells of."""

from __future__ import annotations

import re

import msgspec

from watchkeeper.model import RawSpan, semconv

__all__ = ["begun"]

_ID = re.compile("(?!0{16})[0-9a-f]{16}")


def begun(raw: RawSpan) -> RawSpan:
    """Return a pending span under the id of the span that it tells of, and without an end; any other as it is.

    The span's own record takes its place, whichever of the two comes first (`model.merge_raw`).
    """
    if raw.attributes.get(semconv.LOGFIRE_SPAN_TYPE) != semconv.LOGFIRE_PENDING or not raw.parent_span_id:
        return raw
    above = raw.attributes.get("logfire.pending_parent_id")
    parent = above if isinstance(above, str) and _ID.fullmatch(above) else ""
    return msgspec.structs.replace(raw, span_id=raw.parent_span_id, parent_span_id=parent, end_time=0)
