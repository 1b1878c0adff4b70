"""Our own few keys, for what no convention names: the kind, and arguments and results of any function."""

from __future__ import annotations

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import number, plain, strings, text
from watchkeeper.model import KINDS, Cost, RawSpan, semconv

__all__ = ["Own"]

_NANO = 1_000_000_000


class Own:
    """`watchkeeper.*`, and `operation.cost` where someone else computed one."""

    name = "watchkeeper"

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether one of the keys is there."""
        found = raw.attributes
        return any(key in found for key in (semconv.WK_KIND, semconv.WK_INPUT, semconv.WK_TAGS, "operation.cost"))

    def read(self, raw: RawSpan) -> Draft:
        """Read them."""
        found = raw.attributes
        told = text(found.get(semconv.WK_KIND))
        cost = number(found.get("operation.cost"))
        nano = round(cost * _NANO) if cost is not None else None
        return Draft(
            kind=next((kind for kind in KINDS if kind == told), None),
            input=content_of(plain(found.get(semconv.WK_INPUT))),
            output=content_of(plain(found.get(semconv.WK_OUTPUT))),
            tags=strings(found.get(semconv.WK_TAGS)),
            cost=None
            if nano is None
            else Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (operation.cost)"),
        )
