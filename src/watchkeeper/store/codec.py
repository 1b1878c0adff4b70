"""Typed values as JSON text and back, exactly; and the fingerprint that tells receipts apart.

JSON has no bytes, no NaN or infinity, and no text with lone surrogates. Each is written as an object
with one escape key, and so is a map that would read as an escape:

    {"$bytes": base64}   {"$double": "NaN" | "Infinity" | "-Infinity"}   {"$text": base64 of WTF-8}
    {"$map": [[key, value], ...]}

Integers are written without a point and doubles with one, so both come back as they were. The
outermost map is never escaped as a whole unless a key needs it: `attributes->>'key'` works in SQL.
"""

from __future__ import annotations

import base64
import math
import threading
from operator import attrgetter
from typing import Any, cast

import msgspec
from xxhash import xxh3_128

from watchkeeper.model import Attributes, AttributeValue, Content, RawEvent, RawLink, RawLog, RawSpan, Scope

__all__ = [
    "FINGERPRINT_BYTES",
    "clean_text",
    "decode_attributes",
    "decode_content",
    "decode_log",
    "decode_raw",
    "encode_attributes",
    "encode_content",
    "encode_json",
    "encode_log",
    "encode_raw_rest",
    "fingerprint",
    "is_flat",
]

FINGERPRINT_BYTES = 16
_PLAIN = frozenset({str, int, bool, type(None)})
_NUMBERS_TOO = _PLAIN | {float}
_ESCAPES = frozenset({"$bytes", "$double", "$text", "$map"})
_COMPOUND = frozenset({"attributes", "resource", "scope", "events", "links", "logs"})
_SCALARS = tuple(name for name in RawSpan.__struct_fields__ if name not in _COMPOUND)
_scalars = attrgetter(*_SCALARS)
_encoder = msgspec.json.Encoder()
_packer = msgspec.msgpack.Encoder()
_content = msgspec.json.Decoder(Content)


def encode_attributes(attributes: Attributes, *, flat: bool | None = None) -> str:
    """Write an attribute map as JSON text; see the module for the escapes. `flat` is what `is_flat` says, if known."""
    if is_flat(attributes) if flat is None else flat:
        try:
            return _encoder.encode(attributes).decode()
        except UnicodeEncodeError:
            pass  # a lone surrogate: the slow way escapes it
    return _encoder.encode(_escape_map(attributes)).decode()


def is_flat(value: Attributes) -> bool:
    """Say whether a map is plain JSON as it is: nothing nested, no bytes, no odd double, no name of an escape."""
    if len(value) == 1 and next(iter(value)) in _ESCAPES:
        return False
    kinds = set(map(type, value.values()))
    if kinds <= _PLAIN:
        return True
    return kinds <= _NUMBERS_TOO and all(math.isfinite(item) for item in value.values() if type(item) is float)


def decode_attributes(text: str) -> Attributes:
    """Read what `encode_attributes` wrote."""
    return cast("Attributes", _unescape_map(msgspec.json.decode(text)))


def encode_raw_rest(raw: RawSpan) -> str:
    """Write everything of a raw span but its attributes and resource, fields at their default left out."""
    rest: dict[str, Any] = {name: value for name, value in zip(_SCALARS, _scalars(raw), strict=True) if value}
    scope, events, links, logs = raw.scope, raw.events, raw.links, raw.logs
    if scope.name or scope.version or scope.attributes:
        rest["scope"] = [scope.name, scope.version, scope.attributes]
    if not (scope.attributes or events or links or logs):
        try:
            return _encoder.encode(rest).decode()
        except UnicodeEncodeError:
            return _encoder.encode(_escape_map(rest)).decode()
    if events:
        rest["events"] = [[one.name, one.time, one.attributes] for one in events]
    if links:
        rest["links"] = [[one.trace_id, one.span_id, one.attributes] for one in links]
    if logs:
        rest["logs"] = [_log_fields(one) for one in logs]
    return _encoder.encode(_escape_map(rest)).decode()


def decode_raw(attributes: str, resource: str, rest: str) -> RawSpan:
    """Put a raw span together again from its three texts."""
    fields = cast("dict[str, Any]", _unescape_map(msgspec.json.decode(rest)))
    if "scope" in fields:
        name, version, own = fields["scope"]
        fields["scope"] = Scope(name=name, version=version, attributes=own)
    if "events" in fields:
        fields["events"] = tuple(RawEvent(name=a, time=b, attributes=c) for a, b, c in fields["events"])
    if "links" in fields:
        fields["links"] = tuple(RawLink(trace_id=a, span_id=b, attributes=c) for a, b, c in fields["links"])
    if "logs" in fields:
        fields["logs"] = tuple(_log(one) for one in fields["logs"])
    fields.setdefault("trace_id", "")
    fields.setdefault("span_id", "")
    return RawSpan(attributes=decode_attributes(attributes), resource=decode_attributes(resource), **fields)


