"""Overview figures for the API."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import RequestError
from watchkeeper.server.overview.schemas import FacetsOut, OverviewOut
from watchkeeper.server.prices.display import Display
from watchkeeper.server.schemas import plain
from watchkeeper.store.api import SpanStore
from watchkeeper.store.figures import steady_end

__all__ = ["OverviewService"]

_MINUTE = 60 * 1_000_000_000
_DAY = 1_440 * _MINUTE


class OverviewService:
    """Reads figures of one project at a time; the default window is the last day."""

    def __init__(
        self, store: SpanStore, clock: Clock, idle: Callable[[int, int, str], int | None], display: Display
    ) -> None:
        self._store = store
        self._idle = idle
        self._display = display
        self._clock = clock

    def overview(
        self,
        project: str,
        since: int | None,
        until: int | None,
        service: str | None,
        buckets: int,
        *,
        whole: bool = False,
    ) -> OverviewOut:
        """Return figures over model calls; with `whole` also what machines of one's own stood idle for."""
        start, end = self._window(since, until, buckets)
        found = self._store.overview(project, since=start, until=end, service=service, buckets=buckets)
        idle = self._idle(start, end, project) if whole and service is None else None
        told = {"since": start, "until": end, "idle_nano_usd": idle}
        shown = {
            "cost_shown": self._display.money(found.cost_nano_usd, end - 1),
            "idle_shown": self._display.money(idle, end - 1),
        }
        return OverviewOut.model_validate(plain(found) | told | shown)

    def facets(self, project: str, since: int | None, until: int | None) -> FacetsOut:
        """Return the values there are to filter by."""
        start, end = self._window(since, until)
        return FacetsOut.model_validate(plain(self._store.facets(project, since=start, until=end)))

    def _window(self, since: int | None, until: int | None, buckets: int = 1) -> tuple[int, int]:
        """Return the window; an end that nobody named is a little later, where it spares the store work."""
        end = (self._clock.now_ns() // _MINUTE + 2) * _MINUTE if until is None else until
        start = max(0, end - _DAY) if since is None else since
        if start >= end:
            raise RequestError("since is not before until")
        if until is None and since is not None and buckets > 1:
            end = steady_end(start, end, buckets)
        return start, end
