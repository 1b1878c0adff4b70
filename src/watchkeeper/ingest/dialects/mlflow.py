"""MLflow's tracing over OTLP: every value is JSON, and inputs and outputs are the provider's own bodies.

With MLFLOW_ENABLE_OTEL_GENAI_SEMCONV it writes `gen_ai.*` instead, and only what it leaves beside them is read here.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest import bodies
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import integer, loads, number, plain, text, unpacked
from watchkeeper.model import Attributes, AttributeValue, Content, Cost, Document, RawSpan, SpanKind, Usage, semconv

__all__ = ["MLflow"]

_KINDS: dict[str, SpanKind] = {
    "LLM": "llm", "CHAT_MODEL": "llm", "AGENT": "agent", "TOOL": "tool", "CHAIN": "workflow", "WORKFLOW": "workflow",
    "TASK": "workflow", "RETRIEVER": "retriever", "EMBEDDING": "embedding", "RERANKER": "reranker",
    "GUARDRAIL": "guardrail", "EVALUATOR": "evaluator", "PARSER": "span", "MEMORY": "span", "UNKNOWN": "span",
}  # fmt: skip
_OPERATIONS: dict[SpanKind, str] = {
    "llm": "chat", "embedding": "embeddings", "agent": "invoke_agent", "tool": "execute_tool", "retriever": "retrieval",
    "reranker": "rerank",
}  # fmt: skip
_FORMATS = frozenset({"openai", "anthropic", "gemini", "mistral", "bedrock", "groq"})
"""Formats of messages that are a provider's, which MLflow often names alone; the others are frameworks'."""
_MODELS = frozenset({"llm", "embedding", "reranker"})
_TAG = "mlflow.traceTag."
_CHUNK = "mlflow.chunk.item.0"
_NO_USAGE = Usage()
_NS, _DEAREST = 1_000_000_000, 1e9


class MLflow:
    """`mlflow.*`."""

    name = "mlflow"
    heads = frozenset({"mlflow", "gen_ai"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether MLflow named the span's type, or its tracer made the span."""
        return "mlflow.spanType" in raw.attributes or raw.scope.name.startswith("mlflow.")

    def read(self, raw: RawSpan) -> Draft:
        """Read either form."""
        found = raw.attributes
        draft = Draft(
            request_model=_text(found.get("model")),
            streaming=True if found.get("stream") == "true" else None,
            time_to_first_token_ns=_first_chunk(raw) if raw.events else None,
            tags=() if raw.parent_span_id else _tags(found),
        )
        if "mlflow.spanType" in found:
            _own(draft, raw)
        else:
            # Of a type that OpenTelemetry has no operation for, MLflow writes its own.
            draft.kind = _KINDS.get(text(found.get(semconv.OPERATION)) or "")
        return draft


def _own(draft: Draft, raw: RawSpan) -> None:
    found = raw.attributes
    kind = _KINDS.get(_text(found.get("mlflow.spanType")) or "", "span")
    draft.kind, draft.operation = kind, _OPERATIONS.get(kind)
    given, answer = unpacked(found.get("mlflow.spanInputs")), unpacked(found.get("mlflow.spanOutputs"))
    if kind in _MODELS:
        _call(draft, found, given if isinstance(given, dict) else {}, answer if isinstance(answer, dict) else {})
    elif kind == "tool":
        draft.tool_name = raw.name
    elif kind == "agent":
        draft.agent_name = raw.name
    documents = _documents(answer) if kind == "retriever" else ()
    draft.input = draft.input or _plain(given)
    if documents:
        draft.output = Content(documents=documents)
    elif kind != "embedding":
        draft.output = draft.output or _plain(answer)


def _call(draft: Draft, found: Attributes, asked: dict[str, Any], answer: dict[str, Any]) -> None:
    form = _text(found.get("mlflow.message.format"))
    draft.provider = _text(found.get("mlflow.llm.provider")) or (form if form in _FORMATS else None)
    draft.request_model = draft.request_model or text(asked.get("model"))
    draft.response_model = _text(found.get("mlflow.llm.model")) or text(answer.get("model"))
    draft.response_id = text(answer.get("id"))
    draft.usage = _usage(found.get("mlflow.chat.tokenUsage"), answer.get("usage"))
    draft.cost = _cost(found.get("mlflow.llm.cost"))
    draft.finish_reasons = bodies.finishes(answer)
    draft.parameters = bodies.parameters(asked)
    offered = asked["tools"] if "tools" in asked else unpacked(found.get("mlflow.chat.tools"))
    draft.tools = tuple(offered) if isinstance(offered, list) else ()
    draft.input, draft.output = bodies.asked(asked), bodies.answered(answer)


def _text(value: AttributeValue) -> str | None:
    """Return a text that may be written as JSON."""
    return text(loads(value))


def _plain(value: Any) -> Content | None:  # noqa: ANN401 - any JSON
    return None if value is None or value == {} else content_of(plain(value))


def _usage(told: AttributeValue, answered: Any) -> Usage:  # noqa: ANN401 - any JSON
    """Return MLflow's counts, which include the cache, and what only the answer tells of."""
    counts = loads(told)
    more = bodies.used(answered)
    if not isinstance(counts, dict):
        return more
    return Usage(
        input_tokens=integer(counts.get("input_tokens")),
        output_tokens=integer(counts.get("output_tokens")),
        cache_read_tokens=integer(counts.get("cache_read_input_tokens")),
        cache_write_tokens=integer(counts.get("cache_creation_input_tokens")),
        reasoning_tokens=more.reasoning_tokens,
        input_audio_tokens=more.input_audio_tokens,
        output_audio_tokens=more.output_audio_tokens,
    )


def _cost(value: AttributeValue) -> Cost | None:
    """Return MLflow's price in US dollars."""
    told = loads(value)
    sides = {
        name: round(dollars * _NS)
        for name in ("input", "output", "total")
        if isinstance(told, dict)
        and (dollars := number(told.get(f"{name}_cost"))) is not None
        and 0 <= dollars < _DEAREST
    }
    nano = sides.pop("total", 0) or sum(sides.values())
    if not nano:
        return None
    detail = sides if sum(sides.values()) == nano else {}
    return Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (mlflow.llm.cost)", detail=detail)


def _first_chunk(raw: RawSpan) -> int | None:
    return next((max(0, one.time - raw.start_time) for one in raw.events if one.name == _CHUNK), None)


def _tags(found: Attributes) -> tuple[str, ...]:
    """Return the trace's tags, which the root span has; they are pairs."""
    return tuple(f"{key[len(_TAG) :]}={_text(value) or ''}" for key, value in found.items() if key.startswith(_TAG))


def _documents(value: Any) -> tuple[Document, ...]:  # noqa: ANN401 - any JSON
    return tuple(
        Document(
            id=text(one.get("id")),
            content=text(one.get("page_content")),
            score=number(meta.get("score"))
            if isinstance(meta := one.get("metadata"), dict) and "score" in meta
            else None,
            metadata=plain(meta) if isinstance(meta, dict) else None,
        )
        for one in (value if isinstance(value, list) else ())
        if isinstance(one, dict) and "page_content" in one
    )
