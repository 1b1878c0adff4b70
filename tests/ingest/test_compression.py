"""Content encodings, and the bound on what comes out of them."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.ingest import decompress
from watchkeeper.kit.errors import BodyTooLargeError, MediaTypeError, RequestError

LIMIT = 1 << 20
PLAIN = bytes(range(256)) * 20


def raw_deflate(body: bytes) -> bytes:
    """Compress without a zlib header."""
    writer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return writer.compress(body) + writer.flush()


def zstd_stream(body: bytes) -> bytes:
    """Compress as a stream does, without the size in the header."""
    writer = zstandard.ZstdCompressor().compressobj()
    return writer.compress(body) + writer.flush()


ENCODERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress],
    "deflate": [zlib.compress, raw_deflate],
    "zstd": [zstandard.ZstdCompressor().compress, zstd_stream],
}
CASES = [(name, encode) for name, encoders in ENCODERS.items() for encode in encoders]


@pytest.mark.parametrize("name", ["br", "gzip, deflate", "snappy"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    """An encoding we do not read is a media type error, not a guess."""
    with pytest.raises(MediaTypeError):
        decompress(b"x", name, LIMIT)


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_a_cut_body_is_refused(name: str, encode: Callable[[bytes], bytes]) -> None:
    """A body that ends before its encoding does is refused; what was lost is not taken for an end."""
    with pytest.raises(RequestError, match="not valid"):
        decompress(encode(PLAIN)[:-3], name, LIMIT)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_empty_body_is_not_compressed(name: str) -> None:
    """Nothing at all is not a compressed body."""
    with pytest.raises(RequestError, match="not valid"):
        decompress(b"", name, LIMIT)


@pytest.mark.parametrize("name", ENCODERS)
def test_something_behind_the_end_is_refused(name: str) -> None:
    """Bytes behind the end of a body are not dropped in silence."""
    with pytest.raises(RequestError, match="not valid"):
        decompress(ENCODERS[name][0](PLAIN) + b"left over", name, LIMIT)


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_a_bomb_is_refused(name: str, encode: Callable[[bytes], bytes]) -> None:
    """What would become more than the limit is refused."""
    with pytest.raises(BodyTooLargeError):
        decompress(encode(bytes(64 * LIMIT)), name, LIMIT)


def test_a_plain_body_has_the_same_limit() -> None:
    """A body that is not compressed keeps the limit too."""
    with pytest.raises(BodyTooLargeError):
        decompress(bytes(LIMIT + 1), "identity", LIMIT)


@pytest.mark.parametrize("name", ENCODERS)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, body: bytes) -> None:
    """Whatever bytes arrive, they are read or refused as a bad request."""
    with contextlib.suppress(RequestError):
        assert isinstance(decompress(body, name, LIMIT), bytes)


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_each_encoding_is_undone(name: str, encode: Callable[[bytes], bytes]) -> None:
    """Each encoding gives back what went in, the name in any case, up to the limit itself."""
    assert decompress(encode(PLAIN), f" {name.upper()} ", len(PLAIN)) == PLAIN


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_body_in_pieces_is_one(name: str) -> None:
    """Several gzip members or zstd frames in a row are one body."""
    encode = ENCODERS[name][0]

    assert decompress(encode(PLAIN) + encode(PLAIN), name, LIMIT) == PLAIN * 2


@pytest.mark.parametrize("name", ["", "identity"])
def test_no_encoding_is_none(name: str) -> None:
    """A body without an encoding is taken as it is."""
    assert decompress(PLAIN, name, LIMIT) == PLAIN
