"""WKD2xx: do the clocks agree? Spans are placed by the clock of the machine that made them."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import Answer
from watchkeeper.doctor.scene import Scene
from watchkeeper.pricing.second import second_table

__all__ = ["RULES", "check"]

NOTICEABLE, WRONG = 2.0, 60.0
_SYNC = "timedatectl set-ntp true"

AGREE = Rule("WKD200", "ok", "server's clock", "Server and client agree to 2 seconds.")
APART = Rule(
    "WKD201", "warn", "server's clock", "Server and client are 2 to 60 seconds apart: spans of several machines mix up.",
    _SYNC,
)  # fmt: skip
FAR_APART = Rule(
    "WKD202", "fail", "server's clock",
    "Server and client are more than a minute apart: new spans fall out of the dashboard's window.", _SYNC,
)  # fmt: skip
SYNCHRONISED = Rule("WKD210", "ok", "system clock", "The kernel says that the clock is kept by NTP.")
ALONE = Rule(
    "WKD211", "warn", "system clock", "The kernel says that nothing keeps this machine's clock (no NTP).", _SYNC
)
PAST = Rule(
    "WKD212", "fail", "system clock", "The clock is before the day this release's prices were taken: it is wrong.",
    "sudo date --set 'YYYY-MM-DD hh:mm', then " + _SYNC,
)  # fmt: skip
RULES = (AGREE, APART, FAR_APART, SYNCHRONISED, ALONE, PAST)

_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def check(scene: Scene) -> Iterator[Finding]:
    """Compare the server's `Date` with our clock, and ask the kernel about the latter."""
    if scene.health is not None:
        seconds = skew(scene.health)
        if seconds is not None:
            yield _judged(scene.client.base, seconds)
    taken = date.fromisoformat(second_table().taken)
    today = datetime.fromtimestamp(scene.now(), UTC).date()
    if today < taken:
        yield PAST.found("system clock", f"it says {today}, this release is of {taken} or later")
    else:
        kept = kernel_is_synchronised()
        if kept is not None:
            yield SYNCHRONISED.found("system clock", "kept by NTP") if kept else ALONE.found("system clock")


def skew(answer: Answer) -> float | None:
    """Return the seconds by which the server's clock is ahead, as near to 0 as its `Date` allows; None without one.

    A `Date` names a second that has begun, and was written between the sending and the receiving.
    """
    try:
        told = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return None
    least, most = told - answer.received, told + 1.0 - answer.sent
    return 0.0 if least <= 0.0 <= most else least if least > 0.0 else most


def kernel_is_synchronised() -> bool | None:
    """Ask adjtimex(2), which anyone may read; None where there is no such call."""
    if not sys.platform.startswith("linux"):
        return None
    state = ctypes.create_string_buffer(1024)  # struct timex, zeroed: modes 0 reads
    try:
        told = ctypes.CDLL(None).adjtimex(state)
    except (OSError, AttributeError):
        return None
    return None if told < 0 else bool(told != _UNSYNCHRONISED)


def _judged(where: str, seconds: float) -> Finding:
    size = abs(seconds)
    if size < NOTICEABLE:
        return AGREE.found(where, "the clocks agree")
    rule = APART if size < WRONG else FAR_APART
    return rule.found(where, f"the server is {size:,.0f} s {'ahead' if seconds > 0 else 'behind'}")
