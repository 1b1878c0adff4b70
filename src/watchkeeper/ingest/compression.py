"""Content-Encoding, with a bound on what comes out: a kilobyte may not become a gigabyte."""

from __future__ import annotations

import zlib

import zstandard

from watchkeeper.kit.errors import BodyTooLargeError, MediaTypeError, RequestError

__all__ = ["decompress"]

_GZIP = 16 + zlib.MAX_WBITS
_WINDOW = 1 << 27
# A zstd block takes four bytes at least and gives out 128 KiB at most: a slice this small cannot become more than 64 MiB.
_SLICE = 2_048


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
    pieces: list[bytes] = []
    size = 0
    while body and size <= limit:
        reader = zlib.decompressobj(window)
        piece = reader.decompress(body, limit + 1 - size)
        size += len(piece)
        pieces.append(piece)
        if size <= limit and not reader.eof:
            raise EOFError("it ends too early")
        if window != _GZIP and reader.unused_data:
            raise EOFError("something follows its end")
        # A gzip body may be several members, one after the other.
        body = reader.unused_data
    if not pieces:
        raise EOFError("it is empty")
    return b"".join(pieces)


def _zstd(body: bytes, limit: int) -> bytes:
    pieces: list[bytes] = []
    size, start = 0, 0
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    while start < len(body) and size <= limit:
        if reader.eof:
            reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        piece = reader.decompress(body[start : start + _SLICE])
        start = min(start + _SLICE, len(body)) - (len(reader.unused_data) if reader.eof else 0)
        size += len(piece)
        pieces.append(piece)
    if size <= limit and not reader.eof:
        raise EOFError("it ends too early")
    return b"".join(pieces)
