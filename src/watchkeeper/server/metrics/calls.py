"""Model calls, counted once each when they are first stored, by project, service, provider, model and operation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from watchkeeper.server.figures import Figures
from watchkeeper.server.metrics.exposition import Exemplar, Page
from watchkeeper.server.metrics.labels import OTHER, LabelCaps, clean, pairs

__all__ = ["DURATION_BOUNDS", "FIRST_TOKEN_BOUNDS", "Calls", "Series", "bound_texts", "write_calls"]

NS = 1_000_000_000

DURATION_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds. From an embedding to an agent's long answer; the usual thresholds of objectives are among them."""

FIRST_TOKEN_BOUNDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0)
"""Seconds."""

_NAMES = ("project", "service", "provider", "model", "operation")
_TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")
_MOST_SETS = 1_000
_MOST_SETS_A_PROJECT = 300
_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 1_000
_STATUSES = ("ok", "error")

Key = tuple[str, str, str | None, str | None, str | None]


def bound_texts(bounds: Sequence[float]) -> tuple[str, ...]:
    """Write bounds as OpenMetrics does (`1.0`, never `1`), `+Inf` last."""
    return (*(repr(float(one)) for one in bounds), "+Inf")


class Spread:
    """One histogram: counts by bucket, their sum in ns, and the last trace in each bucket."""

    __slots__ = ("bounds_ns", "counts", "exemplars", "total_ns")

    def __init__(self, bounds_ns: tuple[int, ...]) -> None:
        self.bounds_ns = bounds_ns
        self.counts = [0] * (len(bounds_ns) + 1)
        self.exemplars: list[Exemplar | None] = [None] * (len(bounds_ns) + 1)
        self.total_ns = 0

    def add(self, value_ns: int, span: Figures) -> None:
        """Count a value, and keep the span as the bucket's exemplar."""
        place = bisect_left(self.bounds_ns, value_ns)
        self.counts[place] += 1
        self.total_ns += value_ns
        # Stamped with the receipt, which only grows: Prometheus refuses exemplars older than the last one.
        self.exemplars[place] = Exemplar(span.trace_id, span.span_id, value_ns / NS, span.received_at / NS)

    def copy(self) -> Spread:
        """Return it as it is now."""
        made = Spread(self.bounds_ns)
        made.total_ns = self.total_ns
        made.counts, made.exemplars = self.counts[:], self.exemplars[:]
        return made

    @property
    def count(self) -> int:
        """Return how many values it holds."""
        return sum(self.counts)


def _in_ns(bounds: Sequence[float]) -> tuple[int, ...]:
    return tuple(round(one * NS) for one in bounds)


_DURATION_NS, _FIRST_NS = _in_ns(DURATION_BOUNDS), _in_ns(FIRST_TOKEN_BOUNDS)


class Series:
    """Everything that is counted of one label set. Money in nano-dollars."""

    __slots__ = ("cost_nano_usd", "durations", "first", "labels", "project", "tokens", "unpriced")

    def __init__(self, values: tuple[str, ...]) -> None:
        self.project = values[0]
        self.labels = pairs(_NAMES, (clean(values[0]), *values[1:]))
        # Both from the start: a counter that first appears at 1 is invisible to increase().
        self.durations = (Spread(_DURATION_NS), Spread(_DURATION_NS))
        self.first = Spread(_FIRST_NS)
        self.tokens = [0] * len(_TOKENS)
        self.cost_nano_usd = 0
        self.unpriced = 0

    def add(self, span: Figures) -> None:
        """Count one call."""
        self.durations[span.status == "error"].add(span.duration_ns, span)
        if span.time_to_first_token_ns is not None:
            self.first.add(max(0, span.time_to_first_token_ns), span)
        usage, tokens = span.usage, self.tokens
        tokens[0] += usage.input_tokens or 0
        tokens[1] += usage.output_tokens or 0
        tokens[2] += usage.cache_read_tokens or 0
        tokens[3] += usage.cache_write_tokens or 0
        tokens[4] += usage.reasoning_tokens or 0
        cost = span.cost
        if cost is not None:
            if cost.nano_usd is None:
                self.unpriced += cost.state == "unpriced"
            elif cost.nano_usd > 0:  # a counter cannot take back what an emitter says it was credited
                self.cost_nano_usd += cost.nano_usd

    def copy(self) -> Series:
        """Return it as it is now."""
        made = Series.__new__(Series)
        made.project, made.labels = self.project, self.labels
        made.durations = (self.durations[0].copy(), self.durations[1].copy())
        made.first, made.tokens = self.first.copy(), self.tokens[:]
        made.cost_nano_usd, made.unpriced = self.cost_nano_usd, self.unpriced
        return made


