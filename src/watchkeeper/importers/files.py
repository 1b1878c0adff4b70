"""JSON in files: a document, a list of objects, an object a line, or CSV; gzipped too, and folders of such files."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from watchkeeper.importers.page import Page, Unit
from watchkeeper.kit.errors import ConfigError

__all__ = ["CSV", "JsonFiles"]

_NAMES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
CSV = (*_NAMES, ".csv", ".csv.gz")
"""The names' ends of files that are read where rows may come as CSV too, each as an object of texts."""
_SPANS, _BYTES = 500, 4 << 20
_HEAD = 1 << 16
_GZIP = b"\x1f\x8b"

Take = Callable[[Page, Any, str], None]
"""Puts what an object holds onto a page; the text says where it stands."""


class JsonFiles:
    """A source of files.

    Args:
        name: of the source.
        path: a file, or a folder that is searched for files by their names' ends.
        take: what makes spans and scores of each object.
        hint: how files that can be read are made, for whoever brings another.
        names: how the names of files in a folder end.
    """

    unit: Unit = "bytes"

    def __init__(self, name: str, path: Path, take: Take, hint: str, names: tuple[str, ...] = _NAMES) -> None:
        self.name, self._take, self._hint = name, take, hint
        if not path.exists():
            raise ConfigError(f"there is no {path}", hint="name a file, or a folder of .json, .jsonl or .json.gz files")
        self._files = [path] if path.is_file() else sorted(
            one for one in path.rglob("*") if one.name.endswith(names) and one.is_file()
        )  # fmt: skip
        if not self._files:
            raise ConfigError(f"no file in {path} ends in {', '.join(names)}", hint="name the file itself")

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
        for record, (where, text, at) in enumerate(_texts(file, self._hint), 1):
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
            page.skip("not JSON", where)
            return
        for one in told if isinstance(told, list) else [told]:
            self._take(page, one, where)


def _head(file: Path) -> str:
    """Return what the beginning of a file is known by while it grows: the digest of its first line, or of 64 KiB."""
    with file.open("rb") as stream:
        return hashlib.sha256(stream.read(_HEAD).partition(b"\n")[0]).hexdigest()[:16]


def _texts(file: Path, hint: str) -> Iterator[tuple[str, bytes | None, int]]:
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
            if file.name.endswith((".csv", ".csv.gz")):
                for number, row in enumerate(csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", newline="")), 1):
                    yield f"{file}, row {number}", msgspec.json.encode(_texts_of(row)), raw.tell()
                return
            first = _first_line(stream)
            if first.strip() and first.strip()[:1] not in {b"{", b"["}:
                raise ConfigError(f"{file} is not JSON: it begins with {first[:16]!r}", hint=hint)
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
        except (csv.Error, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}, after row {number}, is not CSV: {error}", hint=hint) from None
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error}") from None


def _texts_of(row: dict[str | None, Any]) -> dict[str, str]:
    return {key: value for key, value in row.items() if isinstance(key, str) and isinstance(value, str)}


def _first_line(stream: IO[bytes]) -> bytes:
    found = b""
    while not found.strip():
        line = stream.readline()
        if not line:
            break
        found += line
    return found


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
