"""Content stored once: raw attributes refer to the long texts of the canonical input and output they repeat.

A chat span's prompt and answer come as attributes, verbatim or inside a JSON text, and stand in the
canonical input and output again. What repeats is taken out of the attributes (the key keeps its place,
its value is null) and noted as *pieces*: by key, either the number of the text the value is, or a
style of escaping and then literal texts and numbers in turn. Numbers count the long texts of input and
output as `_texts` walks them, so whoever changes a stored input or output must take the pieces anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from watchkeeper.model import (
    Attributes,
    Content,
    Document,
    MediaPart,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from watchkeeper.store.codec import clean_text

__all__ = ["put_back", "take_out"]

Pieces: TypeAlias = "dict[str, int | list[int | str]]"
_LEAST = 100
_MISSES = 8
_HEAD = 32
_TRIES = 8
_UTF8, _ASCII = "u", "a"
_encoder = msgspec.json.Encoder()


def take_out(attributes: Attributes, told: Content | None, answered: Content | None) -> tuple[Attributes, str | None]:
    """Return the attributes without what input and output hold, and the pieces to put it back (None: nothing)."""
    if told is None and answered is None:
        return attributes, None
    long = [(key, value) for key, value in attributes.items() if type(value) is str and len(value) >= _LEAST]
    if not long:
        return attributes, None
    texts = [*_texts(told), *_texts(answered)]
    if not texts:
        return attributes, None
    pieces = _pieces(long, texts)
    if not pieces:
        return attributes, None
    try:
        noted = _encoder.encode(pieces).decode()
    except UnicodeEncodeError:  # a lone surrogate beside the text: it stays as it came
        return attributes, None
    slim = dict(attributes)
    for key in pieces:
        slim[key] = None
    return slim, noted


def put_back(attributes: Attributes, noted: str, told: Content | None, answered: Content | None) -> Attributes:
    """Return the attributes as they came."""
    pieces: Pieces = msgspec.json.decode(noted)
    texts = [*_texts(told), *_texts(answered)]
    whole = dict(attributes)
    for key, parts in pieces.items():
        if isinstance(parts, int):
            whole[key] = texts[parts]
        else:
            escape = _utf8 if parts[0] == _UTF8 else _ascii
            whole[key] = "".join(escape(texts[part]) if isinstance(part, int) else part for part in parts[1:])
    return whole


def _pieces(long: list[tuple[str, str]], texts: list[str]) -> Pieces:
    pieces: Pieces = {}
    escapes: dict[str, list[str | None]] = {}
    for key, value in long:
        if value[0] in "[{":
            parts = _within(value, texts, escapes)
            if parts is not None:
                pieces[key] = parts
                continue
        if value in texts and clean_text(value) == value:  # the canonical text holds Unicode only
            pieces[key] = texts.index(value)
    return pieces


def _within(value: str, texts: list[str], escapes: dict[str, list[str | None]]) -> list[int | str] | None:
    """Return a JSON text as pieces, None where it holds none of the texts.

    `escapes` keeps the texts as a JSON text of a style would hold them, made when first asked for.
    """
    style = _ASCII if value.isascii() else _UTF8
    made = escapes.get(style)
    if made is None:
        made = escapes[style] = [_tried(style, text) for text in texts]
    parts: list[int | str] = [style]
    begin = misses = 0
    for number, text in enumerate(made):
        at = -1 if text is None else _find(value, text, begin)
        if at < 0 or text is None:
            misses += 1
            if misses > _MISSES:
                break
            continue
        if at > begin:
            parts.append(value[begin:at])
        parts.append(number)
        begin = at + len(text)
    if begin == 0:
        return None
    if begin < len(value):
        parts.append(value[begin:])
    return parts


def _find(value: str, text: str, begin: int) -> int:
    """Return where the text begins, -1 where it is not found: by its head, for a long needle is slow to prepare."""
    head = text[:_HEAD]
    at = value.find(head, begin)
    for _ in range(_TRIES):
        if at < 0 or value.startswith(text, at):
            return at
        at = value.find(head, at + 1)
    return -1


def _tried(style: str, text: str) -> str | None:
    try:
        if style == _UTF8 or text.isascii():
            return _encoder.encode(text).decode()[1:-1]
        return _ascii(text)
    except UnicodeEncodeError:
        return None  # a lone surrogate: the canonical text does not hold it


def _utf8(text: str) -> str:
    return _encoder.encode(text).decode()[1:-1]


def _ascii(text: str) -> str:
    return _utf8(text) if text.isascii() else json.dumps(text)[1:-1]


def _texts(content: Content | None) -> list[str]:
    if content is None:
        return []
    found: list[str] = []
    for message in content.messages:
        for part in message.parts:
            if type(part) is TextPart:  # nearly all of them
                found.append(part.text)
            else:
                found.extend(_of_part(part))
    for document in content.documents:
        found.extend(_of_document(document))
    if content.text is not None:
        found.append(content.text)
    return [text for text in found if len(text) >= _LEAST]


def _of_part(part: Part) -> Iterator[str]:
    if isinstance(part, ReasoningPart | TextPart):
        yield part.text
    elif isinstance(part, ToolCallPart):
        yield from _inside(part.arguments)
    elif isinstance(part, MediaPart):
        yield part.uri or ""
        yield part.data or ""
    else:
        yield from _inside(part.value if isinstance(part, OtherPart) else part.result)


def _of_document(document: Document) -> Iterator[str]:
    yield document.content or ""
    yield from _inside(document.metadata)


def _inside(value: Any) -> Iterator[str]:  # noqa: ANN401 - walks what JSON gave
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _inside(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item)
