"""Reading price files: the checks every table of one shares, each with the place it failed at in its message."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from watchkeeper.kit.errors import ConfigError

__all__ = ["FOREVER", "check_keys", "currency", "day", "days", "decimal", "ns", "read", "tables"]

FOREVER = 2**63 - 1
"""The end, in ns, of what has no end."""

_NS = 1_000_000_000


def read(path: Path, known: set[str]) -> dict[str, Any]:
    """Read a TOML file of tables named in `known`.

    Raises:
        ConfigError: the file is missing or wrong; the message says where.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the price file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the price file {path} is not TOML: {error}") from None
    check_keys(told, known, str(path))
    return told


def tables(told: dict[str, Any], name: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the [[name]] tables, each with the place it stands at."""
    found = told.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ConfigError(f"{path}: {name} is not a list of tables", hint=f"write [[{name}]]")
    return [(f"{path}: {name} {number}", one) for number, one in enumerate(found, start=1)]


def check_keys(told: dict[str, Any], known: set[str], where: str) -> None:
    """Refuse a key that is not known."""
    unknown = sorted(set(told) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}", hint=f"known: {', '.join(sorted(known))}")


def decimal(value: object, where: str) -> Decimal:
    """Return a price: decimal text, finite and not negative."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found < 0:
        raise ConfigError(f"{where} is {value!r}, not a price", hint='decimal text such as "0.15"')
    return found


def currency(value: object, where: str) -> str:
    """Return a currency's code: three letters, upper-case."""
    found = str(value).strip().upper()
    if len(found) != 3 or not found.isascii() or not found.isalpha():  # noqa: PLR2004 - ISO 4217
        raise ConfigError(f"{where} is {value!r}, not a currency", hint="three letters such as EUR")
    return found


def day(value: object, where: str) -> date:
    """Return a TOML day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ConfigError(f"{where} is {value!r}, not a day", hint="for example from = 2026-01-01")


def days(told: dict[str, Any], where: str) -> tuple[date, int, int]:
    """Return the first day, and the time the table holds in: since inclusive, until exclusive, ns."""
    since = day(told.get("from"), f"{where}: from")
    until = day(told["until"], f"{where}: until") if "until" in told else None
    if until is not None and until <= since:
        raise ConfigError(f"{where}: it ends on {until}, not after it begins on {since}")
    return since, ns(since), FOREVER if until is None else ns(until)


def ns(value: date) -> int:
    """Return the day's first moment in ns, UTC."""
    return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()) * _NS
