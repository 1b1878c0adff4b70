"""(usage, provider, model, endpoint, time) to money, with the price's source, date and confidence beside it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from watchkeeper.kit.errors import ConfigError
from watchkeeper.model import MODEL_KINDS, Cost, Span, Usage
from watchkeeper.pricing import catalogue
from watchkeeper.pricing.exchange import Exchange
from watchkeeper.pricing.onprem import Pool, Pools
from watchkeeper.pricing.overrides import PACKAGED, Overrides, load
from watchkeeper.pricing.plan import Plan, Planner
from watchkeeper.pricing.second import second_table
from watchkeeper.pricing.uplifts import load_uplifts

__all__ = ["Pricer"]

_log = logging.getLogger("watchkeeper.pricing")
_EVERY_SECONDS = 1.0
_HOUR = 3600 * 1_000_000_000
_REMEMBERED = 8_192
_Key: TypeAlias = tuple[str | None, str | None, str | None, int, str | None, str | None, str | None]
_NO_MODEL = Cost(state="unpriced", reason="the span names no model")
_NO_TOKENS = Cost(state="unpriced", reason="the span reports no tokens")


class Pricer:
    """Prices model calls: your dated overrides first, then the packaged tables.

    A changed file is read again within a second; one that became wrong leaves the last good prices in force.
    Every method may be called from any thread.

    Args:
        overrides: a TOML file of your own prices (see `pricing.overrides`).
        exchange_rates: an imported file of exchange rates; it need not exist.
        monotonic: seconds on a clock that never goes back.

    Raises:
        ConfigError: the file is missing or wrong.
    """

    def __init__(
        self,
        overrides: Path | None = None,
        exchange_rates: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = overrides
        self._rates_path = exchange_rates
        self._plans: dict[_Key, Plan | Cost] = {}
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._error: str | None = None
        self._stamp = self._stamps()
        self.reload()
        self._next = monotonic() + _EVERY_SECONDS

    @property
    def error(self) -> str | None:
        """Return why a file as it is now is not in force, None while it is."""
        return self._error

    def reload(self) -> None:
        """Read the files anew; what was remembered is forgotten.

        Raises:
            ConfigError: a file is wrong; the prices stay as they were.
        """
        own = load(self._path) if self._path is not None else Overrides()
        exchange = Exchange(own.quotes, self._rates_path)
        self._entries = len(own.entries)
        self._planner = Planner(own, load(PACKAGED), load_uplifts(), exchange)
        self.exchange = exchange
        self.pools = Pools(own.pools)
        self._plans = {}
        self._error = None

    def refresh(self) -> None:
        """Read the files anew where they changed; at most once a second does this ask the disk."""
        if self._monotonic() < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            self._next = self._monotonic() + _EVERY_SECONDS
            stamp = self._stamps()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self.reload()
            _log.info("the prices were read again")
        except ConfigError as error:
            self._error = error.message if error.hint is None else f"{error.message} ({error.hint})"
            _log.error("the prices changed and cannot be used; the last good ones hold: %s", self._error)
        finally:
            self._lock.release()

    def price(self, span: Span) -> Span:
        """Return the span with its cost; spans that are no model call, and provided costs, stay as they are."""
        if span.kind not in MODEL_KINDS or span.cost is not None:
            return span
        return msgspec.structs.replace(span, cost=self.cost_of(span))

    def cost_of(self, span: Span) -> Cost:
        """Return what a model call costs by the tables, whatever cost the span carries."""
        self.refresh()
        tier = span.parameters.get("service_tier") if span.parameters else None
        key = (
            span.provider, span.response_model, span.request_model, span.start_time // _HOUR,
            tier if type(tier) is str else None, span.endpoint_host, span.region,
        )  # fmt: skip
        return self._cost(key, span.usage)

    def pool_of(self, span: Span) -> Pool | None:
        """Return the pool of your own that a call runs on, None where it is priced by its tokens."""
        pools = self.pools
        if not pools:
            return None
        models = tuple(name for name in (span.response_model, span.request_model) if name)
        return pools.find(span.provider, models, span.endpoint_host, span.start_time) if models else None

    def cost(
        self, provider: str | None, models: tuple[str, ...], usage: Usage, time_ns: int, tier: str | None = None
    ) -> Cost:
        """Price a usage by the first of at most two models that has a price; `tier` is the provider's service tier."""
        first, second = (*models, None, None)[:2]
        return self._cost((provider, first, second, time_ns // _HOUR, tier, None, None), usage)

    def plan(
        self, provider: str | None, model: str, time_ns: int, *, host: str | None = None, region: str | None = None
    ) -> Plan | None:
        """Return how a call of that model is priced, for people to look at; None where no price is known."""
        found = self._resolve((provider, model, None, time_ns // _HOUR, None, host, region))
        return found if isinstance(found, Plan) else None

    def describe(self) -> dict[str, Any]:
        """Say where prices come from, and of what day."""
        second = second_table()
        return {
            "table": catalogue.SOURCE,
            "table_version": catalogue.catalogue_version(),
            "second_table": second.source,
            "second_table_version": second.version,
            "second_table_taken": second.taken,
            "overrides": str(self._path) if self._path else None,
            "override_entries": self._entries,
            "on_premises": [one.name for one in self.pools.at(time.time_ns())],
            "error": self._error,
            "exchange_rates_imported": self._rates_path is not None and self._rates_path.is_file(),
        }

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._path, self._rates_path))

    def _cost(self, key: _Key, usage: Usage) -> Cost:
        found = self._plans.get(key)
        if found is None:
            found = self._resolve(key)
        if type(found) is Cost:
            return found
        if usage.input_tokens is None and usage.output_tokens is None:
            return _NO_TOKENS
        return found.cost(usage)  # type: ignore[union-attr]  # the other of the two

    def _resolve(self, key: _Key) -> Plan | Cost:
        provider, first, second, hour, tier, host, region = key
        models = tuple(dict.fromkeys(name for name in (first, second) if name))
        found = self._planner.plan(provider, models, hour * _HOUR, tier, host, region) if models else _NO_MODEL
        if len(self._plans) >= _REMEMBERED:
            self._plans = {}  # a new dict: other threads may be reading the old one
        self._plans[key] = found
        return found


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
