"""Times as a model writes them."""

from __future__ import annotations

import re
import time

from mcp.server.mcpserver.exceptions import ToolError

from watchkeeper.kit.clock import format_rfc3339, parse_rfc3339

__all__ = ["TIME", "moment"]

TIME = "RFC 3339 (2026-11-24T10:00:00Z), a day (2026-11-24, UTC), or an age: 30m, 24h, 7d, 4w"
"""What a time may be, for the tools' schemas."""

_AGO = re.compile(r"([0-9]{1,5})([mhdw])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_NS = 1_000_000_000


def moment(name: str, text: str | None) -> str | None:
    """Return an RFC 3339 time; None for None.

    Raises:
        ToolError: it is none of what `TIME` names.
    """
    if not text:
        return None
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return format_rfc3339(time.time_ns() - int(ago[1]) * _SECONDS[ago[2]] * _NS)
        return format_rfc3339(parse_rfc3339(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text))
    except (ValueError, OverflowError, OSError):
        raise ToolError(f"{name} is not a time: {text[:60]!r}. It is {TIME}") from None
