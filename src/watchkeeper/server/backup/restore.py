"""Restoring: the archive is verified, put beside what is there, searched for who was erased since, and then exchanged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.ingest import map_span
from watchkeeper.kit.clock import Clock, format_rfc3339
from watchkeeper.kit.errors import ConfigError, StoreError, StoreFormatError, StoreFullError
from watchkeeper.server.backup.archive import Archive, Manifest
from watchkeeper.server.backup.exchange import ASIDE, RESTORED, exchange, is_decided, is_empty, settle
from watchkeeper.server.erasure.audit import AUDIT_FILE
from watchkeeper.server.files import is_full, sync
from watchkeeper.server.lockfile import FolderLock
from watchkeeper.server.media import MEDIA_FOLDER, MediaFiles, prune, sweep
from watchkeeper.server.media.sweep import House
from watchkeeper.store.api import ErasedTraces, ErasureReport, Progress, SpanStore
from watchkeeper.store.factory import CONTROL_FILE, SPANS_FILE, open_control_store, open_span_store
from watchkeeper.store.room import free_bytes

__all__ = ["RestoreReport", "restore"]

_SLACK = 1.05
_RESTORE = "restore"
_LINES_MOST = 256 << 20
_ALWAYS = 2**62  # ns: every use is from before it


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was restored. `aside` is where the old files are; `erased_*` what had been erased since the backup.

    `shut_out` counts keys and people that were given the state they have now: revoked, disabled, another role.
    """

    taken_at: str
    watchkeeper: str
    spans: int
    scores: int
    erased_traces: int
    erased_spans: int
    erased_scores: int
    shut_out: int
    aside: str | None
    warnings: tuple[str, ...] = ()


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What the folder, or a file named for it, knows of erasures. `lines` are of the audit, `marks` of the store."""

    lines: tuple[bytes, ...] = ()
    marks: ErasedTraces = ()
    warnings: tuple[str, ...] = ()


def restore(
    path: Path,
    folder: Path,
    *,
    force: bool,
    erasures: Path | None,
    who: str,
    clock: Clock,
    verifying: Progress,
    writing: Progress,
) -> RestoreReport:
    """Make the folder what it was when the backup was taken, less what was erased since.

    Args:
        path: the backup.
        folder: the data folder; no server may use it.
        force: where it is not empty, move what it holds into a folder inside it.
        erasures: a record of erasures (`erasures.jsonl`) kept elsewhere, heeded beside the folder's own.
        who: the caller's name, for the record.
        clock: names the folder that the old files go to.
        verifying: how far the archive is verified, bytes.
        writing: how far it is written, bytes.

    Raises:
        ConfigError: the folder is not empty and `force` is not given, or a file cannot be read.
        StoreFormatError: the archive is damaged, cut short, not a backup, or of a newer release. Nothing was touched.
        StoreLockedError: a server uses the folder.
        StoreFullError: there is no room; the folder is as it was.
    """
    with Archive.opened(path) as archive:
        archive.verify(verifying)
        with FolderLock(folder):
            settle(folder)
            if not is_empty(folder) and not force:
                raise ConfigError(
                    f"{folder} is not empty", hint="--force moves what it holds aside; or name another with --data-dir"
                )
            record = _known(folder, erasures)
            with _staging(folder, archive.size) as staged:
                archive.extract(staged, writing)
                held, warned = _hold_shut(staged, folder)
                erased = _prepare(staged, archive.manifest, record, clock, who)
                aside = exchange(folder, ASIDE + format_rfc3339(clock.now_ns())[:19].replace(":", ""))
    facts = archive.manifest
    return RestoreReport(
        taken_at=facts.taken_at, watchkeeper=facts.watchkeeper, spans=facts.spans - erased.spans,
        scores=facts.scores - erased.scores, erased_traces=erased.traces, erased_spans=erased.spans,
        erased_scores=erased.scores, aside=None if aside is None else str(aside), shut_out=held,
        warnings=(*record.warnings, *warned),
    )  # fmt: skip


@contextmanager
def _staging(folder: Path, size: int) -> Iterator[Path]:
    """Make the folder that the new files stand in until they are exchanged; gone where that does not come to pass."""
    staged = folder / RESTORED
    free, needed = free_bytes(folder), int(size * _SLACK)
    if free < needed:
        raise StoreFullError(
            f"the restored data folder needs {needed:,} bytes; {free:,} are free", hint="free some space"
        )
    try:
        staged.mkdir(mode=0o700)
        yield staged
    except OSError as error:
        if is_full(error):
            raise StoreFullError(f"no space left in {folder}", hint="free some space") from error
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        # Once the exchange is decided, what is left of it is not ours to delete.
        if not is_decided(folder):
            shutil.rmtree(staged, ignore_errors=True)


def _known(folder: Path, erasures: Path | None) -> _Record:
    """Gather what is known of erasures: the folder's record, the marks in its store, and the file that was named."""
    lines = _lines(folder / AUDIT_FILE) if (folder / AUDIT_FILE).exists() else ()
    lines += _lines(erasures) if erasures is not None else ()
    marks: ErasedTraces = ()
    warnings: tuple[str, ...] = ()
    if (folder / SPANS_FILE).exists():
        try:
            store = open_span_store(folder, refine=map_span)
            try:
                marks = store.erased_traces()
            finally:
                store.close()
        except StoreError as error:
            told = f"the old store cannot be read ({error.message}): who was erased is known from {AUDIT_FILE} alone"
            warnings = (f"{told}, and what was erased since may be sent again",)
    return _Record(lines=lines, marks=marks, warnings=warnings)


