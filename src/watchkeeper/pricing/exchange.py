"""Dated exchange rates: yours, then a file you imported, then the European Central Bank's reference rates we ship.

`eurofxref.csv.gz` holds the ECB's daily reference rates in the bank's own form (units of a currency for one euro),
from 2024-01-02 to the day the snapshot ends. Source: European Central Bank, https://www.ecb.europa.eu/stats/eurofxref/.
They are published on working days; a day without one has the last one before it, up to `MOST_DAYS` back. Beyond
that there is no rate: an amount stays in its own currency and has no dollars, and says so.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from bisect import bisect_right
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing.rates import half_even

__all__ = [
    "IMPORTED",
    "MOST_DAYS",
    "PACKAGED_RATES",
    "Dollars",
    "Exchange",
    "Quote",
    "RateTable",
    "import_table",
    "read_table",
]

PACKAGED_RATES = Path(__file__).with_name("eurofxref.csv.gz")
IMPORTED = "eurofxref.csv"
"""The name of an imported file in the data folder."""

MOST_DAYS = 92
"""How old a reference rate may be to be used."""

_MILLION = 1_000_000
_DAY_NS = 24 * 3600 * 1_000_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_MOST = 2**63 - 1
_FORMS = ("%Y-%m-%d", "%d %B %Y")


class Quote(msgspec.Struct, frozen=True):
    """US dollars for one unit of a currency, in millionths, from a time on; `day` is that day as text."""

    currency: str
    since: int
    usd_millionths: int
    day: str


class Dollars(msgspec.Struct, frozen=True):
    """How one unit of a currency turns into dollars: multiply, divide, and when and by whom it was said."""

    multiply: int
    divide: int
    day: str
    source: str

    def of(self, nano: int) -> int | None:
        """Return nano-USD, rounded half-even; None where it has more than 64 bits."""
        found = half_even(nano * self.multiply, self.divide)
        return found if found <= _MOST else None

    def into(self, nano_usd: int) -> int:
        """Return nano-units of the currency for nano-USD, rounded half-even."""
        return half_even(nano_usd * self.divide, self.multiply)


class RateTable:
    """Reference rates by day, in units of a currency for one euro, times a million."""

    def __init__(self, days: list[int], columns: dict[str, list[int | None]], source: str) -> None:
        self.days = days
        self.columns = columns
        self.source = source

    @property
    def first(self) -> str:
        """Return the first day, empty where there is none."""
        return date.fromordinal(self.days[0]).isoformat() if self.days else ""

    @property
    def last(self) -> str:
        """Return the last day."""
        return date.fromordinal(self.days[-1]).isoformat() if self.days else ""

    def dollars(self, currency: str, ordinal: int) -> Dollars | None:
        """Return the last rate at or before a day (as an ordinal), not older than MOST_DAYS."""
        usd, other = self.columns.get("USD"), self.columns.get(currency)
        if usd is None or (other is None and currency != "EUR"):
            return None
        for at in range(bisect_right(self.days, ordinal) - 1, -1, -1):
            if ordinal - self.days[at] > MOST_DAYS:
                return None
            top, bottom = usd[at], _MILLION if other is None else other[at]
            if top and bottom:
                return Dollars(top, bottom, date.fromordinal(self.days[at]).isoformat(), self.source)
        return None


class Exchange:
    """Finds the rate of a day. The shipped table is read when a currency that is not the dollar first asks for it.

    Args:
        quotes: your own dated rates; the latest one wins from its day on.
        imported: a file in the ECB's form that stands before the shipped one; it need not exist.
    """

    def __init__(self, quotes: tuple[Quote, ...] = (), imported: Path | None = None) -> None:
        self._quotes = quotes
        self._imported = imported
        self._tables: tuple[RateTable, ...] | None = None

    @property
    def tables(self) -> tuple[RateTable, ...]:
        """Return the tables, the first that knows a day winning."""
        if self._tables is None:
            own = (self._imported,) if self._imported is not None and self._imported.is_file() else ()
            self._tables = tuple(read_table(path) for path in (*own, PACKAGED_RATES))
        return self._tables

    def dollars(self, currency: str, time_ns: int) -> Dollars | None:
        """Return how a unit of the currency turns into dollars on the day of that time, None where nobody says."""
        if currency == "USD":
            return Dollars(1, 1, "", "")
        own = [one for one in self._quotes if one.currency == currency and one.since <= time_ns]
        if own:
            best = max(own, key=lambda one: one.since)
            return Dollars(best.usd_millionths, _MILLION, best.day, "your price file")
        ordinal = time_ns // _DAY_NS + _EPOCH
        known = [found for table in self.tables if (found := table.dollars(currency, ordinal)) is not None]
        return max(known, key=lambda one: one.day, default=None)


def read_table(path: Path) -> RateTable:
    """Read a file in the ECB's form: CSV, or the zip or gzip of one; the daily and the historic file both.

    Raises:
        ConfigError: it cannot be read, or is of another form; the message names the line.
    """
    try:
        rows = list(csv.reader(io.StringIO(_text(path))))
    except (OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read the exchange rates {path}: {error}") from None
    head = [name.strip().upper() for name in rows[0]] if rows else []
    if len(head) < 2 or head[0] != "DATE" or "USD" not in head:  # noqa: PLR2004 - a day and a currency
        raise ConfigError(
            f"{path} is not in the ECB's form: its first line is not Date,USD,...",
            hint="take eurofxref-hist.zip or eurofxref.zip from the ECB",
        )
    by_day = {
        _day(row[0], f"{path}: line {number}"): [_value(cell, f"{path}: line {number}") for cell in row]
        for number, row in enumerate(rows[1:], start=2)
        if row and row[0].strip()
    }
    days = sorted(by_day)
    columns = {
        name: [by_day[one][at] if at < len(by_day[one]) else None for one in days]
        for at, name in enumerate(head)
        if at and name
    }
    return RateTable(days, columns, "ECB")


def import_table(source: Path, target: Path) -> RateTable:
    """Check a file of exchange rates and put it where a server reads it, whole or not at all.

    Raises:
        ConfigError: it is not in the ECB's form, or cannot be written.
    """
    table = read_table(source)
    if not table.days:
        raise ConfigError(f"{source} has no day in it", hint="take eurofxref-hist.zip or eurofxref.zip from the ECB")
    beside = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(_text(source), encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        raise ConfigError(f"cannot write the exchange rates to {target}: {error.strerror}") from None
    return table


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            data = inner.read(inner.namelist()[0])
    elif data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    return data.decode("utf-8-sig")


def _day(text: str, where: str) -> int:
    for form in _FORMS:
        try:
            return datetime.strptime(text.strip(), form).date().toordinal()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ConfigError(f"{where}: {text!r} is not a day")


def _value(text: str, where: str) -> int | None:
    bare = text.strip()
    if not bare or bare == "N/A" or bare[0].isalpha() or "-" in bare or " " in bare:
        return None  # the first cell is the day itself; N/A is a currency that is no more
    try:
        found = Decimal(bare)
    except InvalidOperation:
        raise ConfigError(f"{where}: {bare!r} is not a rate") from None
    return int((found * _MILLION).to_integral_value()) or None
