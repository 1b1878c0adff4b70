"""Backends for the suite: each test gets an empty one, and may open it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchkeeper.store.api import Refine, SpanStore
from watchkeeper.store.conformance.samples import refine as plain
from watchkeeper.store.factory import open_span_store


class FolderBackend:
    """Opens stores in one folder (None: in memory), and closes those that are left."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._opened: list[SpanStore] = []

    def open(self, *, refine: Refine = plain, queue_bytes: int = 64 << 20) -> SpanStore:
        """Open it."""
        store = open_span_store(self.folder, refine=refine, memory_mib=256, queue_bytes=queue_bytes)
        self._opened.append(store)
        return store

    def close(self) -> None:
        """Close what is open."""
        for store in self._opened:
            store.close()


BACKENDS: dict[str, frozenset[str]] = {
    "memory": frozenset(),
    "duckdb": frozenset({"sql", "survives_restart", "queue", "packs"}),
}
"""What each backend is held to. Said here and not read from it: a misreport would hide a failure."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose capability a backend has opted out of by name."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        need = getattr(getattr(item, "function", None), "needs", None)
        backend = getattr(getattr(item, "callspec", None), "params", {}).get("backend")
        (kept if need is None or backend is None or _applies(need, BACKENDS[backend]) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def _applies(need: str, has: frozenset[str]) -> bool:
    return need[3:] not in has if need.startswith("no ") else need in has


@pytest.fixture(params=list(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FolderBackend]:
    """Every backend in turn."""
    made = FolderBackend(None if request.param == "memory" else tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def store(backend: FolderBackend) -> SpanStore:
    """An empty, open store."""
    return backend.open()


@pytest.fixture
def folder_backend(tmp_path: Path) -> Iterator[FolderBackend]:
    """The default backend on disk."""
    made = FolderBackend(tmp_path / "data")
    yield made
    made.close()
