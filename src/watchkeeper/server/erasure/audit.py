"""The record that something was erased: when, by whom, how much; of the name only a hash."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from watchkeeper.kit.errors import StoreError
from watchkeeper.store.selecting import digest

__all__ = ["AUDIT_FILE", "ErasureAudit"]

AUDIT_FILE = "erasures.jsonl"


class ErasureAudit:
    """Lines of JSON, appended and fsynced; in memory where there is no folder.

    The hash is SHA-256 of the project, the kind and the name: whoever asks whether a person's erasure was done
    knows the name and can hash it; whoever reads the file learns no name (though a guess can be checked). `also` holds
    the same of the other names the person is stored by, so that a restored store can be searched for them.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / AUDIT_FILE
        self._lock = threading.Lock()
        self.lines: list[dict[str, Any]] = []

    def add(
        self, *, at: str, who: str, project: str, kind: str, name: str, also: tuple[str, ...] = (), **counts: int
    ) -> None:
        """Write one line. `also` are the person's other names.

        Raises:
            StoreError: it cannot be written; the erasure itself was done.
        """
        line: dict[str, Any] = {
            "at": at, "who": who, "project": project, "kind": kind, "sha256": digest(project, kind, name), **counts,
        }  # fmt: skip
        if also:
            line["also"] = [digest(project, kind, other) for other in also]
        with self._lock:
            if self._path is None:
                self.lines.append(line)
                return
            try:
                fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(fd, json.dumps(line).encode() + b"\n")
                    os.fsync(fd)
                finally:
                    os.close(fd)
            except OSError as error:
                raise StoreError(
                    f"erased, but {self._path} cannot be written: {error.strerror}", hint="note the erasure elsewhere"
                ) from error
