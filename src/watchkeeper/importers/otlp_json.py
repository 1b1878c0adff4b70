"""OTLP/JSON in files: one export, a list of them, or one a line as the OpenTelemetry Collector's file exporter writes.

Also gzipped, and folders of such files. Spans are handed on as they are written: the server's own reader knows hex and
base64 ids, camelCase and snake_case, numbers as text.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from watchkeeper.importers.page import OtlpSpan, Page, Tree, Unit, Window
from watchkeeper.kit.errors import ConfigError

__all__ = ["OtlpJson"]

_NAMES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_SPANS, _BYTES = 500, 4 << 20
_HEAD = 1 << 16
_GZIP = b"\x1f\x8b"
_NO_JSON = "not JSON"
_SHAPES = {
    "spans": ("resourceSpans", "resource_spans", "batches"),
    "logs": ("resourceLogs", "resource_logs"),
    "metrics": ("resourceMetrics", "resource_metrics"),
}
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")


class OtlpJson:
    """Files of OTLP/JSON.

    Args:
        path: a file, or a folder that is searched for files by their names' ends.
        window: by each span's start.
    """

    name = "otlp-json"
    unit: Unit = "bytes"

    def __init__(self, path: Path, window: Window) -> None:
        if not path.exists():
            raise ConfigError(f"there is no {path}", hint="name a file, or a folder of .json, .jsonl or .json.gz files")
        self._files = [path] if path.is_file() else sorted(
            one for one in path.rglob("*") if one.name.endswith(_NAMES) and one.is_file()
        )  # fmt: skip
        if not self._files:
            raise ConfigError(f"no file in {path} ends in {', '.join(_NAMES)}", hint="name the file itself")
        self._window = window

    def pages(self, cursor: Any) -> Iterator[Page]:  # noqa: ANN401 - whatever JSON it gave
        """Yield what the files hold; a file that was replaced since the cursor is read from its beginning."""
        total = sum(one.stat().st_size for one in self._files)
        before = 0
        for file in self._files:
            size = file.stat().st_size
            if cursor is None or str(file) >= cursor["file"]:
                head = _head(file)
                same = cursor is not None and cursor["file"] == str(file) and cursor["head"] == head
                for page, record, at in self._file(file, cursor["record"] if same else 0):
                    page.cursor = {"file": str(file), "head": head, "record": record}
                    page.done, page.total = min(before + at, total), total
                    yield page
            before += size

    def _file(self, file: Path, done: int) -> Iterator[tuple[Page, int, int]]:
        """Yield pages of at least so many spans or bytes, the records read so far, and the place in the file."""
        page, size, record, at = Page(), 0, 0, 0
        for record, (where, text, at) in enumerate(_texts(file), 1):
            if record <= done:
                continue
            if text is None:
                page.skip("the file ends in the middle of its compression", where)
                continue
            size += len(text)
            self._read(page, text, where)
            if len(page.spans) >= _SPANS or size >= _BYTES:
                yield page, record, at
                page, size = Page(), 0
        if size or page.skipped:
            yield page, record, at

    def _read(self, page: Page, text: bytes, where: str) -> None:
        try:
            told = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            page.skip(_NO_JSON, where)
            return
        for one in told if isinstance(told, list) else [told]:
            self._export(page, one, where)

    def _export(self, page: Page, told: object, where: str) -> None:
        if not isinstance(told, dict):
            page.skip("not an OTLP export: no object", where)
            return
        if "scopeSpans" in told or "scope_spans" in told:  # a list of resourceSpans without their envelope
            told = {"resourceSpans": [told]}
        found = {kind: next((name for name in names if name in told), None) for kind, names in _SHAPES.items()}
        if found["spans"] is not None:
            for group in _objects(told[found["spans"]]):
                self._group(page, group, where)
        if found["logs"] is not None:
            page.logs += _objects(told[found["logs"]])
        if found["metrics"] is not None:
            page.skip("metrics are not stored", where)
        if not any(found.values()):
            page.skip("not an OTLP export: no resourceSpans", where)

    def _group(self, page: Page, group: Tree, where: str) -> None:
        resource = group.get("resource") or {}
        for name in _SCOPES:
            for inner in _objects(group.get(name)):
                scope = inner.get("scope") or inner.get("instrumentationLibrary") or {}
                for span in _objects(inner.get("spans")):
                    if self._window == Window() or self._window.holds(_start(span)):
                        page.spans.append(OtlpSpan(resource, scope, span))
                    else:
                        page.skip("outside --since and --until", where)


def _objects(told: object) -> list[Tree]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _start(span: Tree) -> int:
    told = span.get("startTimeUnixNano") or span.get("start_time_unix_nano") or 0
    try:
        return int(told)
    except (TypeError, ValueError):
        return 0


def _head(file: Path) -> str:
    """Return what the beginning of a file is known by while it grows: the digest of its first line, or of 64 KiB."""
    with file.open("rb") as stream:
        return hashlib.sha256(stream.read(_HEAD).partition(b"\n")[0]).hexdigest()[:16]


def _texts(file: Path) -> Iterator[tuple[str, bytes | None, int]]:
    """Yield each record's place, its text (None where a compressed file breaks off), and how far the file is read.

    Raises:
        ConfigError: it is no JSON file at all.
    """
    with file.open("rb") as raw:
        compressed = raw.read(2) == _GZIP
        raw.seek(0)
        stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[assignment]  # reads the same
        number = 0
        try:
            first = _first_line(stream)
            _be_json(first, file)
            if _is_whole(first):
                number = 1
                yield f"{file}:1", first, raw.tell()
                for line in stream:
                    number += 1
                    if line.strip():
                        yield f"{file}:{number}", line, raw.tell()
            else:
                yield str(file), first + stream.read(), raw.tell()
        except (EOFError, zlib.error):
            yield f"{file}, after line {number}", None, raw.tell()
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error}") from None


def _first_line(stream: IO[bytes]) -> bytes:
    found = b""
    while not found.strip():
        line = stream.readline()
        if not line:
            break
        found += line
    return found


def _be_json(text: bytes, file: Path) -> None:
    if text.strip() and text.strip()[:1] not in {b"{", b"["}:
        raise ConfigError(
            f"{file} is not JSON: it begins with {text[:16]!r}",
            hint="the collector's file exporter writes JSON lines with `format: json` and no `compression`; gzip is read too",
        )


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