def encode_log(log: RawLog) -> str:
    """Write a log record as JSON text."""
    return _encoder.encode(_escape(_log_fields(log))).decode()


def decode_log(text: str) -> RawLog:
    """Read what `encode_log` wrote."""
    return _log(cast("list[Any]", _unescape(msgspec.json.decode(text))))


def encode_content(content: Content | None) -> str | None:
    """Write a canonical content as JSON text; None stays None."""
    return None if content is None else encode_json(content)


def decode_content(text: str | None) -> Content | None:
    """Read what `encode_content` wrote."""
    return None if text is None else _content.decode(text)


def encode_json(value: object) -> str:
    """Write a derived value as plain JSON; text JSON cannot hold is replaced, for it is kept verbatim in raw."""
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:
        return _encoder.encode(_scrub(msgspec.to_builtins(value))).decode()


def clean_text(text: str | None) -> str | None:
    """Return the text with lone surrogates replaced: a column holds Unicode only."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


class _Scratch(threading.local):
    """A buffer a thread, so that no memory is asked for what is only hashed."""

    def __init__(self) -> None:
        self.buffer = bytearray()


_scratch = _Scratch()


def fingerprint(attributes: Attributes, resource: str, rest: str, *, flat: bool | None = None) -> bytes:
    """Return 16 bytes that stand for a raw span: equal exactly when the receipts are.

    `resource` and `rest` are as encoded. Releases may compute it otherwise: it tells receipts apart, it is no format.
    `flat` is what `is_flat` says of the attributes, if known.
    """
    # Not a cryptographic hash: whoever could forge a likeness could send the span itself.
    told = xxh3_128(_packed(attributes, is_flat(attributes) if flat is None else flat))
    told.update(f"\x00{resource}\x00{rest}".encode())  # JSON text holds no NUL: the parts stay apart
    return told.digest()


def _packed(attributes: Attributes, flat: bool) -> bytes | bytearray:  # noqa: FBT001 - internal
    """Write a map as MessagePack, which escapes nothing, where it is flat; never the same as a JSON text."""
    if flat:
        buffer = _scratch.buffer
        try:
            _packer.encode_into(attributes, buffer)
        except (UnicodeEncodeError, OverflowError):
            pass  # JSON holds what MessagePack does not
        else:
            return buffer
    return encode_attributes(attributes, flat=flat).encode()


def _log_fields(log: RawLog) -> list[AttributeValue]:
    return [log.trace_id, log.span_id, log.time, log.event_name, log.severity, log.body, log.attributes]


def _log(fields: list[Any]) -> RawLog:
    trace, span, time, event, severity, body, attributes = fields
    return RawLog(
        trace_id=trace, span_id=span, time=time, event_name=event, severity=severity, body=body, attributes=attributes
    )


def _escape(value: Any) -> Any:  # noqa: ANN401 - walks an AnyValue
    kind = type(value)
    if kind is str:
        return (
            value if _is_text(value) else {"$text": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}
        )
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$double": _double_name(value)}
    if kind is bytes:
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return _escape_map(value)
    return [_escape(item) for item in value]


def _escape_map(value: dict[str, Any]) -> dict[str, Any]:
    odd = any(not _is_text(key) for key in value) or (len(value) == 1 and next(iter(value)) in _ESCAPES)
    if odd:
        return {"$map": [[_escape(key), _escape(item)] for key, item in value.items()]}
    return {key: _escape(item) for key, item in value.items()}


def _double_name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unescape(value: Any) -> Any:  # noqa: ANN401 - walks what JSON gave
    if isinstance(value, dict):
        return _unescape_map(value)
    return [_unescape(item) for item in value] if isinstance(value, list) else value


def _unescape_map(value: dict[str, Any]) -> Any:  # noqa: ANN401 - an escape stands for any type
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        if key == "$bytes":
            return base64.b64decode(inner)
        if key == "$double":
            return float(inner)
        if key == "$text":
            return base64.b64decode(inner).decode("utf-8", "surrogatepass")
        if key == "$map":
            return {_unescape(name): _unescape(item) for name, item in inner}
    return {key: _unescape(item) for key, item in value.items()}


def _scrub(value: Any) -> Any:  # noqa: ANN401 - walks builtins
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return [_scrub(item) for item in value] if isinstance(value, list | tuple) else value
