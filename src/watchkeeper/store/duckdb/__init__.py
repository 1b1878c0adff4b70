"""The embedded analytic backend: DuckDB. Reached only through `store.factory`."""

from __future__ import annotations

__all__: list[str] = []
