"""What overviews are put together from, kept while it is true (ADR 11): whole pieces of time, read again when changed.

A window is cut into pieces of one width. Those that lie whole in one of its buckets are kept from one question to
the next; those that changed since, and those that an edge cuts, are read by one statement. So an answer is exact for any
window, and costs what changed and not what is stored.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.cells import Block, Codes, Ints, joined, split
from watchkeeper.store.duckdb.changes import GRAIN, Changes
from watchkeeper.store.duckdb.filters import Query
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.figures import width_of

__all__ = ["Found", "Rollup"]

_MOST_PIECES = 20_000
_MOST_BYTES = 64 << 20
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """The cells of a window, in order of their bucket, and what their codes stand for."""

    cells: Block
    buckets: Ints
    names: tuple[tuple[str, str | None, str | None], ...]


@dataclass(slots=True)
class _Pieces:
    """The pieces of one project and width; None is one in which nothing is."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    number: int = 0
    codes: Codes = field(default_factory=Codes)
    blocks: dict[int, Block | None] = field(default_factory=dict)
    nbytes: int = 0

    def put(self, piece: int, block: Block | None) -> None:
        self.drop(piece)
        self.blocks[piece] = block
        self.nbytes += block.nbytes if block is not None else 0

    def drop(self, piece: int) -> None:
        block = self.blocks.pop(piece, None)
        self.nbytes -= block.nbytes if block is not None else 0

    def clear(self) -> None:
        self.codes, self.blocks, self.nbytes = Codes(), {}, 0


@dataclass(frozen=True, slots=True)
class _Window:
    project: str
    since: int
    until: int
    step: int
    width: int

    @property
    def pieces(self) -> range:
        return range(self.since // self.width, (self.until - 1) // self.width + 1)

    def cut(self) -> set[int]:
        """Return the pieces that an edge of a bucket, or of the window, cuts."""
        edges = [*range(self.since, self.until, self.step), self.until]
        return {edge // self.width for edge in edges if edge % self.width}


class Rollup:
    """Keeps pieces, the least recently asked for going first. Any thread may ask.

    Args:
        most_bytes: what may be kept; a window that needs more is not answered from here.
    """

    def __init__(self, reader: Reader, changes: Changes, most_bytes: int = _MOST_BYTES) -> None:
        self._reader = reader
        self._changes = changes
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], _Pieces] = OrderedDict()
        self._too_large: dict[tuple[str, int], int] = {}

    def find(self, project: str, *, since: int, until: int, step: int) -> Found | None:
        """Return the cells of a window; None where that is to be worked out from the rows: short, large or in a storm."""
        width = width_of(step)
        if width is None:
            return None
        window = _Window(project, since, until, step, width)
        if len(window.pieces) > _MOST_PIECES or self._too_large.get((project, width), 2**63) <= until - since:
            return None
        kept = self._of(project, width)
        with kept.lock:
            found = None
            for _ in range(_TRIES):
                found = self._read(kept, window)
                if found is not None:
                    break
            self._weigh(kept, window)
        return found

    def _of(self, project: str, width: int) -> _Pieces:
        with self._lock:
            kept = self._kept.setdefault((project, width), _Pieces())
            self._kept.move_to_end((project, width))
            return kept

    def _read(self, kept: _Pieces, window: _Window) -> Found | None:
        """Return the cells as of one moment; None where something that was kept changed while the rest was read."""
        changed = self._changes.since(kept.number)
        if changed.seconds is None:
            kept.clear()
        for piece in _pieces(changed.seconds or (), window.width):
            kept.drop(piece)
        cut = window.cut()
        wanted = [piece for piece in window.pieces if piece not in kept.blocks and piece not in cut]
        parts: list[tuple[int, int, Block]] = [
            (piece, (piece * window.width - window.since) // window.step, block)
            for piece in window.pieces
            if piece not in cut and (block := kept.blocks.get(piece)) is not None
        ]
        asked = cut.union(wanted)
        fresh: dict[int, Block | None] = dict.fromkeys(wanted)
        for piece, bucket, block in self._ask(kept, window, asked) if asked else ():
            parts.append((piece, bucket, block))
            if piece in fresh:
                fresh[piece] = block
        again = self._changes.since(changed.number)
        if again.seconds is None or any(
            piece in window.pieces and piece not in asked for piece in _pieces(again.seconds, window.width)
        ):
            return None
        for piece, one in fresh.items():
            kept.put(piece, one)
        kept.number = changed.number
        parts.sort(key=lambda part: part[:2])
        buckets = np.repeat(
            np.array([part[1] for part in parts], dtype=np.int64),
            np.array([len(part[2].codes) for part in parts], dtype=np.int64),
        )
        return Found(joined([part[2] for part in parts]), buckets, tuple(kept.codes.names))

    def _ask(self, kept: _Pieces, window: _Window, pieces: Collection[int]) -> list[tuple[int, int, Block]]:
        low, high = min(pieces) * window.width, (max(pieces) + 1) * window.width
        query = Query(statements.CELLS, width=window.width, step=window.step)
        query.where("project = $project", project=window.project)
        query.where(
            "start_ns >= $low AND start_ns < $high",
            since=window.since, low=max(low, window.since), high=min(high, window.until),
        )  # fmt: skip
        if len(pieces) * 2 < len(window.pieces):
            query.where("start_ns // $width IN (SELECT unnest($pieces::BIGINT[]))", pieces=sorted(pieces))
        found = split(self._reader.fetch_arrow(query), kept.codes)
        return [part for part in found if part[0] in pieces]

    def _weigh(self, kept: _Pieces, window: _Window) -> None:
        """Keep to the bytes there are: what this window does not need goes first, then what others asked for."""
        if kept.nbytes > self._most:
            for piece in [one for one in kept.blocks if one not in window.pieces]:
                kept.drop(piece)
        with self._lock:
            if kept.nbytes > self._most:
                self._too_large[window.project, window.width] = window.until - window.since
                kept.clear()
            for key, other in list(self._kept.items()):
                if sum(one.nbytes for one in self._kept.values()) <= self._most:
                    break
                if other is not kept:
                    del self._kept[key]


def _pieces(seconds: Collection[int], width: int) -> set[int]:
    return {second * GRAIN // width for second in seconds}