def _lines(path: Path) -> tuple[bytes, ...]:
    try:
        if path.stat().st_size > _LINES_MOST:
            raise ConfigError(f"{path} is too large to be a record of erasures")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    return tuple(dict.fromkeys(line for line in content.splitlines() if line.strip()))


def _hold_shut(staged: Path, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Keep out whoever the folder's control store has shut out since; return how many, and what could not be known."""
    restored = open_control_store(staged)
    now, warned = None, tuple[str, ...]()
    try:
        if (folder / CONTROL_FILE).exists():
            try:
                now = open_control_store(folder)
            except StoreError as error:
                told = (
                    f"the old control store cannot be read ({error.message}): keys revoked since the backup work again"
                )
                warned = (told,)
        return restored.hold_shut(now), warned
    finally:
        restored.close()
        if now is not None:
            now.close()


def _prepare(staged: Path, manifest: Manifest, record: _Record, clock: Clock, who: str) -> ErasureReport:
    """Open what was extracted, as a server would; erase what was erased since; make all of it durable."""
    own = _lines(staged / AUDIT_FILE) if (staged / AUDIT_FILE).exists() else ()
    later = tuple(line for line in dict.fromkeys(record.lines) if line not in set(own))
    store = open_span_store(staged, refine=map_span)
    try:
        if store.stats().spans != manifest.spans:
            raise StoreFormatError(
                f"the backup's store holds {store.stats().spans:,} spans and not {manifest.spans:,}",
                hint="use another backup",
            )
        erased = store.erase_again(record.marks, _digests(later))
        if store.stats().reclaim_due is not None:
            store.reclaim()
        _place_media(staged, store)
    finally:
        store.close()
    if erased.spans or erased.scores or erased.pending_logs:
        later += (_note(erased, manifest, clock, who),)
    if own or later:
        (staged / AUDIT_FILE).write_bytes(b"".join(line + b"\n" for line in (*own, *later)))
    for path in staged.iterdir():
        if path.is_dir():
            if path.name != MEDIA_FOLDER:
                shutil.rmtree(path)
        else:
            path.chmod(0o600)
            sync(path)
    sync(staged)
    return erased


def _place_media(staged: Path, store: SpanStore) -> None:
    """Put media where a server looks for them, but those whose traces are not there: they were erased since."""
    files = MediaFiles(staged)
    for path in sorted(staged.glob(f"{MEDIA_FOLDER}.*")):
        _, project, sha256 = path.name.split(".")
        files.adopt(project, sha256, path)
    control = open_control_store(staged)
    try:
        house = House(facts=control.media, files=files, spans=store, datasets=control.datasets)
        sweep(house, _ALWAYS)
        prune(house)
    finally:
        control.close()


def _digests(lines: tuple[bytes, ...]) -> set[str]:
    """Return the names' hashes that lines of the record hold.

    Raises:
        ConfigError: a line is none; to go on would bring somebody back.
    """
    found: set[str] = set()
    for line in lines:
        try:
            entry: Any = json.loads(line)
            if entry["kind"] != _RESTORE:
                found.update([entry["sha256"], *entry.get("also", ())])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                f"a line of the record of erasures cannot be read: {line[:80].decode('utf-8', 'replace')!r}",
                hint="mend the line: without it, who was erased might come back",
            ) from None
    return found


def _note(erased: ErasureReport, manifest: Manifest, clock: Clock, who: str) -> bytes:
    line = {
        "at": format_rfc3339(clock.now_ns()), "who": who, "kind": _RESTORE, "taken_at": manifest.taken_at,
        "traces": erased.traces, "spans": erased.spans, "scores": erased.scores, "pending_logs": erased.pending_logs,
    }  # fmt: skip
    return json.dumps(line).encode()