class Calls:
    """The label sets. Not thread-safe: the owner locks around `add` and `snapshot`.

    Projects are made by an administrator and are not capped; what emitters name is, within each project, and so
    is the number of label sets. Beyond it a project has one more set, of nothing but `other`.
    """

    def __init__(self, cap: int) -> None:
        self.caps = LabelCaps(cap)
        self._by_key: dict[Key, Series] = {}
        self._by_values: dict[tuple[str, ...], Series] = {}
        self._in_project: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_values)

    def add(self, span: Figures) -> None:
        """Count one call."""
        key = (span.project, span.service, span.provider, span.model, span.operation)
        found = self._by_key.get(key)
        if found is None:
            found = self._find(key)
        found.add(span)

    def snapshot(self, project: str | None = None) -> list[Series]:
        """Return copies of the label sets, of one project or of all."""
        return [one.copy() for one in self._by_values.values() if project is None or one.project == project]

    def _find(self, key: Key) -> Series:
        project = key[0]
        named = zip(_NAMES[1:], key[1:], strict=True)
        values = (project, *(self.caps(name, value, project) for name, value in named))
        found = self._by_values.get(values)
        if found is None:
            taken = self._in_project.get(project, 0)
            if len(self._by_values) >= _MOST_SETS or taken >= _MOST_SETS_A_PROJECT:
                self.caps.folded["set"] = self.caps.folded.get("set", 0) + 1
                values = (project, *[OTHER] * (len(_NAMES) - 1))
            found = self._by_values.get(values)
            if found is None:
                found = self._by_values[values] = Series(values)
                self._in_project[project] = taken + 1
        if len(self._by_key) < _MOST_REMEMBERED and sum(len(one or "") for one in key) < _LONGEST_REMEMBERED:
            self._by_key[key] = found
        return found


def write_calls(page: Page, found: Sequence[Series]) -> None:
    """Write the families of model calls; tokens and money only where a call had them."""
    texts = bound_texts(DURATION_BOUNDS)
    page.family("watchkeeper_llm_request_duration_seconds", "histogram", "Duration of model calls, by outcome")
    for one in found:
        for status, spread in zip(_STATUSES, one.durations, strict=True):
            labels = f'{one.labels},status="{status}"'
            page.histogram(labels, texts, spread.counts, spread.total_ns / NS, spread.exemplars)
    texts = bound_texts(FIRST_TOKEN_BOUNDS)
    page.family("watchkeeper_llm_time_to_first_token_seconds", "histogram", "Time to first token of streamed calls")
    for one in found:
        if one.first.count:
            page.histogram(one.labels, texts, one.first.counts, one.first.total_ns / NS, one.first.exemplars)
    page.family(
        "watchkeeper_llm_tokens", "counter", "Tokens by type; input and output are inclusive totals of the other types"
    )
    page.samples(_tokens(found), "_total")
    page.family("watchkeeper_llm_cost_usd", "counter", "Cost of priced model calls, in US dollars")
    page.samples(((one.labels, one.cost_nano_usd / NS) for one in found), "_total")
    page.family(
        "watchkeeper_llm_unpriced_requests", "counter", "Model calls that have no price, and are not in the cost"
    )
    page.samples(((one.labels, one.unpriced) for one in found), "_total")


def _tokens(found: Sequence[Series]) -> Iterator[tuple[str, int]]:
    for one in found:
        for index, name in enumerate(_TOKENS):
            if one.tokens[index] or index < 2:  # noqa: PLR2004 - input and output stand from the start
                yield f'{one.labels},type="{name}"', one.tokens[index]
