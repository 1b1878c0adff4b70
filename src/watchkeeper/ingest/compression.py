"""Content-Encoding, with a bound on what comes out: a kilobyte may not become a gigabyte."""

from __future__ import annotations

import zlib

import zstandard

from watchkeeper.kit.errors import BodyTooLargeError, MediaTypeError, RequestError

__all__ = ["decompress"]

_GZIP = 16 + zlib.MAX_WBITS


def decompress(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Undo gzip, deflate (zlib or raw), zstd or identity; at most `limit` bytes come out.

    Raises:
        BodyTooLargeError: more would come out.
        MediaTypeError: the encoding is not one we read.
        RequestError: the bytes are not what the encoding says.
    """
    name = content_encoding.strip().lower()
    try:
        if name in {"", "identity"}:
            plain = body
        elif name in {"gzip", "x-gzip"}:
            plain = _zlib(body, _GZIP, limit)
        elif name == "deflate":
            plain = _deflate(body, limit)
        elif name == "zstd":
            plain = _zstd(body, limit)
        else:
            raise MediaTypeError(f"the content encoding {name[:40]!r} is not known", hint="gzip, deflate, zstd or none")
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise RequestError(f"the body is not valid {name}: {error}") from error
    if len(plain) > limit:
        raise BodyTooLargeError(
            f"the body is over the limit of {limit} bytes once decompressed", hint="send smaller batches"
        )
    return plain


def _deflate(body: bytes, limit: int) -> bytes:
    try:
        return _zlib(body, zlib.MAX_WBITS, limit)
    except zlib.error:
        return _zlib(body, -zlib.MAX_WBITS, limit)


def _zlib(body: bytes, window: int, limit: int) -> bytes:
    reader = zlib.decompressobj(window)
    plain = reader.decompress(body, limit + 1)
    if len(plain) <= limit and not reader.eof:
        raise EOFError("it ends too early")
    return plain


def _zstd(body: bytes, limit: int) -> bytes:
    reader = zstandard.ZstdDecompressor().decompressobj()
    pieces: list[bytes] = []
    size = 0
    for start in range(0, len(body), 16_384):
        piece = reader.decompress(body[start : start + 16_384])
        size += len(piece)
        pieces.append(piece)
        if size > limit or reader.eof:
            break
    if size <= limit and not reader.eof:
        raise EOFError("it ends too early")
    return b"".join(pieces)
