"""Surcharges for where a call is processed: a dated table, decided by the endpoint's host or region on the span.

::

    [[uplift]]
    name     = "eu_processing"          # its line in the cost's detail is `uplift:eu_processing`
    provider = "openai"                 # globs, matched in lower case; models is a list of them
    host     = "eu.api.openai.com"      # over the endpoint's host; or region, over the endpoint's region
    models   = ["gpt-5.4*"]
    percent  = "10"
    from     = 2026-03-05
    until    = 2027-01-01               # left out while it holds
    source   = "https://..."

An uplift needs a host or a region to match: where a span names neither, none is applied. Ours raise table prices
only, never a price of your own; yours raise both, and the last one of a name that matches wins.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing import toml

__all__ = ["PACKAGED_UPLIFTS", "Uplift", "load_uplifts", "matching", "read_uplifts"]

PACKAGED_UPLIFTS = Path(__file__).with_name("uplifts.toml")
_KNOWN = {"name", "provider", "host", "region", "models", "percent", "from", "until", "source", "conditions"}
_THOUSAND = 1_000


class Uplift(msgspec.Struct, frozen=True, kw_only=True):
    """One surcharge; `permille` is tenths of a percent, `since` inclusive and `until` exclusive, ns."""

    name: str
    provider: str
    models: tuple[str, ...]
    host: str | None
    region: str | None
    permille: int
    since: int
    until: int
    source: str

    def holds(self, provider: str, model: str, host: str | None, region: str | None, time_ns: int) -> bool:
        """Say whether it is charged for that call."""
        return (
            self.since <= time_ns < self.until
            and fnmatchcase(provider, self.provider)
            and any(fnmatchcase(model, one) for one in self.models)
            and (self.host is None or (host is not None and fnmatchcase(host, self.host)))
            and (self.region is None or (region is not None and fnmatchcase(region, self.region)))
        )


def matching(
    uplifts: tuple[Uplift, ...], provider: str, model: str, host: str | None, region: str | None, time_ns: int
) -> tuple[Uplift, ...]:
    """Return what is charged for that call, the last one of each name."""
    low_host, low_region = (one.lower() if one else None for one in (host, region))
    found = {
        one.name: one for one in uplifts if one.holds(provider.lower(), model.lower(), low_host, low_region, time_ns)
    }
    return tuple(found.values())


def load_uplifts() -> tuple[Uplift, ...]:
    """Read the packaged table."""
    return read_uplifts(toml.read(PACKAGED_UPLIFTS, {"uplift"}), PACKAGED_UPLIFTS)


def read_uplifts(told: dict[str, Any], path: Path) -> tuple[Uplift, ...]:
    """Read the [[uplift]] tables of a price file.

    Raises:
        ConfigError: one is wrong; the message says which.
    """
    return tuple(_uplift(one, where) for where, one in toml.tables(told, "uplift", path))


def _uplift(told: dict[str, Any], where: str) -> Uplift:
    toml.check_keys(told, _KNOWN, where)
    if not (told.get("host") or told.get("region")):
        raise ConfigError(f"{where}: give a host or a region", hint="an uplift is never applied without one")
    models = told.get("models", ["*"])
    if not isinstance(models, list) or not models or not all(isinstance(one, str) for one in models):
        raise ConfigError(f"{where}: models is not a list of names", hint='for example models = ["gpt-5.4*"]')
    permille = toml.decimal(told.get("percent"), f"{where}: percent") * 10
    if permille != permille.to_integral_value():
        raise ConfigError(f"{where}: percent has more than one decimal")
    _, since, until = toml.days(told, where)
    return Uplift(
        name=str(told.get("name", "region")),
        provider=str(told.get("provider", "*")).lower(),
        models=tuple(one.lower() for one in models),
        host=str(told["host"]).lower() if told.get("host") else None,
        region=str(told["region"]).lower() if told.get("region") else None,
        permille=int(permille),
        since=since,
        until=until,
        source=str(told.get("source", "your price file")),
    )
