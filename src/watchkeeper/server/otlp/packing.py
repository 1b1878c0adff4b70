"""One trace export from body to parcel: decompress, decode, mask, map, price, pack. Pure but for the clock it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from watchkeeper.ingest import DecodedTraces, decode_traces, decompress
from watchkeeper.model import RawSpan, Span
from watchkeeper.server.figures import Figures, figures_of

__all__ = ["Export", "Packed", "Packer"]

P = TypeVar("P")


class Export(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is told of a trace export beside its body. `received_at` in ns, `max_body` in bytes once decompressed."""

    project: str
    content_type: str
    encoding: str
    max_body: int
    received_at: int


class Packed(msgspec.Struct, Generic[P], frozen=True, gc=False):
    """An export, ready for the store: its parcel, its spans' figures in the parcel's order, and what was refused."""

    parcel: P
    figures: Sequence[Figures]
    rejected: int
    reason: str


class Packer(Generic[P]):
    """Turns exports into parcels.

    Args:
        refine: maps and prices a raw span.
        capture: makes raw spans fit to be stored.
        pack: the backend's own packing.
    """

    def __init__(
        self,
        refine: Callable[[str, RawSpan, int], Span],
        capture: Callable[[Sequence[RawSpan]], Sequence[RawSpan]],
        pack: Callable[[Sequence[Span]], P],
    ) -> None:
        self._refine = refine
        self._capture = capture
        self._pack = pack

    def body(self, export: Export, body: bytes) -> Packed[P]:
        """Pack a body as it came over HTTP.

        Raises:
            RequestError: it does not decompress or parse; `BodyTooLargeError`, `MediaTypeError` are its kin.
        """
        plain = decompress(body, export.encoding, export.max_body)
        return self.decoded(export.project, decode_traces(plain, export.content_type), export.received_at)

    def decoded(self, project: str, found: DecodedTraces, received_at: int) -> Packed[P]:
        """Pack spans that are decoded already, as gRPC's are."""
        spans = [self._refine(project, raw, received_at) for raw in self._capture(found.spans)]
        return Packed(self._pack(spans), figures_of(spans), found.rejected, found.reason)
