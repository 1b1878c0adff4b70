"""Langfuse's SDKs 3, 4 and 5, Python and JavaScript: `langfuse.*`, whose values are JSON texts wherever they are no text.

Before version 5 metadata is written as it is, from then on as JSON; both are kept raw, and of both only the reason
why an answer ended is read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from watchkeeper.ingest import bodies
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import arguments_of, content_of, messages_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text
from watchkeeper.model import Attributes, Content, Cost, RawSpan, SpanKind, Usage

__all__ = ["Langfuse"]

_KINDS: dict[str, SpanKind] = {
    "generation": "llm", "agent": "agent", "tool": "tool", "chain": "workflow", "retriever": "retriever",
    "evaluator": "evaluator", "embedding": "embedding", "guardrail": "guardrail", "span": "span", "event": "span",
}  # fmt: skip
_MODELS = frozenset({"llm", "embedding"})
_EMBEDS = (".embeddings", "-embedding")
"""How the wrappers of OpenAI's client end the name of a span that embeds; JavaScript's calls it a generation."""
_SESSION = ("session.id", "langfuse.session.id")
_USER = ("user.id", "langfuse.user.id")
_TAGS = ("langfuse.trace.tags", "langfuse.tags")
_ENDLESS = ("Infinity", "inf")
_UNASKED: dict[str, Any] = {"temperature": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}
"""What Python's wrapper writes of settings that nobody made, beside endless `max_tokens`; version 2 writes numbers as texts."""
_READ = ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens")
_WRITTEN = ("input_cache_creation", "cache_creation_input_tokens")
_NANO = 1_000_000_000
_DEAREST = 1e6  # dollars; no call costs as much


