"""The Vercel AI SDK: `ai.*` of versions 4 to 6 and of 7's LegacyOpenTelemetry, and what 7 adds to `gen_ai.*`.

Every call is two spans or more: an outer one (`ai.generateText`, `invoke_agent`), which repeats the sum of what its
inner ones (`ai.generateText.doGenerate`, `chat`) used, and is therefore read without tokens and without a price.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from watchkeeper.ingest.dialects.vercel_content import answer, given, ranking, tools, values
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.providers import provider_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text
from watchkeeper.model import Attributes, AttributeValue, RawSpan, SpanKind, Usage, semconv

__all__ = ["Vercel"]


class _Operation(NamedTuple):
    kind: SpanKind
    name: str | None
    streaming: bool | None = None


_OUTER = {
    f"ai.{one}" for one in ("generateText", "streamText", "generateObject", "streamObject", "workflowAgent.stream")
}
_OPERATIONS = {
    **{one: _Operation("agent", "invoke_agent") for one in _OUTER},
    **{f"ai.generate{one}.doGenerate": _Operation("llm", "chat") for one in ("Text", "Object")},
    **{f"ai.stream{one}.doStream": _Operation("llm", "chat", streaming=True) for one in ("Text", "Object")},
    "ai.embed": _Operation("workflow", "embeddings"), "ai.embedMany": _Operation("workflow", "embeddings"),
    "ai.embed.doEmbed": _Operation("embedding", "embeddings"),
    "ai.embedMany.doEmbed": _Operation("embedding", "embeddings"),
    "ai.rerank": _Operation("workflow", "rerank"), "ai.rerank.doRerank": _Operation("reranker", "rerank"),
    "ai.toolCall": _Operation("tool", "execute_tool"),
    "ai.generateSpeech": _Operation("llm", None), "ai.transcribe": _Operation("llm", None),
    "ai.streamTranscribe": _Operation("llm", None, streaming=True),
}  # fmt: skip
_SETTINGS = {
    "ai.settings.temperature": "temperature", "ai.settings.topP": "top_p", "ai.settings.topK": "top_k",
    "ai.settings.maxOutputTokens": "max_tokens", "ai.settings.maxTokens": "max_tokens", "ai.settings.seed": "seed",
    "ai.settings.stopSequences": "stop_sequences", "ai.settings.presencePenalty": "presence_penalty",
    "ai.settings.frequencyPenalty": "frequency_penalty",
}  # fmt: skip
_INPUT = ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens")
_OUTPUT = ("ai.usage.outputTokens", "ai.usage.completionTokens")
_CACHED = ("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens")
_WRITTEN = ("ai.usage.inputTokenDetails.cacheWriteTokens",)
_REASONED = ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens")
_CONTEXTS = ("ai.telemetry.metadata.", "ai.settings.context.")
_SESSION = tuple(f"{start}{name}" for start in _CONTEXTS for name in ("sessionId", "session_id"))
_USER = tuple(f"{start}{name}" for start in _CONTEXTS for name in ("userId", "user_id"))
_TAGS = tuple(f"{start}tags" for start in _CONTEXTS)
_FIRST_CHUNK = ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
_FIRST_CHUNK_SECONDS = "gen_ai.client.operation.time_to_first_chunk"
_NS, _NS_OF_MS, _LONGEST_NS = 1_000_000_000, 1_000_000, 10**15  # eleven days
_ERROR = 2
# Up to version 5 these two count a prompt without what was read from and written to the cache.
_EXCLUSIVE = ("anthropic", "amazon-bedrock", "bedrock", "google.vertex.anthropic", "vertex.anthropic")


class Vercel:
    """`ai.*`, and the few keys that version 7 puts beside `gen_ai.*`."""

    name = "vercel"
    heads = frozenset({"ai", "gen_ai"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether the SDK's id of the operation is there, or version 7's tracer or one of its own keys."""
        found = raw.attributes
        return (
            "ai.operationId" in found
            or raw.scope.name == "gen_ai"
            or "gen_ai.client.operation.duration" in found
            or found.get(semconv.OPERATION) == "agent_step"
        )

    def read(self, raw: RawSpan) -> Draft:
        """Read either form."""
        operation = text(raw.attributes.get("ai.operationId"))
        return _beside(raw) if operation is None else _own(raw, operation)


def _own(raw: RawSpan, operation: str) -> Draft:
    found = raw.attributes
    what = _OPERATIONS.get(operation) or _other(operation)
    provider = text(found.get("ai.model.provider"))
    function = text(found.get("ai.telemetry.functionId"))
    asked, answered = found.get("ai.model.id"), found.get("ai.response.model")
    reason = (text(found.get("ai.response.finishReason")) or "").replace("-", "_")
    return Draft(
        kind=what.kind,
        operation=what.name,
        provider=_provider(provider) if provider else None,
        request_model=text(asked),
        response_model=text(answered),
        response_id=text(found.get("ai.response.id")),
        usage=_usage(found, provider or "") if what.kind in {"llm", "embedding", "reranker"} else Usage(),
        time_to_first_token_ns=_first_chunk(found),
        streaming=what.streaming,
        finish_reasons=(reason,) if reason else (),
        parameters=_parameters(found),
        input=given(found),
        output=answer(found, reason or None),
        tools=tools(found.get("ai.prompt.tools")),
        tool_name=text(found.get("ai.toolCall.name")),
        agent_name=function if what.kind in {"agent", "workflow"} else None,
        session_id=_first(found, _SESSION),
        user_id=_first(found, _USER),
        tags=_tags(found),
    )


