"""Times as people type them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from watchkeeper.kit.clock import format_rfc3339, parse_rfc3339
from watchkeeper.kit.errors import ConfigError

__all__ = ["moment"]

_AGO = re.compile(r"([0-9]{1,5})([mhdw])")
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_NS = 1_000_000_000


def moment(text: str | None, option: str) -> str | None:
    """Return an RFC 3339 time for a time, a day (its first moment, UTC) or an age such as 7d; None for None.

    Raises:
        ConfigError: it is none of them.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago:
        return format_rfc3339(time.time_ns() - int(ago[1]) * _SECONDS[ago[2]] * _NS)
    try:
        if len(text) == len("2026-01-01"):
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
            return format_rfc3339(int(day.timestamp()) * _NS)
        return format_rfc3339(parse_rfc3339(text))
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} is {text!r}, not a time", hint="2026-11-24T10:00:00Z, 2026-11-24, or an age: 30m, 24h, 7d, 4w"
        ) from None
