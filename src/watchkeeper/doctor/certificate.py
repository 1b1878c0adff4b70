"""Reading when a certificate ends. The standard library parses only those of a peer it is connected to."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

__all__ = ["ends_at"]

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_UTC_TIME, _TIME, _VERSION = 0x17, 0x18, 0xA0
_LONG = 0x80
_CENTURY = 50


class _Part(NamedTuple):
    """One element of DER: its tag and what is in it."""

    tag: int
    body: bytes


def ends_at(pem: str) -> datetime:
    """Return the end of validity (UTC) of the first certificate in a PEM text. X.509, RFC 5280 4.1.

    Raises:
        ValueError: there is none, or it is not one that can be read.
    """
    begin, end = pem.find(_BEGIN), pem.find(_END)
    if begin < 0 or end < begin:
        raise ValueError("no certificate in it")
    try:
        der = ssl.PEM_cert_to_DER_cert(pem[begin : end + len(_END)])
        whole = next(_parts(next(_parts(der)).body))
        fields = [part for part in _parts(whole.body) if part.tag != _VERSION]
        # serial number, signature's algorithm, issuer, validity
        _, last = _parts(fields[3].body)
    except (IndexError, StopIteration, ValueError) as error:
        raise ValueError("it is not an X.509 certificate") from error
    return _time(last)


def _parts(data: bytes) -> Iterator[_Part]:
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & _LONG:
            wide = length & ~_LONG
            length, at = int.from_bytes(data[at : at + wide], "big"), at + wide
        if at + length > len(data):
            raise ValueError("it is cut short")
        yield _Part(tag, data[at : at + length])
        at += length


def _time(part: _Part) -> datetime:
    text = part.body.decode("ascii", "replace")
    if part.tag == _UTC_TIME:  # two digits of the year, 1950 to 2049
        text = ("19" if int(text[:2]) >= _CENTURY else "20") + text
    elif part.tag != _TIME:
        raise ValueError("its end is not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
