"""Floor 3: spans, scores and control data. The door is `store.api`; backends are made by `store.factory`."""

from __future__ import annotations

__all__: list[str] = []
