"""From TOML text to a `Manifest`; what is wrong is said with its line, and with the key that was probably meant.

::

    currency = "EUR"                     # that amounts are shown in

    [capture]                            # for every service that does not say otherwise
    content   = "masked"                 # full | masked | off
    retention = "90d"

    [services.support-bot.capture]
    content   = "off"
    retention = "30d"

Keys that belong to features of other releases are known, accepted and named in `Manifest.unused`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from watchkeeper.kit.errors import ConfigError
from watchkeeper.manifest.lines import line_of
from watchkeeper.manifest.policy import Manifest, ServicePolicy, content_mode, currency_code, retention_days

__all__ = ["load", "loads"]

Keys: TypeAlias = tuple[str, ...]

_USED_TOP = {"capture", "services", "currency"}
_LATER_TOP = {"workspace"}
_USED_SERVICE = {"capture"}
_LATER_SERVICE = {"owner", "models", "residency", "objectives", "budget", "guard"}
_CAPTURE = {"content", "retention"}


def load(path: Path, default: ServicePolicy | None = None) -> Manifest:
    """Read a manifest file. `default` holds where the file says nothing.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or says something we do not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot read the manifest {path}: {error.strerror}", hint="--manifest or WATCHKEEPER_MANIFEST names it"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"the manifest {path} is not UTF-8 text", hint="save it as UTF-8") from None
    return loads(text, str(path), default)


def loads(text: str, name: str = "watchkeeper.toml", default: ServicePolicy | None = None) -> Manifest:
    """Read a manifest from text; `name` stands for it in messages.

    Raises:
        ConfigError: as `load`.
    """
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the parser's own, and Python's on a number of over 4,300 digits
        raise ConfigError(f"the manifest {name} is not TOML: {error}") from None
    return _Reader(text, name).manifest(told, default or ServicePolicy())


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name

    def manifest(self, told: dict[str, Any], given: ServicePolicy) -> Manifest:
        self._check(told, _USED_TOP | _LATER_TOP, ())
        default = self._policy(told, (), given)
        services: dict[str, ServicePolicy] = {}
        unused = [key for key in told if key in _LATER_TOP]
        for service, inner in self._table(told, "services", ()).items():
            keys = ("services", service)
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"{self._at(keys)} is not a table", hint=f"write [services.{service}] and its keys below"
                )
            self._check(inner, _USED_SERVICE | _LATER_SERVICE, keys)
            services[service] = self._policy(inner, keys, default)
            unused += [".".join((*keys, key)) for key in inner if key in _LATER_SERVICE]
        currency = currency_code(told["currency"], self._at(("currency",))) if "currency" in told else None
        return Manifest(MappingProxyType(services), default, tuple(unused), currency)

    def _policy(self, told: dict[str, Any], keys: Keys, base: ServicePolicy) -> ServicePolicy:
        capture = self._table(told, "capture", keys)
        inside = (*keys, "capture")
        self._check(capture, _CAPTURE, inside)
        content, days = base.content, base.retention_days
        if "content" in capture:
            content = content_mode(capture["content"], self._at((*inside, "content")))
        if "retention" in capture:
            days = retention_days(capture["retention"], self._at((*inside, "retention")))
        return ServicePolicy(content, days)

    def _table(self, told: dict[str, Any], key: str, keys: Keys) -> dict[str, Any]:
        found = told.get(key, {})
        if not isinstance(found, dict):
            path = (*keys, key)
            raise ConfigError(f"{self._at(path)} is not a table", hint=f"write [{'.'.join(path)}] and its keys below")
        return found

    def _check(self, told: Iterable[str], known: set[str], keys: Keys) -> None:
        for key in told:
            if key in known:
                continue
            near = get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
            raise ConfigError(f"{self._at((*keys, key))} is not a key we know", hint=hint)

    def _at(self, keys: Keys) -> str:
        return f"{self._name}, line {line_of(self._text, keys)}: {'.'.join(keys)}"