class Langfuse:
    """`langfuse.*`."""

    name = "langfuse"
    heads = frozenset({"langfuse"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether one of its attributes is there."""
        for key in raw.attributes:  # noqa: SIM110 - `any` over a generator takes twice as long
            if key[:9] == "langfuse.":
                return True
        return False

    def read(self, raw: RawSpan) -> Draft:
        """Read an observation, and what it says of its trace."""
        found = raw.attributes
        draft = Draft(
            kind=_KINDS.get(text(found.get("langfuse.observation.type")) or ""),
            session_id=_first(found, _SESSION),
            user_id=_first(found, _USER),
            tags=next((strings(found[key]) for key in _TAGS if key in found), ()),
            environment=text(found.get("langfuse.environment")) or text(raw.resource.get("langfuse.environment")),
            release=text(found.get("langfuse.release")) or text(raw.resource.get("langfuse.release")),
        )
        if found.get("langfuse.observation.level") == "ERROR":
            draft.failure = text(found.get("langfuse.observation.status_message")) or ""
        if "langfuse.observation.prompt.name" in found:
            draft.prompt_name = text(found["langfuse.observation.prompt.name"])
            draft.prompt_version = text(found.get("langfuse.observation.prompt.version"))
        if draft.kind == "llm" and raw.name.endswith(_EMBEDS):
            draft.kind = "embedding"
        given, answer = loads(found.get("langfuse.observation.input")), loads(found.get("langfuse.observation.output"))
        if draft.kind in _MODELS:
            _call(raw, draft, given, answer)
        else:
            draft.input, draft.output = arguments_of(given), content_of(plain(answer))
            if draft.kind == "tool":
                draft.tool_name = raw.name
            elif draft.kind == "agent":
                draft.agent_name = raw.name
        return draft


def _call(raw: RawSpan, draft: Draft, given: Any, answer: Any) -> None:  # noqa: ANN401 - any JSON
    """Read a model call. Its one model is that which answered, if anything did."""
    found = raw.attributes
    model = text(found.get("langfuse.observation.model.name"))
    if answer is None or draft.failure is not None:
        draft.request_model = model
    else:
        draft.response_model = model
    draft.provider = "openai" if raw.name[:7] in {"OpenAI-", "OpenAI."} else None
    parameters = loads(found.get("langfuse.observation.model.parameters"))
    draft.parameters = _parameters(parameters) if isinstance(parameters, dict) else {}
    draft.usage = _usage(loads(found.get("langfuse.observation.usage_details")))
    draft.cost = _cost(loads(found.get("langfuse.observation.cost_details")), draft.usage)
    draft.time_to_first_token_ns = _first_token(raw)
    if draft.time_to_first_token_ns is not None or (isinstance(parameters, dict) and parameters.get("stream") is True):
        draft.streaming = True
    reason = text(loads(found.get("langfuse.observation.metadata.finish_reason")))
    draft.finish_reasons = (reason,) if reason else ()
    if draft.kind == "embedding":
        draft.input, draft.output = content_of(plain(given)), content_of(plain(answer))
        return
    if isinstance(given, dict) and isinstance(given.get("messages"), list):
        draft.tools = bodies.tools(given)
    draft.input, draft.output = _asked(given), _answered(answer)


def _asked(given: Any) -> Content | None:  # noqa: ANN401 - any JSON
    if isinstance(given, list):
        return bodies.asked({"messages": given})
    return (bodies.asked(given) if isinstance(given, dict) else None) or content_of(plain(given))


def _answered(answer: Any) -> Content | None:  # noqa: ANN401 - any JSON
    if isinstance(answer, str):
        found = messages_of([{"role": "assistant", "content": answer}], "assistant") if answer else ()
    elif isinstance(answer, dict):
        if (body := bodies.answered(answer)) is not None:
            return body
        found = messages_of([answer], "assistant") if "role" in answer else ()
    else:
        found = messages_of(answer, "assistant")
    return Content(messages=found) if found else content_of(plain(answer))


def _first(found: Attributes, keys: tuple[str, ...]) -> str | None:
    return next((value for key in keys if key in found and (value := text(found[key]))), None)


def _parameters(told: dict[str, Any]) -> dict[str, Any]:
    if told.get("max_tokens") not in _ENDLESS:
        return {
            key: plain(value) for key, value in told.items() if value is not None and value != "" and key != "stream"
        }
    rest = ((key, value) for key, value in told.items() if value not in (None, "", *_ENDLESS) and key != "stream")
    found = {key: number(value) if key in _UNASKED else plain(value) for key, value in rest}
    return {key: value for key, value in found.items() if key not in _UNASKED or value != _UNASKED[key]}


def _usage(told: Any) -> Usage:  # noqa: ANN401 - any JSON
    """Read OpenAI's own usage, or Langfuse's buckets, which add up: their sums are the inclusive totals."""
    if not isinstance(told, dict):
        return Usage()
    if "prompt_tokens" in told or "input_tokens" in told:
        return bodies.used(told)
    counts = {
        key: count for key, value in told.items() if isinstance(key, str) and (count := integer(value)) is not None
    }
    total, given, answered = counts.get("total"), counts.get("input"), counts.get("output")
    read, written = (next((counts[key] for key in keys if key in counts), None) for keys in (_READ, _WRITTEN))
    reasoned = counts.get("output_reasoning_tokens")
    # Some write totals instead, and the buckets as parts of them: then the two are the whole.
    if total is None or total != (given or 0) + (answered or 0):
        given = _sum(given, read, written, counts.get("input_audio_tokens"))
        answered = _sum(answered, reasoned, counts.get("output_audio_tokens"))
    return Usage(
        input_tokens=given,
        output_tokens=answered,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=reasoned,
        input_audio_tokens=counts.get("input_audio_tokens"),
        output_audio_tokens=counts.get("output_audio_tokens"),
    )


def _sum(*counts: int | None) -> int | None:
    known = [one for one in counts if one is not None]
    return sum(known) if known else None


def _cost(told: Any, usage: Usage) -> Cost | None:  # noqa: ANN401 - any JSON
    """Read what the app says it cost. A failed call's zeros are the SDK's, and no price."""
    if not isinstance(told, dict):
        return None
    amounts = {
        key: amount for key, value in told.items() if isinstance(key, str) and (amount := number(value)) is not None
    }
    total = amounts.get("total", sum(one for key, one in amounts.items() if key != "total"))
    if not amounts or not 0 <= total < _DEAREST or (total == 0 and not usage):
        return None
    nano = round(total * _NANO)
    return Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (langfuse cost_details)")


def _first_token(raw: RawSpan) -> int | None:
    told = loads(raw.attributes.get("langfuse.observation.completion_start_time"))
    if not isinstance(told, str):
        return None
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return None
    took = round(at.timestamp() * 1_000_000) * 1000 - raw.start_time if at.tzinfo else -1
    return took if 0 <= took < _NANO * 86_400 else None
