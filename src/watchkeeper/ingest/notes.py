"""What was odd about a span as it came, and what was made of it, in sentences for whoever looks at it.

Worked out from what is stored whenever a span is shown, so that it holds for old rows and late neighbours too. Pure.
`docs/notes.md` lists every code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from watchkeeper.ingest.read import integer, loads
from watchkeeper.model import MODEL_KINDS, Attributes, AttributeValue, Span

__all__ = ["CODES", "Note", "notes_of"]

CODES = (
    "unread", "no_model", "no_usage", "usage_differs", "total_differs", "not_a_count", "binary", "not_json", "dropped",
    "no_start", "no_end", "ends_before_start", "ahead", "before_parent", "orphan", "own_parent",
    "seen_twice",
)  # fmt: skip
"""Every code a note may have."""

_HEADS = frozenset({"gen_ai", "llm", "openinference", "traceloop", "langfuse", "mlflow", "ai", "pydantic_ai"})
_INPUT = (
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "ai.usage.inputTokens",
    "ai.usage.promptTokens",
)  # fmt: skip
_OUTPUT = (
    "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
    "ai.usage.outputTokens", "ai.usage.completionTokens",
)  # fmt: skip
_TOTAL = (
    "gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "ai.usage.totalTokens",
    "ai.usage.tokens",
)  # fmt: skip
_JSON = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "llm.invocation_parameters", "ai.prompt", "ai.prompt.messages", "ai.response.toolCalls", "mlflow.spanInputs",
    "mlflow.spanOutputs",
)  # fmt: skip
_NS = 1_000_000_000
_SKEW = 60 * _NS
"""How far a clock may be ahead of the server's before it is told: less is the network's and NTP's."""
_BEFORE = _NS
_NAMED = 3


class Note(msgspec.Struct, frozen=True):
    """One oddity: a stable code of CODES, and a sentence or two saying what was found and what was done."""

    code: str
    text: str


def notes_of(span: Span, parent: Span | None) -> tuple[Note, ...]:
    """Return what there is to say; `parent` is the span's as it is stored, None where it is not."""
    return (*_twice(span), *_reading(span), *_counts(span), *_values(span), *_times(span), *_place(span, parent))


def _twice(span: Span) -> Iterator[Note]:
    if span.duplicate_of is not None:
        scope = span.raw.scope.name or "this client"
        yield Note(
            "seen_twice",
            f"Span {span.duplicate_of} tells the same call, by another instrumentation than {scope}. That one is counted;"
            " this one's tokens and cost are in no sum.",
        )


def _reading(span: Span) -> Iterator[Note]:
    heads = sorted({key.partition(".")[0] for key in span.raw.attributes} & _HEADS)
    if heads and not span.dialects:
        yield Note(
            "unread",
            f"It has attributes that begin with {_listed(f'{head}.' for head in heads)}, but not as any dialect known here "
            "writes them. They are kept as they came, and it is shown as a plain span.",
        )
    if span.kind not in MODEL_KINDS:
        return
    if span.model is None:
        yield Note("no_model", "It is a model call that names no model. It is counted and has no price.")
    elif span.kind != "reranker" and span.status != "error" and not _has_usage(span):
        yield Note("no_usage", "It is a model call that says nothing of its tokens. It is counted and has no price.")


def _has_usage(span: Span) -> bool:
    return span.usage.input_tokens is not None or span.usage.output_tokens is not None or _has_cost(span)


def _has_cost(span: Span) -> bool:
    return span.cost is not None and span.cost.nano is not None


def _counts(span: Span) -> Iterator[Note]:
    found, usage = span.raw.attributes, span.usage
    odd = [key for key in (*_INPUT, *_OUTPUT, *_TOTAL) if found.get(key) is not None and integer(found[key]) is None]
    for key in odd[:_NAMED]:
        yield Note("not_a_count", f"{key} should be a count and is {_short(found[key])}. It was left out.")
    if span.kind not in MODEL_KINDS:
        return
    cached = (usage.cache_read_tokens or 0, usage.cache_write_tokens or 0)
    inside = {0, *cached, sum(cached)}
    for what, keys, parts, taken in (
        ("input", _INPUT, inside, usage.input_tokens),
        ("output", _OUTPUT, {0, usage.reasoning_tokens or 0}, usage.output_tokens),
    ):
        said = _said(found, keys)
        # With and without what is cached, or thought, are two ways of counting and no contradiction.
        if said and max(said.values()) - min(said.values()) not in parts:
            listed = _listed(f"{count:,} ({key})" for key, count in said.items())
            yield Note("usage_differs", f"It counts its {what} tokens in ways that differ: {listed}. {_took(taken)}")
    yield from _total(span, inside)


