"""The import itself: page by page, each delivered and acknowledged before it is noted as done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchkeeper.importers.deliver import Delivery
from watchkeeper.importers.page import Page, Source, Window
from watchkeeper.importers.state import State, Summary

__all__ = ["run"]

Tell = Callable[[int, "int | None"], None]
"""Told how far it has come, and of how much."""


def run(source: Source, delivery: Delivery, state: State, window: Window, tell: Tell) -> Summary:
    """Bring a source's history to a server, from where the state stands, and return what came of it.

    Ended anywhere, also by kill -9, the next run sends at most one page again, which the server knows by its ids.

    Raises:
        WatchkeeperError: the source or the server failed; the state stands where it came to.
    """
    for page in source.pages(state.cursor):
        _limit(page, state, window.limit)
        delivery.page(page)
        summary = state.summary
        summary.spans += len(page.spans) - page.refused_spans
        summary.scores += len(page.scores) - page.refused_scores
        summary.logs += sum(_records(group) for group in page.logs)
        for reason, told in page.skipped.items():
            summary.skip(reason, told)
        state.cursor = page.cursor
        state.save()
        tell(page.done, page.total)
        if page.whole and window.limit is not None and summary.traces >= window.limit:
            break
    state.finish()
    return state.summary


def _limit(page: Page, state: State, limit: int | None) -> None:
    passed = state.traces((one.trace_id for one in page.spans), limit)
    if limit is None:
        return
    page.spans = [one for one in page.spans if one.trace_id in passed]
    about = state.traces((str(one["trace_id"]) for one in page.scores if one.get("trace_id")), state.summary.traces)
    page.scores = [one for one in page.scores if not one.get("trace_id") or one["trace_id"] in about]
    if page.logs:  # they cannot be told apart by trace without being read
        page.skip("log records are not brought along with --limit", "", sum(_records(group) for group in page.logs))
        page.logs = []


def _records(group: dict[str, Any]) -> int:
    scopes = group.get("scopeLogs") or group.get("scope_logs") or []
    return sum(len(one.get("logRecords") or one.get("log_records") or []) for one in scopes if isinstance(one, dict))
