"""Looking at what was acknowledged and could not be stored, storing it after all, and deleting it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from watchkeeper.server.journal.schemas import JournalFilesOut, KeptOut, RetriedOut
from watchkeeper.store.api import SpanStore

__all__ = ["JournalService"]

_log = logging.getLogger("watchkeeper.server")
_DAY_NS = 86_400 * 1_000_000_000


class JournalService:
    """For the API and the command line."""

    def __init__(self, store: SpanStore, kept_days: Callable[[], int]) -> None:
        self._store = store
        self._kept_days = kept_days

    def list(self) -> JournalFilesOut:
        """Return what was set aside."""
        age = self._kept_days() * _DAY_NS
        return JournalFilesOut(
            files=[
                KeptOut(
                    name=one.name, kind=one.kind, bytes=one.bytes,
                    since=one.since, until=one.since + age,  # type: ignore[arg-type]  # pydantic turns ns into a time
                )
                for one in self._store.kept()
            ]
        )  # fmt: skip

    def retry(self, name: str) -> RetriedOut:
        """Store one, as if it came now; see `SpanStore.retry_kept`."""
        done = self._store.retry_kept(name)
        _log.info("%s was stored after all", name)
        return RetriedOut(name=name, outcomes=dict(sorted(Counter(done.outcomes).items())))

    def drop(self, name: str) -> None:
        """Delete one for good."""
        self._store.drop_kept(name)
        _log.warning("%s, which could not be stored, was deleted", name)
