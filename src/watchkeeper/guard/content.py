"""Mode `off`: what carries prompts, answers, tool calls and documents is dropped, in whatever dialect; figures are kept.

Keys that are known for content are dropped by name. A dialect nobody knows yet fails safe: of keys that are not
structure, text that is long, structured or of several lines is content too.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
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
    "db.statement", "exception.message", "exception.stacktrace", "process.command_args",
    "process.command_line", "url.query", "url.full", "http.url", "http.target",
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
    # OpenLIT
    "function.args", "function.kwargs", "gen_ai.tool.args",
    # Helicone's logs
    "helicone.text",
    # Claude Code's spans and events
    "user_prompt", "new_context", "response.model_output", "system_prompt_preview", "user_system_prompt", "system_reminders",
    "tool_input", "tool_parameters", "prompt_text", "full_command", "bash_command", "file_path", "body", "content", "diff",
    # Gemini CLI's events
    "request_text", "response_text", "function_args",
    # what people write by hand
    "prompt", "completion", "input", "output", "question", "answer", "query", "response", "messages", "arguments", "result",
})  # fmt: skip
_STARTS = (
    "llm.input_messages.", "llm.output_messages.", "llm.prompts.", "llm.choices.", "llm.completions.", "llm.tools.",
    "llm.request.functions.",
    "embedding.embeddings.", "langfuse.observation.metadata", "langfuse.trace.metadata", "http.request.header.",
    "http.response.header.", "http.request.body", "http.response.body", "db.query.parameter.", "traceloop.prompt.",
    "helicone.request.", "helicone.response.", "helicone.property.",
)  # fmt: skip
_NAMES = frozenset({
    "helicone.request.model", "helicone.request._type", "helicone.request.toolName", "helicone.response.model",
    "helicone.response.id",
})  # fmt: skip
"""Names among keys that begin as content does."""
_INDEXED = re.compile(r"(?:gen_ai\.(?:prompt|completion|tool)|(?:retrieval|reranker)\.[a-z_]*documents)\.[0-9]+\.")
_FIGURES = (".score", ".role", ".finish_reason", ".document.id")
_COUNTED = re.compile(r"usage|token|cost", re.IGNORECASE)
"""Keys under which some write a whole object of figures as one text."""
_NAME_OF_FIGURE = re.compile(r"""(["'])[A-Za-z_][A-Za-z0-9_.]{0,60}\1\s*:""")
_ONLY_FIGURES = re.compile(r"(?:[\s{},0-9.eE+-]|null|true|false|None|True|False)*")
_FIGURES_MAX = 4_000
_LONGEST = 120
_PLAIN = frozenset({bool, int, float, type(None)})
_KEYS_KEPT = 20_000


class _Rule(Enum):
    """What a key alone says of its value."""

    CONTENT = 0
    FIGURE = 1
    STRUCTURE = 2
    UNKNOWN = 3


def strip_span(raw: RawSpan) -> tuple[RawSpan, int]:
    """Drop the content of a span; returns what is left, and how many attributes and texts were dropped."""
    attributes, dropped = _strip(raw.attributes)
    resource, of_resource = _strip(raw.resource)
    changes: dict[str, object] = {"attributes": attributes, "resource": resource, "status_message": ""}
    dropped += of_resource + bool(raw.status_message)
    if raw.scope.attributes:
        of_scope, count = _strip(raw.scope.attributes)
        changes["scope"] = Scope(name=raw.scope.name, version=raw.scope.version, attributes=of_scope)
        dropped += count
    if raw.events:
        events = [_event(event) for event in raw.events]
        changes["events"] = tuple(event for event, _ in events)
        dropped += sum(count for _, count in events)
    if raw.links:
        links = [(link, *_strip(link.attributes)) for link in raw.links]
        changes["links"] = tuple(
            RawLink(trace_id=link.trace_id, span_id=link.span_id, attributes=own) for link, own, _ in links
        )
        dropped += sum(count for *_, count in links)
    if raw.logs:
        logs = [strip_log(log) for log in raw.logs]
        changes["logs"] = tuple(log for log, _ in logs)
        dropped += sum(count for _, count in logs)
    return (msgspec.structs.replace(raw, **changes) if dropped else raw), dropped


def strip_log(log: RawLog) -> tuple[RawLog, int]:
    """Drop the content of a log record: its body always, of its attributes what carries content."""
    attributes, dropped = _strip(log.attributes)
    dropped += log.body is not None
    return msgspec.structs.replace(log, body=None, attributes=attributes), dropped


def _event(event: RawEvent) -> tuple[RawEvent, int]:
    attributes, dropped = _strip(event.attributes)
    return RawEvent(name=event.name, time=event.time, attributes=attributes), dropped


def _strip(attributes: Attributes) -> tuple[Attributes, int]:
    """Return the map without content, the very same map where there is none, and how much was dropped."""
    gone = [key for key, value in attributes.items() if type(value) not in _PLAIN and _is_content(key, value)]
    if not gone:
        return attributes, 0
    kept = dict(attributes)
    for key in gone:
        del kept[key]
    return kept, len(gone)


def _is_content(key: str, value: AttributeValue) -> bool:
    """Say it of a text, bytes or a nested value."""
    rule = _rule(key)
    if rule is not _Rule.UNKNOWN:
        return rule is _Rule.CONTENT or (rule is _Rule.STRUCTURE and isinstance(value, (bytes, dict)))
    if isinstance(value, str):
        if value[:1] == "{" and _COUNTED.search(key) and _is_figures(value):
            return False
        return len(value) > _LONGEST or "\n" in value or value[:1] in {"{", "["}
    if isinstance(value, list):
        return not all(isinstance(one, str) and len(one) <= _LONGEST for one in value)
    return True


def _is_figures(text: str) -> bool:
    """Say whether an object, as JSON or as Python writes it, holds nothing but names of figures and figures."""
    return len(text) <= _FIGURES_MAX and _ONLY_FIGURES.fullmatch(_NAME_OF_FIGURE.sub("", text)) is not None


@lru_cache(maxsize=_KEYS_KEPT)
def _rule(key: str) -> _Rule:
    if key in _NAMES:
        return _Rule.STRUCTURE
    if key in _EXACT or key.startswith(_STARTS):
        return _Rule.CONTENT
    if _INDEXED.match(key):
        return _Rule.FIGURE if key.endswith(_FIGURES) else _Rule.CONTENT
    return _Rule.STRUCTURE if role_of(key) in {Role.STRUCTURE, Role.IDENTITY} else _Rule.UNKNOWN
