"""What changed while the store is being copied, so that the copy can catch up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from watchkeeper.store.duckdb.index import Hashes

__all__ = ["Touched"]


@dataclass(slots=True)
class Touched:
    """Hashes of traces and of scores with a row that was written or deleted. On the writer's thread."""

    traces: list[Hashes] = field(default_factory=list)
    scores: list[Hashes] = field(default_factory=list)

    def take(self) -> tuple[Hashes, Hashes]:
        """Return what was touched (traces, scores), each once, and begin anew."""
        found = _unique(self.traces), _unique(self.scores)
        self.traces, self.scores = [], []
        return found


def _unique(parts: list[Hashes]) -> Hashes:
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.uint64)
