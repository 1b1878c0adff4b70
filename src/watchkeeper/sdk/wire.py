"""Spans to the bytes of an OTLP `ExportTraceServiceRequest`, written straight: no protobuf library in the host.

Source of the numbers: opentelemetry-proto 1.x, `trace/v1/trace.proto`, `common/v1/common.proto`. Tested against
the official library, byte by meaning. What cannot be encoded is left out and counted; nothing here raises.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status

from watchkeeper.sdk.encode import Lazy

__all__ = ["Encoded", "Ended", "encode_request"]

_log = logging.getLogger("watchkeeper")
_fixed64 = struct.Struct("<Q").pack
_fixed32 = struct.Struct("<I").pack
_double = struct.Struct("<d").pack
_MOST_KEYS = 4_096
_INT64 = 1 << 63
_UINT64 = (1 << 64) - 1
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_LENGTHS = tuple(bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7]) for size in range(1 << 14))  # noqa: PLR2004 - varints
_TIMES = struct.Struct("<BQBQ").pack
"""Start and end: tags 7 and 8, each eight bytes."""


class Ended(Protocol):
    """What is read of an ended span: of OTel's `ReadableSpan` or our own `Recording`."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as in OTel
    @property
    def context(self) -> SpanContext | None: ...  # noqa: D102
    @property
    def parent(self) -> SpanContext | None: ...  # noqa: D102
    @property
    def kind(self) -> SpanKind: ...  # noqa: D102
    @property
    def start_time(self) -> int | None: ...  # noqa: D102
    @property
    def end_time(self) -> int | None: ...  # noqa: D102
    @property
    def attributes(self) -> Mapping[str, Any] | None: ...  # noqa: D102
    @property
    def events(self) -> Sequence[Event]: ...  # noqa: D102
    @property
    def links(self) -> Sequence[Link]: ...  # noqa: D102
    @property
    def status(self) -> Status: ...  # noqa: D102
    @property
    def resource(self) -> Resource: ...  # noqa: D102
    @property
    def instrumentation_scope(self) -> InstrumentationScope | None: ...  # noqa: D102
    @property
    def dropped_attributes(self) -> int: ...  # noqa: D102
    @property
    def dropped_events(self) -> int: ...  # noqa: D102
    @property
    def dropped_links(self) -> int: ...  # noqa: D102


class Encoded(NamedTuple):
    """A request."""

    body: bytes
    left_out: int
    """Spans that could not be encoded."""


def encode_request(spans: Iterable[Ended], pause: Callable[[], None] | None = None, every: int = 8) -> Encoded:
    """Encode spans, grouped by resource and scope.

    Args:
        spans: what ended.
        pause: called between spans, so that the host's threads need not wait for the whole batch.
        every: after how many.
    """
    groups: dict[tuple[int, int], tuple[Ended, list[bytes]]] = {}
    left_out = 0
    for number, span in enumerate(spans, 1):
        try:
            made = _field(b"\x12", _span(span))
        except Exception:
            _log.debug("a span could not be encoded", exc_info=True)
            left_out += 1
            continue
        group = groups.setdefault((id(span.resource), id(span.instrumentation_scope)), (span, []))
        group[1].append(made)
        if pause is not None and number % every == 0:
            pause()
    resources: dict[int, tuple[Resource, list[bytes]]] = {}
    for one, made_spans in groups.values():
        place = resources.setdefault(id(one.resource), (one.resource, []))
        place[1].append(_scope(one.instrumentation_scope, made_spans))
    body = b"".join([_field(b"\x0a", _resource(resource, scopes)) for resource, scopes in resources.values()])
    return Encoded(body, left_out)


def _resource(resource: Resource, scopes: list[bytes]) -> bytes:
    told = _field(b"\x0a", _attributes(b"\x0a", resource.attributes))
    return told + b"".join(scopes) + _text(b"\x1a", resource.schema_url)


def _scope(scope: InstrumentationScope | None, spans: list[bytes]) -> bytes:
    told, schema = b"", ""
    if scope is not None:
        schema = scope.schema_url or ""
        told = _text(b"\x0a", scope.name) + _text(b"\x12", scope.version)
        told += _attributes(b"\x1a", scope.attributes or {})
    return _field(b"\x12", _field(b"\x0a", told) + b"".join(spans) + _text(b"\x1a", schema))


