"""Which line of a TOML text a key stands on: `tomllib` keeps none, and a message without one sends people searching."""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["line_of"]

_HEADER = re.compile(r"\s*\[(?P<array>\[)?(?P<name>[^\[\]]+)\]")
_PAIR = re.compile(
    r"""\s*(?P<name>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_FENCES = ('"""', "'''")


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the line (from 1) that names the key, or the longest part of its path that a line names; else 1."""
    best, line = 0, 1
    table: tuple[str, ...] = ()
    fence = ""
    for number, content in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if content.count(fence) % 2 else fence
            continue
        header = _HEADER.match(content)
        pair = None if header else _PAIR.match(content)
        if header:
            table = _path(header["name"])
        here = (*table, *_path(pair["name"])) if pair else table if header else ()
        shared = _shared(here, keys)
        if shared > best:
            best, line = shared, number
        fence = next((mark for mark in _FENCES if content.count(mark) % 2), "")
    return line


def _path(name: str) -> tuple[str, ...]:
    try:
        found: Any = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:  # a line inside a multi-line array can look like a pair
        return ()
    keys: list[str] = []
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        keys.append(key)
    return tuple(keys)


def _shared(here: tuple[str, ...], keys: tuple[str, ...]) -> int:
    count = 0
    for mine, other in zip(here, keys, strict=False):
        if mine != other:
            break
        count += 1
    return count
