"""What a source gives: pages of spans as OTLP/JSON and of scores, and where it stands after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

__all__ = ["OtlpSpan", "Page", "Skipped", "Source", "Tree", "Unit", "Window"]

Tree: TypeAlias = dict[str, Any]
"""A JSON object."""

Unit: TypeAlias = Literal["bytes", "spans", "traces"]
"""What a source counts its progress in."""


class OtlpSpan(NamedTuple):
    """A span with its resource and scope, each as OTLP/JSON has it."""

    resource: Tree
    scope: Tree
    span: Tree

    @property
    def trace_id(self) -> str:
        """Return the trace's id as it is written there; "" where there is none."""
        found = self.span.get("traceId") or self.span.get("trace_id")
        return found.lower() if isinstance(found, str) else ""


@dataclass(slots=True)
class Skipped:
    """What was left out, for one reason, and where that was first."""

    count: int = 0
    first: str = ""


@dataclass(slots=True)
class Page:
    """A piece of history.

    Attributes:
        spans: to send.
        scores: bodies of `POST /api/v1/scores`, each with an id that is the same every time.
        logs: OTLP/JSON `resourceLogs` groups.
        skipped: what cannot be taken, by reason.
        cursor: any JSON; the source goes on after this page when it is given it.
        done: how far it has come, in the source's unit.
        total: of how many, None where nobody knows.
        whole: no later page has spans of this page's traces.
        refused_spans, refused_scores: how many of them the server would not store; they are among `skipped` too.
    """

    spans: list[OtlpSpan] = field(default_factory=list)
    scores: list[Tree] = field(default_factory=list)
    logs: list[Tree] = field(default_factory=list)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    cursor: Any = None
    done: int = 0
    total: int | None = None
    whole: bool = False
    refused_spans: int = 0
    refused_scores: int = 0

    def skip(self, reason: str, where: str, count: int = 1) -> None:
        """Count what is left out."""
        told = self.skipped.setdefault(reason, Skipped(first=where))
        told.count += count


@dataclass(frozen=True, slots=True)
class Window:
    """What is wanted: times in ns since the epoch (until is not included), and at most so many traces."""

    since: int | None = None
    until: int | None = None
    limit: int | None = None

    def holds(self, time: int) -> bool:
        """Say whether a start time is wanted."""
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


class Source(Protocol):
    """A place history comes from."""

    name: str
    unit: Unit

    def pages(self, cursor: Any) -> Iterator[Page]:  # noqa: ANN401 - whatever JSON the source gave
        """Yield the pages after a cursor, all of them where it is None.

        Raises:
            WatchkeeperError: the source cannot be read; what, where, and how to mend it.
        """
        ...
