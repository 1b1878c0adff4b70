"""What a manifest says about a service: how much of its content is kept, and for how long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from watchkeeper.kit.errors import ConfigError

__all__ = [
    "CONTENT_MODES", "RETENTION_HINT", "ContentMode", "Manifest", "ServicePolicy", "content_mode", "currency_code",
    "default_policy", "retention_days",
]  # fmt: skip

ContentMode: TypeAlias = Literal["full", "masked", "off"]
CONTENT_MODES: Final[tuple[ContentMode, ...]] = get_args(ContentMode)
RETENTION_HINT: Final = 'whole days or weeks such as "30d" or "4w", or "none" to keep'

_RETENTION = re.compile(r"([1-9][0-9]{0,4})([dw])")
_CURRENCY = re.compile("[A-Z]{3}")
_DAYS = {"d": 1, "w": 7}


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """How a service's content is captured, and after how many days it is deleted (None: never)."""

    content: ContentMode = "masked"
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole file, read. `currency` is what amounts are shown in, where it says one.

    `unused` names keys that are known and not acted upon by this release.
    """

    services: Mapping[str, ServicePolicy] = field(default_factory=lambda: MappingProxyType({}))
    default: ServicePolicy = ServicePolicy()
    unused: tuple[str, ...] = ()
    currency: str | None = None

    def policy(self, service: str) -> ServicePolicy:
        """Return the policy of a service by its exact `service.name`; the default for one the file does not name."""
        return self.services.get(service, self.default)


def default_policy(content: str = "masked", retention: str | None = None) -> ServicePolicy:
    """Build the policy that holds where no manifest says otherwise, from the two settings.

    Raises:
        ConfigError: one of them is not a value we know.
    """
    return ServicePolicy(
        content_mode(content, "WATCHKEEPER_CAPTURE"), retention_days(retention or "none", "WATCHKEEPER_RETENTION")
    )


def content_mode(value: object, where: str) -> ContentMode:
    """Check a content mode.

    Raises:
        ConfigError: it is none; the message begins with `where`.
    """
    for mode in CONTENT_MODES:
        if value == mode:
            return mode
    raise ConfigError(f"{where} is {value!r}, not a capture mode", hint=", ".join(CONTENT_MODES))


def currency_code(value: object, where: str) -> str:
    """Check a currency: three letters, ISO 4217.

    Raises:
        ConfigError: it is none; the message begins with `where`.
    """
    if isinstance(value, str) and _CURRENCY.fullmatch(value):
        return value
    raise ConfigError(f"{where} is {value!r}, not a currency", hint="three capital letters such as EUR")


def retention_days(value: object, where: str) -> int | None:
    """Turn a retention text into days; None for "none", which keeps everything.

    Raises:
        ConfigError: it is no retention; the message begins with `where`.
    """
    if value == "none":
        return None
    found = _RETENTION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigError(f"{where} is {value!r}, not a retention", hint=RETENTION_HINT)
    return int(found[1]) * _DAYS[found[2]]
