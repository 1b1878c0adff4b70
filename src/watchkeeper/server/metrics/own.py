"""The server about itself: queue, commits, store, process."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from prometheus_client import ProcessCollector

from watchkeeper.server.metrics.calls import bound_texts
from watchkeeper.server.metrics.exposition import Page
from watchkeeper.server.metrics.labels import pairs
from watchkeeper.store.api import StoreStats, Timing

__all__ = ["write_process", "write_store"]

_NS = 1e9


def write_store(page: Page, stats: StoreStats) -> None:
    """Write what the store says of itself."""
    for name, text, value in (
        ("watchkeeper_queue_bytes", "Bytes waiting for a commit", stats.queued),
        ("watchkeeper_queue_limit_bytes", "Bytes that may wait before ingest answers 429", stats.queue_limit),
        ("watchkeeper_queue_spans", "Spans waiting for a commit", stats.queued_spans),
        ("watchkeeper_store_bytes", "Size of the store on disk, its write-ahead log included", stats.disk_bytes),
        ("watchkeeper_store_wal_bytes", "Size of the write-ahead log, which a checkpoint empties", stats.wal_bytes),
    ):
        page.family(name, "gauge", text)
        page.sample("", value)
    journal = stats.journal
    page.family(
        "watchkeeper_journal_bytes", "gauge", "What was acknowledged: pending waits to be stored, refused could not be"
    )
    sizes = (
        ("pending", journal.pending_bytes), ("refused", journal.refused_bytes), ("damaged", journal.damaged_bytes),
    )  # fmt: skip
    page.samples((f'state="{state}"', size) for state, size in sizes)
    page.family("watchkeeper_journal_entries", "gauge", "Exports in the journal; damaged counts files")
    entries = (("pending", journal.pending), ("refused", journal.refused), ("damaged", journal.damaged))
    page.samples((f'state="{state}"', count) for state, count in entries)
    page.family("watchkeeper_store_rows", "gauge", "Rows held; pending_logs wait for the span they name")
    rows = (("spans", stats.spans), ("scores", stats.scores), ("pending_logs", stats.pending_logs))
    page.samples((f'table="{table}"', count) for table, count in rows)
    page.family("watchkeeper_deleted_spans", "counter", "Spans deleted, by age or because they were erased")
    deleted = (("retention", stats.expired), ("erasure", stats.erased))
    page.samples(((f'reason="{reason}"', count) for reason, count in deleted), "_total")
    page.family("watchkeeper_reclaimed_bytes", "counter", "Bytes given back to the file system")
    page.sample("", stats.reclaimed_bytes, "_total")
    page.family("watchkeeper_disk_full", "gauge", "1 while ingest is refused because too little of the disk is free")
    page.sample("", int(stats.full))
    _timing(page, "watchkeeper_commit_seconds", "Duration of commits, fsync included", stats.commits)
    _timing(page, "watchkeeper_checkpoint_seconds", "Duration of checkpoints, which stall commits", stats.checkpoints)


def write_process(page: Page, version: str) -> None:
    """Write the build and, where /proc is, what the process uses."""
    page.family("watchkeeper_build", "info", "What runs here")
    labels = pairs(("version", "python"), (version, platform.python_version()))
    page.sample(labels, 1, "_info")
    for family in ProcessCollector(registry=None).collect():
        suffix = "_total" if family.type == "counter" else ""
        page.family(family.name, "counter" if suffix else "gauge", family.documentation)
        page.samples(
            ((pairs(tuple(one.labels), tuple(one.labels.values())), one.value) for one in family.samples), suffix
        )


def _timing(page: Page, name: str, text: str, timing: Timing) -> None:
    page.family(name, "histogram", text)
    if timing.bounds:
        page.histogram("", bound_texts(tuple(_seconds(timing.bounds))), timing.counts, timing.total_ns / _NS)


def _seconds(bounds: tuple[int, ...]) -> Iterator[float]:
    return (one / _NS for one in bounds)
