"""One suite for every backend: what `store.api` promises, as tests."""

from __future__ import annotations

__all__: list[str] = []