def _span(span: Ended) -> bytes:
    ids, parent, status = span.context, span.parent, span.status
    if ids is None:
        raise ValueError("a span without ids")
    parts = [b"\x0a\x10", ids.trace_id.to_bytes(16), b"\x12\x08", ids.span_id.to_bytes(8)]
    if ids.trace_state:
        parts.append(_text(b"\x1a", ",".join([f"{key}={value}" for key, value in ids.trace_state.items()])))
    if parent is not None:
        parts += (b"\x22\x08", parent.span_id.to_bytes(8))
    parts += (
        _text(b"\x2a", span.name),
        bytes((0x30, span.kind.value + 1)),
        _TIMES(0x39, span.start_time or 0, 0x41, span.end_time or 0),
        _attributes(b"\x4a", span.attributes or {}),
    )
    if span.dropped_attributes:
        parts.append(b"\x50" + _varint(span.dropped_attributes))
    parts += [_field(b"\x5a", _event(event)) for event in span.events]
    if span.dropped_events:
        parts.append(b"\x60" + _varint(span.dropped_events))
    parts += [_field(b"\x6a", _link(link)) for link in span.links]
    if span.dropped_links:
        parts.append(b"\x70" + _varint(span.dropped_links))
    code = status.status_code.value
    told = _text(b"\x12", status.description) + bytes((0x18, code)) if code else b""
    parts.append(_field(b"\x7a", told))
    parts.append(b"\x85\x01" + _flags(parent))
    return b"".join(parts)


def _flags(of: SpanContext | None) -> bytes:
    return _fixed32(_HAS_IS_REMOTE | (_IS_REMOTE if of is not None and of.is_remote else 0))


def _event(event: Event) -> bytes:
    dropped = b"\x20" + _varint(event.dropped_attributes) if event.dropped_attributes else b""
    told = b"\x09" + _fixed64(event.timestamp) + _text(b"\x12", event.name)
    return told + _attributes(b"\x1a", event.attributes or {}) + dropped


def _link(link: Link) -> bytes:
    ids = link.context
    told = b"\x0a\x10" + ids.trace_id.to_bytes(16) + b"\x12\x08" + ids.span_id.to_bytes(8)
    return told + _attributes(b"\x22", link.attributes or {}) + b"\x35" + _flags(ids)


class _Keys(dict[str, bytes]):
    """Attribute names as encoded; an app has few, and one that makes them up does not fill the memory."""

    def __missing__(self, key: str) -> bytes:
        made = _text(b"\x0a", key) + b"\x12"
        if len(self) >= _MOST_KEYS:
            self.clear()
        self[key] = made
        return made


_keys = _Keys()


def _attributes(tag: bytes, attributes: Mapping[str, Any]) -> bytes:
    parts: list[bytes] = []
    for key, value in list(attributes.items()):  # a copy: a thread that is late may still be setting one
        try:
            head, told = _keys[key], _value(value)
            size = _varint(len(told))
            parts += (tag, _varint(len(head) + len(size) + len(told)), head, size, told)
        except Exception:
            _log.debug("the attribute %r could not be encoded", key, exc_info=True)
    return b"".join(parts)


def _value(value: Any) -> bytes:  # noqa: PLR0911 - one return a type
    if type(value) is Lazy:
        value = value.text()
    if isinstance(value, str):
        text = value.encode("utf-8", "replace")
        return b"\x0a" + _varint(len(text)) + text
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        if -_INT64 <= value < _INT64:
            return b"\x18" + _varint(value & _UINT64)
        return _value(str(value))
    if isinstance(value, float):
        return b"\x21" + _double(value)
    if isinstance(value, bytes):
        return b"\x3a" + _varint(len(value)) + value
    if isinstance(value, Mapping):
        return _field(b"\x32", _attributes(b"\x0a", {str(key): item for key, item in value.items()}))
    if isinstance(value, Sequence):
        return _field(b"\x2a", b"".join([_field(b"\x0a", _value(item)) for item in value]))
    return b"" if value is None else _value(str(value))


def _text(tag: bytes, text: str | None) -> bytes:
    return _field(tag, text.encode("utf-8", "replace")) if text else b""


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < len(_LENGTHS):
        return _LENGTHS[number]
    made = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
