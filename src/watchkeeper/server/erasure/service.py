"""Erasing for the API and the command line, with a line in the audit for each."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.kit.clock import Clock, format_rfc3339
from watchkeeper.server.asked import traces_of
from watchkeeper.server.erasure.audit import ErasureAudit
from watchkeeper.server.erasure.schemas import ErasureIn, ErasureOut
from watchkeeper.server.media import MediaService
from watchkeeper.store.api import Selector, SpanStore
from watchkeeper.store.datasets import DatasetStore

__all__ = ["ErasureService", "Pseudonym"]

Pseudonym = Callable[[str], str | None]
"""A user id to the name it is stored under where capture pseudonymises, None where it does not."""


def _plain(_: str) -> str | None:
    return None


class ErasureService:
    """Finds a person under every name they may be stored by, erases, and writes down that it was done."""

    def __init__(
        self,
        store: SpanStore,
        audit: ErasureAudit,
        clock: Clock,
        pseudonym: Pseudonym = _plain,
        *,
        datasets: DatasetStore | None = None,
        media: MediaService | None = None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._pseudonym = pseudonym
        self._after = after
        self._datasets = datasets
        self._media = media

    def erase(self, project: str, wanted: ErasureIn, *, who: str, reclaim: bool = False) -> ErasureOut:
        """Erase, or count; `who` is the caller's name for the audit. With `reclaim` its bytes go at once, too."""
        kind, name = next(
            (kind, name)
            for kind, name in (("user", wanted.user), ("session", wanted.session), ("trace", wanted.trace))
            if name is not None
        )
        selector = self._selector(kind, name)
        if not wanted.dry_run and self._datasets is not None:
            # Before the spans: what stops half way can be asked for again while it is still known whose traces they are.
            known = self._datasets.known_traces(project)
            self._datasets.forget_traces(project, traces_of(self._store, project, selector, known))
        media = 0
        if not wanted.dry_run and self._media is not None:
            known = self._media.traces(project)
            media = self._media.forget(project, traces_of(self._store, project, selector, known))
        report = self._store.erase(project, selector, dry_run=wanted.dry_run)
        if not wanted.dry_run:
            self._audit.add(
                at=format_rfc3339(self._clock.now_ns()), who=who, project=project, kind=kind, name=name,
                also=tuple(other for other in selector.users if other != name),
                traces=report.traces, spans=report.spans, scores=report.scores, pending_logs=report.pending_logs,
                set_aside=report.set_aside, media=media,
            )  # fmt: skip
            if reclaim:
                self._store.reclaim()
            self._after()
        return ErasureOut(
            dry_run=wanted.dry_run, traces=report.traces, spans=report.spans, scores=report.scores,
            pending_logs=report.pending_logs, first=report.first, last=report.last,  # type: ignore[arg-type]
            reclaimed=not wanted.dry_run and self._store.stats().reclaim_due is None,
            set_aside=report.set_aside, removed=list(report.removed), unreached=list(report.unreached),
        )  # fmt: skip

    def _selector(self, kind: str, name: str) -> Selector:
        if kind == "trace":
            return Selector(traces=(name,))
        names = tuple(dict.fromkeys(one for one in (name, self._pseudonym(name)) if one is not None))
        return Selector(users=names) if kind == "user" else Selector(sessions=names)
