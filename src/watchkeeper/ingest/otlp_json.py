"""OTLP/JSON to the protobuf messages, forgivingly: hex or base64 ids, camelCase or snake_case, numbers as text."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, TypeVar

import msgspec
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from watchkeeper.kit.errors import RequestError

__all__ = ["parse_json"]

M = TypeVar("M", bound=Message)

_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_HEX = re.compile(r"(?:[0-9a-fA-F]{16}){1,2}")


def parse_json(kind: type[M], body: bytes) -> M:
    """Parse a JSON body.

    Raises:
        RequestError: it is not JSON, or not shaped like the message.
    """
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RequestError(f"the body is not JSON: {error}") from error
    if not isinstance(tree, dict):
        raise RequestError("the body is not a JSON object")
    try:
        return ParseDict(_ids(tree), kind(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RequestError(f"the body is not an OTLP {kind.DESCRIPTOR.name}: {str(error)[:300]}") from error


def _ids(value: Any) -> Any:  # noqa: ANN401 - JSON is any shape
    if isinstance(value, dict):
        return {
            key: _id(item) if key in _ID_KEYS and isinstance(item, str) else _ids(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_ids(item) for item in value]
    return value


def _id(text: str) -> str:
    # protobuf's own JSON writes bytes as base64; OTLP/JSON as hex. Sixteen or thirty-two hex digits are hex.
    if not text or not _HEX.fullmatch(text):
        return text
    try:
        return base64.b64encode(binascii.unhexlify(text)).decode()
    except binascii.Error:
        return text
