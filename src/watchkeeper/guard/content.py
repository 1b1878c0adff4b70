"""Mode `off`: what carries prompts, answers, tool calls and documents is dropped, in whatever dialect; figures are kept.

Keys that are known for content are dropped by name. A dialect nobody knows yet fails safe: of keys that are not
structure, text that is long, structured or of several lines is content too.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from watchkeeper.guard.keys import Role, role_of
from watchkeeper.model import Attributes, AttributeValue, RawEvent, RawLink, RawLog, RawSpan, Scope

__all__ = ["DROPPED", "strip_log", "strip_span"]

DROPPED: Final = "content"
"""The kind under which dropped attributes are counted."""

_EXACT = frozenset({
    # OpenTelemetry
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.description", "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents", "gen_ai.prompt", "gen_ai.completion", "gen_ai.evaluation.explanation", "db.query.text",
    "db.statement", "exception.message", "exception.stacktrace", "url.query", "url.full", "http.url", "http.target",
    # ours
    "watchkeeper.input", "watchkeeper.output",
    # OpenInference
    "input.value", "output.value", "llm.prompt_template.template", "llm.prompt_template.variables", "llm.function_call",
    "reranker.query", "tool.parameters", "tool.description", "tool.json_schema", "metadata", "llm.prompts", "llm.completions",
    # OpenLLMetry
    "traceloop.entity.input", "traceloop.entity.output",
    # Langfuse
    "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output",
    "langfuse.observation.status_message",
    # Vercel's AI SDK
    "ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.text", "ai.response.object", "ai.response.toolCalls",
    "ai.response.reasoning", "ai.toolCall.args", "ai.toolCall.result", "ai.value", "ai.values", "ai.embedding",
    "ai.embeddings", "ai.result.text", "ai.result.object", "ai.result.toolCalls",
    # Pydantic AI and Logfire, MLflow, Haystack
    "all_messages_events", "pydantic_ai.all_messages", "events", "final_result", "tool_arguments", "tool_response",
    "request_data", "response_data", "logfire.msg", "mlflow.spanInputs", "mlflow.spanOutputs", "haystack.component.input",
    "haystack.component.output",
    # what people write by hand
    "prompt", "completion", "input", "output", "question", "answer", "query", "response", "messages", "arguments", "result",
})  # fmt: skip
_STARTS = (
    "llm.input_messages.", "llm.output_messages.", "llm.prompts.", "llm.choices.", "llm.completions.", "llm.tools.",
    "embedding.embeddings.", "langfuse.observation.metadata", "langfuse.trace.metadata", "http.request.header.",
    "http.response.header.", "http.request.body", "http.response.body", "db.query.parameter.", "traceloop.prompt.",
)  # fmt: skip
_INDEXED = re.compile(r"(?:gen_ai\.(?:prompt|completion)|(?:retrieval|reranker)\.[a-z_]*documents)\.[0-9]+\.")
_FIGURES = (".score", ".role", ".finish_reason", ".document.id")
_LONGEST = 120


def strip_span(raw: RawSpan) -> tuple[RawSpan, int]:
    """Drop the content of a span; returns what is left, and how many attributes and texts were dropped."""
    attributes, dropped = _strip(raw.attributes)
    resource, more = _strip(raw.resource)
    scope, of_scope = _strip(raw.scope.attributes)
    events = tuple(_event(event) for event in raw.events)
    links = tuple((link, *_strip(link.attributes)) for link in raw.links)
    logs = tuple(strip_log(log) for log in raw.logs)
    dropped += more + of_scope + bool(raw.status_message) + sum(count for _, count in events)
    dropped += sum(count for *_, count in links) + sum(count for _, count in logs)
    return (
        msgspec.structs.replace(
            raw,
            attributes=attributes,
            resource=resource,
            scope=Scope(name=raw.scope.name, version=raw.scope.version, attributes=scope),
            status_message="",
            events=tuple(event for event, _ in events),
            links=tuple(
                RawLink(trace_id=link.trace_id, span_id=link.span_id, attributes=own) for link, own, _ in links
            ),
            logs=tuple(log for log, _ in logs),
        ),
        dropped,
    )


def strip_log(log: RawLog) -> tuple[RawLog, int]:
    """Drop the content of a log record: its body always, of its attributes what carries content."""
    attributes, dropped = _strip(log.attributes)
    dropped += log.body is not None
    return msgspec.structs.replace(log, body=None, attributes=attributes), dropped


def _event(event: RawEvent) -> tuple[RawEvent, int]:
    attributes, dropped = _strip(event.attributes)
    return RawEvent(name=event.name, time=event.time, attributes=attributes), dropped


def _strip(attributes: Attributes) -> tuple[Attributes, int]:
    kept = {key: value for key, value in attributes.items() if not _is_content(key, value)}
    return kept, len(attributes) - len(kept)


def _is_content(key: str, value: AttributeValue) -> bool:  # noqa: PLR0911 - one line a reason
    if value is None or isinstance(value, bool | int | float):
        return False
    if key in _EXACT or key.startswith(_STARTS):
        return True
    if _INDEXED.match(key):
        return not key.endswith(_FIGURES)
    if role_of(key) in {Role.STRUCTURE, Role.IDENTITY}:
        return isinstance(value, bytes | dict)
    if isinstance(value, str):
        return len(value) > _LONGEST or "\n" in value or value[:1] in {"{", "["}
    if isinstance(value, list):
        return not all(isinstance(one, str) and len(one) <= _LONGEST for one in value)
    return True
