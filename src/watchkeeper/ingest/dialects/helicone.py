"""Helicone's log, as `ingest.helicone` wrote it into a span: the provider's own bodies, field by field."""

from __future__ import annotations

import re
from typing import Any

from watchkeeper.ingest import bodies
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import number, plain, text
from watchkeeper.model import Attributes, RawSpan, SpanKind

__all__ = ["Helicone"]

_REQUEST, _RESPONSE = "helicone.request.", "helicone.response."
_ASSOCIATED = "traceloop.association.properties.Helicone-"
_SESSION, _USER = f"{_ASSOCIATED}Session-Id", f"{_ASSOCIATED}User-Id"
_PROVIDERS = {"oai": "openai", "anthropic": "anthropic", "googleapis": "gcp.gemini"}
_NAMED = {"openai": "openai", "anthropic": "anthropic", "google": "gcp.gemini", "gemini": "gcp.gemini"}
_MODELS = (
    (re.compile(r"(?:gpt-|chatgpt-|o[1-9](?:-|$)|text-embedding-)"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "gcp.gemini"),
)
"""A log sent to /custom names no provider; these names are one provider's alone."""
_KINDS: dict[str, SpanKind] = {"tool": "tool", "vector_db": "retriever", "data": "span"}
_OWN = frozenset({"_type", "toolName"})
_MS = 1_000_000
_LONGEST = 1e9


class Helicone:
    """`helicone.*`, and Helicone's words among OpenLLMetry's association properties."""

    name = "helicone"
    heads = frozenset({"helicone", "traceloop"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether the span was a log, or one of Helicone's asynchronous loggers names its session or user."""
        return "helicone.log" in raw.attributes or _SESSION in raw.attributes or _USER in raw.attributes

    def read(self, raw: RawSpan) -> Draft:
        """Read the provider's bodies, or whose call it was."""
        found = raw.attributes
        if "helicone.log" not in found:
            return Draft(
                session_id=text(found.get(_SESSION)),
                user_id=text(found.get(_USER)),
                environment=text(found.get(f"{_ASSOCIATED}Property-Environment")),
                release=text(found.get(f"{_ASSOCIATED}Property-Release")),
                prompt_name=text(found.get(f"{_ASSOCIATED}Prompt-Id")),
            )
        asked, answer, usage = _split(found)
        kind = _KINDS.get(text(asked.get("_type")) or "")
        draft = Draft(
            kind=kind,
            prompt_name=text(found.get("helicone.prompt.id")),
            prompt_version=text(found.get("helicone.prompt.version")),
        )
        if kind is None:
            _call(draft, found, asked, answer)
            draft.usage = bodies.used(usage)
        else:
            draft.tool_name = text(asked.get("toolName")) if kind == "tool" else None
            draft.input = content_of(plain(asked["input"] if "input" in asked else _rest(asked)))
            draft.output = content_of(plain(_rest(answer) or None))
        return draft


def _call(draft: Draft, found: Attributes, asked: dict[str, Any], answer: dict[str, Any]) -> None:
    model, prose = text(asked.get("model")), text(found.get("helicone.text"))
    vectors = answer.get("data")
    is_embedding = (
        isinstance(vectors, list) and bool(vectors) and isinstance(vectors[0], dict) and "embedding" in vectors[0]
    )
    draft.kind = "embedding" if is_embedding or (model or "").startswith("text-embedding-") else "llm"
    draft.request_model = model
    draft.response_model = (
        text(found.get("helicone.model_override")) or text(answer.get("model")) or text(answer.get("modelVersion"))
    )
    draft.provider = _provider(found, draft.request_model or draft.response_model)
    draft.response_id = text(answer.get("id")) or text(answer.get("responseId"))
    draft.finish_reasons = bodies.finishes(answer)
    draft.parameters = {key: value for key, value in bodies.parameters(asked).items() if key not in _OWN}
    draft.tools = bodies.tools(asked)
    first = number(found.get("helicone.time_to_first_token_ms"))
    draft.time_to_first_token_ns = round(first * _MS) if first is not None and 0 <= first < _LONGEST else None
    draft.streaming = asked.get("stream") is True or draft.time_to_first_token_ns is not None
    draft.input = bodies.asked(asked) or content_of(plain(_rest(asked, "model") or None))
    if not is_embedding:
        draft.output = bodies.answered(answer) or content_of(prose)


def _provider(found: Attributes, model: str | None) -> str | None:
    log = text(found.get("helicone.log")) or ""
    if log in _PROVIDERS:
        return _PROVIDERS[log]
    told = text(found.get("helicone.provider"))
    if told is not None and told.lower() != "custom":
        return _NAMED.get(told.lower(), told.lower())
    return next((name for pattern, name in _MODELS if pattern.match(model or "")), None)


def _split(found: Attributes) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the request's fields, the answer's, and those of the answer's usage, by what follows their prefix."""
    asked: dict[str, Any] = {}
    answer: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    for key, value in found.items():
        if key[:17] == _REQUEST:
            asked[key[17:]] = value
        elif key[:18] == _RESPONSE:
            name = key[18:]
            if name[:5] == "usage":
                usage[name.partition(".")[2]] = value
            else:
                answer[name] = value
    return asked, answer, usage


def _rest(body: dict[str, Any], *without: str) -> dict[str, Any]:
    """Return a body less what the helper adds to it."""
    return {key: value for key, value in body.items() if key not in _OWN and key not in without}