def _other(operation: str) -> _Operation:
    """Read an operation that a later version brought: the inner ones have a `do` in their last word."""
    inner = operation.rpartition(".")[2].startswith("do")
    return _Operation("llm" if inner else "workflow", None, streaming=True if operation.endswith(".doStream") else None)


def _beside(raw: RawSpan) -> Draft:
    """Read what version 7 says beside the conventions' own keys, or otherwise than they mean it."""
    found = raw.attributes
    operation = text(found.get(semconv.OPERATION))
    kind = _kind_beside(raw, operation)
    first = _nanoseconds(found.get(_FIRST_CHUNK_SECONDS), _NS)
    # The conventions' own dialect reads the rest; of these two, only the SDK's spelling is another.
    reasons = strings(found[semconv.FINISH_REASONS]) if semconv.FINISH_REASONS in found else ()
    reasoned = _count(found, _REASONED) if operation == "chat" else None
    return Draft(
        kind=kind,
        usage=Usage() if reasoned is None else Usage(reasoning_tokens=reasoned),
        time_to_first_token_ns=first,
        streaming=True if first is not None else None,
        finish_reasons=tuple(one.replace("-", "_") for one in reasons),
        tools=tools(found[semconv.TOOL_DEFINITIONS]) if semconv.TOOL_DEFINITIONS in found else (),
        input=None if semconv.INPUT_MESSAGES in found else values(found),
        output=ranking(found),
        session_id=_first(found, _SESSION),
        user_id=_first(found, _USER),
        tags=_tags(found),
    )


def _kind_beside(raw: RawSpan, operation: str | None) -> SpanKind | None:
    """Tell an outer call from its inner one: both carry the same name and the same operation."""
    found = raw.attributes
    if operation == "agent_step":
        return "workflow"
    if operation in {"ai.generateSpeech", "ai.transcribe", "ai.streamTranscribe"}:
        return "llm"
    if operation not in {"embeddings", "rerank", "decide"}:
        return None
    # Only an inner call knows what it used, unless it failed; only an outer one has a single value.
    used = semconv.USAGE_INPUT in found or "ai.ranking" in found
    known = operation == "embeddings" or "ai.documents" in found
    if "ai.value" in found or (known and not used and raw.status_code != _ERROR):
        return "workflow"
    return "llm" if operation == "decide" and used else None


def _provider(told: str) -> str:
    """`openai.chat` is openai, `google.generative-ai` is gcp.gemini."""
    low = told.lower()
    head, _, rest = low.partition(".")
    both = f"{head}.{rest.partition('.')[0]}"
    found = provider_of(both)
    return head if found in {None, both} else str(found)


def _first(found: Attributes, keys: tuple[str, ...]) -> str | None:
    for key in keys:
        if key in found and (value := text(found[key])):
            return value
    return None


def _tags(found: Attributes) -> tuple[str, ...]:
    for key in _TAGS:
        if key in found:
            return strings(found[key])
    return ()


def _count(found: Attributes, keys: tuple[str, ...]) -> int | None:
    for key in keys:
        if key in found and (count := integer(found[key])) is not None:
            return count
    return None


def _usage(found: Attributes, provider: str) -> Usage:
    given, cached, written = _count(found, _INPUT), _count(found, _CACHED), _count(found, _WRITTEN)
    reasoned = _count(found, _REASONED)
    if "ai.usage.inputTokenDetails.noCacheTokens" not in found:
        told = _of_provider(found)
        cached = _either(cached, told, "cachedPromptTokens", "cacheReadInputTokens")
        written = _either(written, told, "cacheCreationInputTokens", "cacheWriteInputTokens")
        reasoned = _either(reasoned, told, "reasoningTokens")
        if given is not None and provider.startswith(_EXCLUSIVE):
            given += (cached or 0) + (written or 0)
    return Usage(
        input_tokens=given,
        output_tokens=_count(found, _OUTPUT),
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoned,
    )


def _of_provider(found: Attributes) -> dict[str, Any]:
    """Return the counts that version 4 left in the provider's own words."""
    told: dict[str, Any] = {}
    metadata = loads(found.get("ai.response.providerMetadata"))
    for one in metadata.values() if isinstance(metadata, dict) else ():
        if isinstance(one, dict):
            told.update(one)
            told.update(one["usage"] if isinstance(one.get("usage"), dict) else {})
    return told


def _either(count: int | None, told: dict[str, Any], *names: str) -> int | None:
    return count if count is not None else next((one for name in names if (one := integer(told.get(name)))), None)


def _first_chunk(found: Attributes) -> int | None:
    return next((_nanoseconds(found[key], _NS_OF_MS) for key in _FIRST_CHUNK if key in found), None)


def _nanoseconds(value: AttributeValue, unit: int) -> int | None:
    told = None if value is None else number(value)
    return round(told * unit) if told is not None and 0 <= told * unit < _LONGEST_NS else None


def _parameters(found: Attributes) -> dict[str, Any]:
    told = {_SETTINGS[key]: plain(found[key]) for key in found.keys() & _SETTINGS.keys()}
    choice = loads(found.get("ai.prompt.toolChoice"))
    # "auto" is the SDK's own word where the app has said nothing.
    if choice is not None and choice != {"type": "auto"}:
        told["tool_choice"] = plain(choice)
    return told
