"""WKD13x: the server's own certificate, and whether anything is sent in the clear."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from watchkeeper.doctor.certificate import ends_at
from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import is_loopback
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import ConfigError
from watchkeeper.server.tls import Tls

__all__ = ["RULES", "check"]

SOON_DAYS = 21
_DAY = 86_400

GOOD = Rule("WKD130", "ok", "certificate", f"The server's certificate is valid for more than {SOON_DAYS} days.")
WRONG = Rule(
    "WKD131", "fail", "certificate", "The certificate or its key cannot be used: the server would not start.",
    "name a PEM certificate and its key with WATCHKEEPER_TLS_CERT and WATCHKEEPER_TLS_KEY", "config",
)  # fmt: skip
ENDED = Rule(
    "WKD132", "fail", "certificate", "The certificate has ended: clients refuse the server.",
    "renew it, then restart: watchkeeper serve", "config",
)  # fmt: skip
ENDING = Rule(
    "WKD133", "warn", "certificate", f"The certificate ends within {SOON_DAYS} days.",
    "renew it, then restart: watchkeeper serve", "config",
)  # fmt: skip
EXPOSED = Rule(
    "WKD134", "warn", "certificate", "Other users of this machine can read the certificate's key.",
    "chmod 600 KEY", "config",
)  # fmt: skip
PLAIN = Rule(
    "WKD135", "warn", "certificate",
    "It would listen beyond loopback without TLS: keys, prompts and answers are sent in the clear.",
    "WATCHKEEPER_TLS_CERT and WATCHKEEPER_TLS_KEY; or a proxy that ends TLS before it, named in WATCHKEEPER_TRUSTED_PROXIES",
    "config",
)  # fmt: skip
RULES = (GOOD, WRONG, ENDED, ENDING, EXPOSED, PLAIN)


def check(scene: Scene) -> Iterator[Finding]:
    """Look at the certificate and key that the settings name, or at their absence."""
    settings = scene.server
    try:
        told = Tls.of(settings)
    except ConfigError as error:
        yield WRONG.found(settings.tls_cert or settings.tls_key, error.message)
        return
    if told is None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        if not is_loopback(f"http://{host}") and not settings.trusted_proxies:
            yield PLAIN.found(f"WATCHKEEPER_HOST={settings.host}")
        return
    yield _validity(told.cert, scene.now())
    mode = told.key.stat().st_mode
    if mode & 0o077:
        yield EXPOSED.found(told.key, f"its mode is {stat.S_IMODE(mode):o}", f"chmod 600 {told.key}")


def _validity(cert: Path, now: float) -> Finding:
    try:
        ends = ends_at(cert.read_text(encoding="ascii", errors="replace"))
    except ValueError as error:
        return WRONG.found(cert, f"its end cannot be read: {error}")
    days = int((ends.timestamp() - now) // _DAY)
    what = f"it ends on {ends.astimezone(UTC):%Y-%m-%d}"
    if ends.timestamp() <= now:
        return ENDED.found(cert, f"it ended on {datetime.fromtimestamp(ends.timestamp(), UTC):%Y-%m-%d}")
    return (ENDING if days < SOON_DAYS else GOOD).found(cert, f"{what}, in {days} days")
