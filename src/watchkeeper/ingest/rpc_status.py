"""`google.rpc.Status`, two fields of it, without the package that ships it."""

from __future__ import annotations

import json

_MORE = 0x80

__all__ = ["rpc_status"]


def rpc_status(code: int, message: str, *, as_json: bool) -> bytes:
    """Encode `{code = 1: int32, message = 2: string}` as JSON or protobuf wire format."""
    if as_json:
        return json.dumps({"code": code, "message": message}).encode()
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= _MORE:
        out.append(value % _MORE | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)
