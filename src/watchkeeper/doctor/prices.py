"""WKD8xx: are prices and exchange rates of a day that still tells the truth?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing import Pricer
from watchkeeper.pricing.exchange import IMPORTED, MOST_DAYS
from watchkeeper.pricing.second import second_table

__all__ = ["OLD_DAYS", "RULES", "check"]

OLD_DAYS = 120
"""Days after which the price tables are called old: providers change list prices a few times a year."""

FRESH = Rule("WKD800", "ok", "prices", f"The price tables are at most {OLD_DAYS} days old.")
OLD = Rule(
    "WKD801", "warn", "prices", f"The price tables are more than {OLD_DAYS} days old: new models are unpriced, changed "
    "prices wrong.", "pip install --upgrade watchkeeper genai-prices, or name your own prices with WATCHKEEPER_PRICES",
)  # fmt: skip
OWN_WRONG = Rule(
    "WKD802", "fail", "prices", "Your own price file cannot be read, and the server would not start with it.",
    "correct the line named", "config",
)  # fmt: skip
RATES_FRESH = Rule("WKD810", "ok", "exchange rates", f"The exchange rates are at most {MOST_DAYS} days old.")
RATES_OLD = Rule(
    "WKD811", "warn", "exchange rates",
    f"The exchange rates are more than {MOST_DAYS} days old: prices in other currencies have no dollars.",
    "pip install --upgrade watchkeeper",
)  # fmt: skip
RULES = (FRESH, OLD, OWN_WRONG, RATES_FRESH, RATES_OLD)


def check(scene: Scene) -> Iterator[Finding]:
    """Compare the tables' days with today, and read your own price file."""
    today = datetime.fromtimestamp(scene.now(), UTC).date()
    table = second_table()
    age = (today - date.fromisoformat(table.taken)).days
    yield (OLD if age > OLD_DAYS else FRESH).found(f"{table.name}, taken {table.taken}", f"{max(0, age)} days old")
    try:
        pricer = Pricer(scene.server.prices, scene.folder / IMPORTED)
        days = [one.last for one in pricer.exchange.tables if one.last]
    except ConfigError as error:
        yield OWN_WRONG.found(scene.server.prices or scene.folder / IMPORTED, error.message)
        return
    last = max(days)
    age = (today - date.fromisoformat(last)).days
    yield (RATES_OLD if age > MOST_DAYS else RATES_FRESH).found(f"rates to {last}", f"{max(0, age)} days old")
