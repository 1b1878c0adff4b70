"""The canonical rows: what a server tells of the conversation (`conversation.py`), whoever sent it. Written once, here.

Values are in the words of `conformance.py`: messages as `role: text`, costs as `state nano-dollars`, absent ones as None.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests import fake_anthropic, fake_mistral, fake_openai
from tests.clients.conversation import (
    BROKEN_MODEL,
    EMBEDDED,
    EMBEDDING_MODEL,
    ENVIRONMENT,
    MODEL,
    QUESTION,
    RELEASE,
    SERVICE,
    SESSION,
    SYSTEM,
    TAGS,
    USER,
)  # fmt: skip

CALLS = ("root", "ask", "tool", "answer", "stream", "embedding", "failure")
"""The spans of the conversation: under one root, four chat calls, the tool's run after the first, and an embedding."""
TRACE = "trace"
"""Stands for the conversation as a whole, where a cell is about no single call."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "kind": ("kind",),
    "model": ("provider", "request_model", "model"),
    "messages": ("input", "output"),
    "tokens": ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
    "cost": ("cost",),
    "finish reason": ("finish_reasons",),
    "first token": ("streaming", "time_to_first_token"),
    "parameters": ("parameters",),
    "tools": ("tools", "tool_name"),
    "session": ("session",),
    "user": ("user",),
    "tags": ("tags",),
    "service": ("service",),
    "environment": ("environment",),
    "release": ("release",),
    "errors": ("status", "error_type", "error"),
    "tree": ("parent", "present", "one_trace", "counted_once"),
}
"""The fields of a row, in the columns in which they are shown."""

Value = str | int | bool | None
Cell = tuple[str, str]
"""A call and a field."""


@dataclass(frozen=True)
class Provider:
    """What a fake provider answers, and what it is called."""

    name: str
    request_model: str
    model: str
    tokens: tuple[int | None, int | None, int | None, int | None, int | None]
    """Input, output, read from and written to the cache, reasoning."""
    cost: str
    finish: tuple[str, str]
    """Of a call for a tool, and of an answer."""
    call_id: str
    error_type: str
    before: str = ""
    """What it says before it calls for the tool."""
    streamed: str = fake_openai.ANSWER
    embedding: tuple[str, str] | None = (EMBEDDING_MODEL, "computed 100")
    """The model and the cost of an embedding."""


PROVIDERS = {
    "openai": Provider(
        "openai", MODEL, fake_openai.MODEL, (100, 20, 64, None, 7), "computed 22200", ("tool_calls", "stop"),
        "call_1", "openai.InternalServerError",
    ),
    "anthropic": Provider(
        "anthropic", "claude-sonnet-5", fake_anthropic.MODEL, (100, 20, 64, 26, 7), "computed 297800", ("tool_use", "end_turn"),
        "toolu_1", "anthropic.InternalServerError", before="Let me look. ", embedding=None,
    ),
    "mistral": Provider(
        "mistral_ai", "mistral-medium-latest", fake_mistral.MODEL, (100, 20, 64, None, None), "computed 56960",
        ("tool_calls", "stop"), "D681PevKs", "mistralai.client.errors.sdkerror.SDKError",
        embedding=("mistral-embed", "computed 500"),
        streamed=f"{fake_openai.ANSWER} ",
    ),
    "gemini": Provider(
        "gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash", (100, 20, 64, None, 7), "computed 62720", ("STOP", "STOP"),
        "call_1", "google.genai.errors.ServerError", embedding=None,
    ),
}  # fmt: skip
ARGUMENTS = '{"city":"Bern"}'
FOUND = '{"city":"Bern","sky":"clear","temperature":21}'
TOOL = "get_weather: Look up the weather of a city. (city)"


def canonical(speaks: str) -> dict[Cell, Value]:
    """Return each cell's value for the conversation with a provider."""
    provider = PROVIDERS[speaks]
    calls = _calls(provider)
    for name, row in calls.items():
        row |= {
            "present": True,
            "parent": None if name == "root" else "root",
            "status": "error" if name == "failure" else "fine",
            "session": SESSION,
            "user": USER,
            "tags": ", ".join(TAGS),
            "service": SERVICE,
            "environment": ENVIRONMENT,
            "release": RELEASE,
        }
    calls[TRACE] = {"one_trace": True, "counted_once": True}
    return {(call, field): value for call, row in calls.items() for field, value in row.items()}


def _calls(provider: Provider) -> dict[str, dict[str, Value]]:
    asked = f"system: {SYSTEM} | user: {QUESTION}"
    called = f"assistant: {provider.before}{provider.call_id} get_weather {ARGUMENTS}"
    said = f"assistant: {fake_openai.ANSWER}"
    with_tools: dict[str, Value] = {"tools": TOOL, "parameters": '{"temperature":0.2}'}
    nothing = _tokens((None,) * 5)
    failed: dict[str, Value] = {
        "kind": "llm", "provider": provider.name, "request_model": BROKEN_MODEL, "model": BROKEN_MODEL,
        "input": f"user: {QUESTION}", "output": None, **nothing, "cost": "unpriced", "finish_reasons": None,
        "error_type": provider.error_type, "error": "the model is broken",
    }  # fmt: skip
    calls: dict[str, dict[str, Value]] = {
        "root": {"kind": "agent", "input": QUESTION, "output": fake_openai.ANSWER, **nothing, "cost": None},
        "ask": {**_chat(provider), **with_tools, "input": asked, "output": called, "finish_reasons": provider.finish[0]},
        "tool": {"kind": "tool", "tool_name": "get_weather", "input": ARGUMENTS, "output": FOUND, **nothing, "cost": None},
        "answer": {
            **_chat(provider), **with_tools,
            "input": f"{asked} | {called} | tool: {provider.call_id} = {FOUND}", "output": said,
        },
        "stream": {
            **_chat(provider), "input": f"user: {QUESTION}", "output": f"assistant: {provider.streamed}",
            "streaming": True, "time_to_first_token": True,
        },
        "failure": failed,
    }  # fmt: skip
    if provider.embedding:
        model, cost = provider.embedding
        calls["embedding"] = {
            "kind": "embedding", "provider": provider.name, "request_model": model, "model": model, "input": EMBEDDED,
            **_tokens((5, None, None, None, None)), "cost": cost,
        }  # fmt: skip
    return calls


def _chat(provider: Provider) -> dict[str, Value]:
    return {
        "kind": "llm", "provider": provider.name, "request_model": provider.request_model, "model": provider.model,
        **_tokens(provider.tokens), "cost": provider.cost, "finish_reasons": provider.finish[1], "streaming": False,
    }  # fmt: skip


def _tokens(counts: tuple[int | None, ...]) -> dict[str, Value]:
    return dict(zip(COLUMNS["tokens"], counts, strict=True))
