"""Floor 0: clock, ids, errors, settings, registry. Knows no word of the domain."""

from __future__ import annotations

__all__: list[str] = []