def _total(span: Span, inside: set[int]) -> Iterator[Note]:
    usage = span.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return
    whole = usage.input_tokens + usage.output_tokens
    reasoned = usage.reasoning_tokens or 0
    allowed = {part + extra for part in inside for extra in (0, reasoned)}
    for key, count in _said(span.raw.attributes, _TOTAL).items():
        if abs(count - whole) not in allowed:
            yield Note(
                "total_differs",
                f"{key} is {count:,}, but input and output together are {whole:,}. The total was left out.",
            )
            return


def _values(span: Span) -> Iterator[Note]:
    raw = span.raw
    held = [(key, len(value)) for key, value in raw.attributes.items() if isinstance(value, bytes)]
    if held:
        listed = _listed(f"{key} ({size:,} bytes)" for key, size in held)
        yield Note("binary", f"It holds bytes where text is expected: {listed}. They are kept, and shown as base64.")
    for key in _JSON:
        value = raw.attributes.get(key)
        if isinstance(value, str) and value[:1] in {"[", "{"} and isinstance(loads(value), str):
            yield Note(
                "not_json",
                f"{key} begins as JSON and cannot be read as JSON: a limit of the client's may have cut it (after "
                f"{len(value):,} characters). It is kept as it came.",
            )
    lost = [
        f"{count:,} {name}"
        for name, count in (
            ("attributes", raw.dropped_attributes), ("events", raw.dropped_events), ("links", raw.dropped_links),
        )
        if count
    ]  # fmt: skip
    if lost:
        yield Note(
            "dropped",
            f"The client left out {_listed(lost)} over its own limits (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT and its like) "
            "before it sent the span. What they said is not here.",
        )


def _times(span: Span) -> Iterator[Note]:
    raw = span.raw
    if raw.start_time <= 0:
        yield Note("no_start", "It does not say when it began. It is shown at the beginning of 1970.")
    if raw.end_time <= 0:
        yield Note("no_end", "It does not say when it ended, or has not ended yet. Its duration is shown as 0.")
    elif raw.end_time < raw.start_time:
        early = _long(raw.start_time - raw.end_time)
        yield Note("ends_before_start", f"It ends {early} before it begins. Its duration is shown as 0.")
    if span.received_at > 0 and raw.start_time > span.received_at + _SKEW:
        ahead, at = _long(raw.start_time - span.received_at), _clock(span.received_at)
        yield Note(
            "ahead",
            f"It begins {ahead} after it was received ({at}): the sender's clock is ahead. Its times are kept as they came.",
        )


def _place(span: Span, parent: Span | None) -> Iterator[Note]:
    if span.parent_span_id is None:
        return
    if span.parent_span_id == span.span_id:
        yield Note("own_parent", "It names itself as its parent. It is shown as a root.")
    elif parent is None:
        yield Note(
            "orphan",
            f"Its parent {span.parent_span_id} is not here: never sent, sampled out, deleted, or still to come. It is shown "
            "as a root until then.",
        )
    elif span.start_time < parent.start_time - _BEFORE:
        yield Note(
            "before_parent",
            f"It begins {_long(parent.start_time - span.start_time)} before its parent: two clocks differ. Both are "
            "shown at the times they came with.",
        )


def _said(found: Attributes, keys: Iterable[str]) -> dict[str, int]:
    counts = {key: integer(found[key]) for key in keys if key in found}
    return {key: count for key, count in counts.items() if count is not None}


def _took(taken: int | None) -> str:
    return "Neither was taken." if taken is None else f"{taken:,} is what is shown and priced."


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    more = [f"{len(told) - _NAMED} more"] if len(told) > _NAMED else []
    *first, last = told[:_NAMED] + more
    return f"{', '.join(first)} and {last}" if first else last


def _short(value: AttributeValue) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"  # noqa: PLR2004 - what a line holds


def _long(ns: int) -> str:
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if ns >= 2 * size * _NS:
            return f"{ns // (size * _NS):,} {name}"
    return f"{ns / _NS:,.3f} s" if ns >= 1_000_000 else f"{ns:,} ns"  # noqa: PLR2004 - a millisecond


def _clock(ns: int) -> str:
    return datetime.fromtimestamp(ns // _NS, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
