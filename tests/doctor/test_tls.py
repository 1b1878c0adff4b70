"""WKD13x: certificates that are good, ending, ended, wrong or exposed; and none at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.doctor.conftest import bad, found, look
from watchkeeper.doctor.certificate import ends_at

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def made(folder: Path, ends: datetime) -> dict[str, str]:
    """Write a certificate that ends then, and its key; return the settings that name them."""
    cert, key = folder / "cert.pem", folder / "cert.key"
    one = trustme.CA().issue_cert("watch.example", not_after=ends)
    cert.write_bytes(one.cert_chain_pems[0].bytes())
    key.write_bytes(one.private_key_pem.bytes())
    key.chmod(0o600)
    return {"WATCHKEEPER_TLS_CERT": str(cert), "WATCHKEEPER_TLS_KEY": str(key)}


@pytest.mark.parametrize(
    ("days", "rule", "says"),
    [(365, "WKD130", "in 365 days"), (20, "WKD133", "in 20 days"), (0, "WKD132", "ended on 2026-11-25")],
)
def test_its_end_is_read(tmp_path: Path, days: int, rule: str, says: str) -> None:
    """A certificate is well, a warning for its last three weeks, and a failure once it has ended."""
    environ = made(tmp_path, NOW + timedelta(days=days))

    assert says in found(look(tmp_path / "new", environ, now=NOW.timestamp), rule).what


@pytest.mark.parametrize("year", [2049, 2050, 2999])
def test_far_ends_are_read_too(tmp_path: Path, year: int) -> None:
    """Up to 2049 the year has two digits, from 2050 four; both are read."""
    ends = datetime(year, 3, 4, 5, 6, 7, tzinfo=UTC)
    made(tmp_path, ends)

    assert ends == ends_at((tmp_path / "cert.pem").read_text())


@pytest.mark.parametrize(
    "text",
    ["", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
     "-----END CERTIFICATE----------BEGIN CERTIFICATE-----"],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(text: str) -> None:
    """Nothing, an empty frame, a torn one: each is a ValueError, never another."""
    with pytest.raises(ValueError, match="certificate"):
        ends_at(text)


def test_a_torn_certificate_is_refused_at_any_byte(tmp_path: Path) -> None:
    """However much of its text is missing, a certificate is read whole or refused."""
    import ssl

    made(tmp_path, NOW)
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "cert.pem").read_text())
    for cut in range(1, len(der) - 1):
        with pytest.raises(ValueError, match="certificate"):
            ends_at(ssl.DER_cert_to_PEM_cert(der[:cut]))


def test_half_a_pair_fails(tmp_path: Path) -> None:
    """A certificate without its key, which the server refuses to start with, is a failure of the configuration."""
    environ = made(tmp_path, NOW + timedelta(days=99))
    report = look(tmp_path / "new", {"WATCHKEEPER_TLS_CERT": environ["WATCHKEEPER_TLS_CERT"]})

    assert "WATCHKEEPER_TLS_KEY" in found(report, "WKD131").what
    assert report.exit_code == 2


def test_a_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    """A key with a loose mode is a warning with the chmod that mends it."""
    environ = made(tmp_path, NOW + timedelta(days=99))
    (tmp_path / "cert.key").chmod(0o644)
    told = found(look(tmp_path / "new", environ, now=NOW.timestamp), "WKD134")

    assert told.what == "its mode is 644"
    assert told.mend == f"chmod 600 {tmp_path / 'cert.key'}"


def test_beyond_loopback_in_the_clear_is_told(tmp_path: Path) -> None:
    """An address that others reach without TLS is a warning, but not behind a proxy that is named, nor on loopback."""
    beyond = {"WATCHKEEPER_HOST": "0.0.0.0", "WATCHKEEPER_SECRET_KEY": "sk-0123456789abcdef"}

    assert "WKD135" in bad(look(tmp_path / "new", beyond))
    assert "WKD135" not in bad(look(tmp_path / "new", {**beyond, "WATCHKEEPER_TRUSTED_PROXIES": "10.0.0.1"}))
    assert "WKD135" not in bad(look(tmp_path / "new"))
