"""What is worked out anew of stored spans: costs and mappings, and what makes a span another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from watchkeeper.model import Cost, Span
from watchkeeper.store import codec

__all__ = ["CostChange", "MapAnew", "Remapped", "Tally", "differing"]

MapAnew: TypeAlias = Callable[[Span], Span]
"""A stored span, with only its own facts, to the same span mapped and priced anew. Pure; MUST NOT raise."""

_KEPT = frozenset({"project", "trace_id", "span_id", "raw", "received_at", "mapper", "duplicate_of"})
_DERIVED = tuple(name for name in Span.__struct_fields__ if name not in _KEPT)


class CostChange(msgspec.Struct, frozen=True, kw_only=True):
    """A span's cost as it was read, and what it is to be; `start_time` is the span's, ns."""

    trace_id: str
    span_id: str
    start_time: int
    before: Cost | None
    after: Cost


class Remapped(msgspec.Struct, frozen=True, kw_only=True):
    """What mapping a page of spans anew found; costs are sums over the page, nano-USD.

    `changed` of `spans` are read otherwise now, `fields` counts them by field; `missed` were stored anew, or deleted,
    meanwhile. `reached` is the start of the last one, ns.
    """

    spans: int = 0
    changed: int = 0
    missed: int = 0
    fields: dict[str, int] = {}
    before_nano_usd: int = 0
    after_nano_usd: int = 0
    reached: int | None = None
    next_cursor: str | None = None


@dataclass(slots=True)
class Tally:
    """Counts what mapping anew finds."""

    spans: int = 0
    changed: int = 0
    missed: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    before: int = 0
    after: int = 0
    reached: int | None = None

    def add(self, before: Span, after: Span, names: tuple[str, ...]) -> None:
        """Count a span; `names` are the fields in which it differs."""
        self.spans += 1
        self.changed += bool(names)
        for name in names:
            self.fields[name] = self.fields.get(name, 0) + 1
        self.before += _dollars(before)
        self.after += _dollars(after)
        self.reached = before.start_time

    def miss(self, *, changed: bool) -> None:
        """Count a span that was added as one that could not be replaced."""
        self.missed += 1
        self.changed -= changed

    def report(self, next_cursor: str | None) -> Remapped:
        """Return what was counted."""
        return Remapped(
            spans=self.spans, changed=self.changed, missed=self.missed, fields=dict(sorted(self.fields.items())),
            before_nano_usd=self.before, after_nano_usd=self.after, reached=self.reached, next_cursor=next_cursor,
        )  # fmt: skip


def differing(before: Span, after: Span) -> tuple[str, ...]:
    """Return the fields that are stored otherwise, of those that are derived from what is raw."""
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in _DERIVED)
    return tuple(name for name, one, other in pairs if one != other and _stored(one) != _stored(other))


def _stored(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return a value as a column holds it: texts without lone surrogates, lists and maps as JSON."""
    if isinstance(value, str):
        return codec.clean_text(value)
    return None if value is None else codec.encode_json(value)


def _dollars(span: Span) -> int:
    return span.cost.nano_usd or 0 if span.cost is not None else 0
