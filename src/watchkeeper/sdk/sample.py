"""Which traces are sent: whole ones, chosen by their id, and those that fail whatever the id says."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from watchkeeper.kit.errors import ConfigError
from watchkeeper.sdk.recorder import Recording, text_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchkeeper.sdk.export import SpanQueue

__all__ = ["Choice", "ChoiceSampler", "Sieve", "choice_of"]

_log = logging.getLogger("watchkeeper")
_LOW = (1 << 64) - 1
_MOST_HELD = 10_000
_MOST_HELD_BYTES = 32 << 20
_MOST_REMEMBERED = 1_000
_MOST_OPEN = 100_000
"""Spans that are known to be open: an app that never ends its spans does not fill the memory."""


class Choice:
    """Says of a trace id whether its trace is sampled, the same in every process that is asked.

    The rule is OTel's `TraceIdRatioBased`: the low 64 bits of the id against the ratio.

    Args:
        ratio: from 0 (none) to 1 (all).
        follow: whether a parent's decision stands.
    """

    def __init__(self, ratio: float, *, follow: bool = True) -> None:
        self.ratio = ratio
        self._follow = follow
        self._bound = round(ratio * (_LOW + 1))

    def __call__(self, trace_id: int, parent: SpanContext | None) -> bool:
        """Decide."""
        if parent is not None and self._follow:
            return parent.trace_flags.sampled
        return self.takes(trace_id)

    def takes(self, trace_id: int) -> bool:
        """Decide by the id alone."""
        return trace_id & _LOW < self._bound


def choice_of(told: float | None, sampler: str | None, argument: str | None) -> Choice:
    """Make the choice from `sample` where it is said, else from OTEL_TRACES_SAMPLER and its argument.

    Raises:
        ConfigError: a ratio is no number from 0 to 1.
    """
    if told is not None:
        return Choice(_ratio(told, "sample"))
    word = (sampler or "").strip().lower()
    follow = not word or word.startswith("parentbased_")
    base = word.removeprefix("parentbased_")
    if base == "traceidratio":
        return Choice(_ratio(argument or 1.0, "OTEL_TRACES_SAMPLER_ARG"), follow=follow)
    if base not in {"", "always_on", "always_off"}:
        _log.warning("OTEL_TRACES_SAMPLER is %r, which is not known here; every trace is kept", sampler)
        return Choice(1.0)
    return Choice(0.0 if base == "always_off" else 1.0, follow=follow)


def _ratio(told: object, name: str) -> float:
    try:
        number = float(told)  # type: ignore[arg-type]  # what is no number is the error below
    except (TypeError, ValueError):
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ConfigError(f"{name} is {told!r}, not a share of traces", hint="give a number from 0 (none) to 1 (all)")
    return number


class ChoiceSampler(Sampler):
    """The choice for spans of OTel's SDK: what is not sampled is still recorded, since its trace may fail."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002 - OTel's signature
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        """Decide."""
        parent = get_current_span(parent_context).get_span_context()
        known = parent if parent.is_valid else None
        taken = self._choice(trace_id, known)
        decision = Decision.RECORD_AND_SAMPLE if taken else Decision.RECORD_ONLY
        return SamplingResult(decision, attributes, known.trace_state if known is not None else None)

    def get_description(self) -> str:
        """Say what it is."""
        return f"watchkeeper {self._choice.ratio}"


class Sieve(SpanProcessor):
    """Stands before the queue: passes sampled traces, holds the others until they fail or end.

    A trace ends when its first span in this process does. What is held is bounded; the oldest trace goes first.

    Args:
        queue: where spans go.
        choice: for spans of a host's own provider, whose flags are its own affair.
        ours: whether the provider is ours, so that an unsampled span is one that our choice left out.
    """

    def __init__(self, queue: SpanQueue, choice: Choice, *, ours: bool) -> None:
        self._queue = queue
        self._choice = choice
        self._ours = ours
        self.watchers: list[Callable[[ReadableSpan | Recording], None]] = []
        """Told of every span that ends, sampled or not."""
        self._open: set[int] = set()
        self._foreign: frozenset[int] = frozenset()
        self._reset()

    def _reset(self) -> None:
        self.sampled_out = 0
        self._lock = threading.RLock()
        self._held: OrderedDict[int, list[tuple[ReadableSpan | Recording, int]]] = OrderedDict()
        self._kept: OrderedDict[int, None] = OrderedDict()
        self._count = self._bytes = 0

    def after_fork(self) -> None:
        """Forget, in a child, what the parent holds; what was open is the parent's to send."""
        self._foreign = frozenset(self._open)
        self._open = set()
        self._reset()

    def recorded(self, span: Recording) -> None:
        """Take a span of our own recorder."""
        if self.watchers:
            self._tell(span)
        if span.context.trace_flags.sampled:
            self._queue.put(span, span.size)
        else:
            self._hold(span, span.context, span.size)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - OTel's signature
        """Note, in case of a fork, that a span of OTel's SDK is of this process."""
        if span.context is not None and len(self._open) < _MOST_OPEN:
            self._open.add(span.context.span_id)

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span of OTel's SDK."""
        context = span.context
        if context is None or context.span_id in self._foreign:
            return
        self._open.discard(context.span_id)
        if self.watchers:
            self._tell(span)
        sampled = context.trace_flags.sampled
        if not sampled and not self._ours:  # the host's decision
            return
        size = text_size(span)
        if sampled and (self._ours or self._choice.takes(context.trace_id)):
            self._queue.put(span, size)
        else:
            self._hold(span, context, size)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the queue."""
        return self._queue.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Stop the queue."""
        self._queue.shutdown()

    def _hold(self, span: ReadableSpan | Recording, context: SpanContext, size: int) -> None:
        trace_id, passing = context.trace_id, []
        with self._lock:
            if trace_id in self._kept:
                passing = [(span, size)]
            else:
                held = self._held.setdefault(trace_id, [])
                held.append((span, size))
                self._count += 1
                self._bytes += size
                if span.parent is None or span.parent.is_remote:
                    passing = self._decide(trace_id)
                while self._count > _MOST_HELD or self._bytes > _MOST_HELD_BYTES:
                    self._drop(next(iter(self._held)))
        for one, length in passing:
            self._queue.put(one, length)

    def _decide(self, trace_id: int) -> list[tuple[ReadableSpan | Recording, int]]:
        if not any(span.status.status_code is StatusCode.ERROR for span, _ in self._held[trace_id]):
            self._drop(trace_id)
            return []
        self._kept[trace_id] = None
        if len(self._kept) > _MOST_REMEMBERED:
            self._kept.popitem(last=False)
        return self._release(trace_id)

    def _drop(self, trace_id: int) -> None:
        self.sampled_out += len(self._release(trace_id))

    def _release(self, trace_id: int) -> list[tuple[ReadableSpan | Recording, int]]:
        held = self._held.pop(trace_id)
        self._count -= len(held)
        self._bytes -= sum([size for _, size in held])
        return held

    def _tell(self, span: ReadableSpan | Recording) -> None:
        for watcher in self.watchers:
            try:
                watcher(span)
            except Exception:
                _log.debug("a watcher of spans failed", exc_info=True)
