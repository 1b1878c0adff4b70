"""A data folder's files as they were at one moment, beside the store that goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from watchkeeper.kit.clock import Clock, format_rfc3339
from watchkeeper.kit.errors import StoreError, StoreFullError
from watchkeeper.server.backup.archive import Facts, is_small_member
from watchkeeper.server.erasure.audit import AUDIT_FILE
from watchkeeper.server.files import is_full
from watchkeeper.server.media import MEDIA_FOLDER, MediaFiles
from watchkeeper.store.api import Progress, SpanStore
from watchkeeper.store.factory import CONTROL_FILE, SPANS_FILE, ControlStore

__all__ = ["STAGING", "Snapshot", "take"]

STAGING = "backup.tmp"
"""The folder in the data folder where a snapshot stands until it is packed; scrap after a kill."""


class Snapshot:
    """The files, and what is in them. `drop` deletes them."""

    def __init__(self, staging: Path, facts: Facts) -> None:
        self._staging = staging
        self.facts = facts

    def files(self) -> Sequence[Path]:
        """Return the files, the stores last: they are large."""
        stores = [self._staging / CONTROL_FILE, self._staging / SPANS_FILE]
        return sorted(path for path in self._staging.iterdir() if path.is_file() and path not in stores) + stores

    def size(self) -> int:
        """Return their bytes."""
        return sum(path.stat().st_size for path in self.files())

    def drop(self) -> None:
        """Delete them."""
        shutil.rmtree(self._staging, ignore_errors=True)


def take(
    store: SpanStore, control: ControlStore, folder: Path, *, clock: Clock, version: str, progress: Progress
) -> Snapshot:
    """Copy what is in the folder; whoever reads and writes goes on.

    The record of erasures, the salt and a person's own tables are copied at the very commit that the spans are of: the
    record never tells of an erasure that the copied spans have not seen.

    Raises:
        StoreFullError: there is no room; nothing is left behind.
        StoreError: something cannot be read or copied.
    """
    staging = folder / STAGING
    taken: list[int] = []

    def together() -> None:
        for path in sorted(folder.iterdir()):
            if is_small_member(path.name) and path.is_file() and not path.is_symlink():
                _copy(path, staging / path.name)
        taken.append(clock.now_ns())

    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        report = store.backup(staging / SPANS_FILE, together=together, progress=progress)
        control.backup(staging / CONTROL_FILE)
        # After the facts of them: one that was erased in between must not be in the copy.
        for project, sha256, path in MediaFiles(folder).all():
            _link(path, staging / f"{MEDIA_FOLDER}.{project}.{sha256}")
        with suppress(FileNotFoundError):
            shutil.rmtree(staging / f"{SPANS_FILE}.tmp")
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        if is_full(error):
            raise StoreFullError("no space left for the backup's copy", hint="free some space") from error
        raise StoreError(f"the backup cannot be made in {staging}: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    facts = Facts(
        watchkeeper=version, taken_at=format_rfc3339(taken[0]), store_format=report.format_version, spans=report.spans,
        scores=report.scores, pending_logs=report.pending_logs,
    )  # fmt: skip
    return Snapshot(staging, facts)


def _link(source: Path, target: Path) -> None:
    """Give a file that never changes a second name; copy it where the file system has none."""
    with suppress(FileNotFoundError):  # deleted just now
        try:
            os.link(source, target, follow_symlinks=False)
        except FileNotFoundError:
            raise
        except (OSError, NotImplementedError):
            shutil.copyfile(source, target)


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if source.name == AUDIT_FILE:
        content = content[: content.rfind(b"\n") + 1]  # a line that is being written belongs to a later moment
    target.write_bytes(content)
