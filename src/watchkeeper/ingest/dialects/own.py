"""Our own few keys, for what no convention names: the kind, and arguments and results of any function."""

from __future__ import annotations

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import plain, strings, text
from watchkeeper.model import KINDS, RawSpan, semconv

__all__ = ["Own"]


class Own:
    """`watchkeeper.*`."""

    name = "watchkeeper"
    heads = frozenset({"watchkeeper"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether one of the keys is there."""
        found = raw.attributes
        return (
            semconv.WK_KIND in found
            or semconv.WK_INPUT in found
            or semconv.WK_OUTPUT in found
            or semconv.WK_TAGS in found
        )

    def read(self, raw: RawSpan) -> Draft:
        """Read them."""
        found = raw.attributes
        told = text(found.get(semconv.WK_KIND))
        return Draft(
            kind=next((kind for kind in KINDS if kind == told), None),
            input=content_of(plain(found.get(semconv.WK_INPUT))),
            output=content_of(plain(found.get(semconv.WK_OUTPUT))),
            tags=strings(found.get(semconv.WK_TAGS)),
        )
