"""A provider's request and answer as JSON bodies: OpenAI's interfaces, Anthropic's Messages and Gemini's generateContent.

Total: what has none of these shapes gives nothing. Sources: the providers' API references as of 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.ingest.messages import messages_of, part_of
from watchkeeper.ingest.read import integer, loads, plain, text
from watchkeeper.model import Content, Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart, Usage

__all__ = ["answered", "asked", "finishes", "gemini_turns", "parameters", "tools", "turns", "used"]

Body = Mapping[str, Any]
_CONTENT = frozenset({
    "messages", "input", "prompt", "contents", "system", "instructions", "systemInstruction", "system_instruction", "tools",
    "model", "stream", "stream_options", "metadata", "user", "config", "generationConfig",
})  # fmt: skip
_GEMINI_ROLES = {"model": "assistant", "function": "tool"}
_NO_USAGE = Usage()


def asked(body: Body) -> Content | None:
    """Return what a request asks: a conversation, a plain text, or nothing."""
    system = body.get("system", body.get("instructions"))
    given: tuple[Message, ...] = ()
    if isinstance(found := body.get("messages"), list):
        given = turns(found)
    elif isinstance(found := body.get("contents"), list | str):
        system = (
            system
            or body.get("systemInstruction")
            or body.get("system_instruction")
            or _config(body, "systemInstruction")
        )
        given = gemini_turns(found)
    elif isinstance(found := body.get("input", body.get("prompt")), list):
        if all(isinstance(one, str) for one in found):
            return Content(text="\n".join(found)) if found else None
        given = _items(found)
    elif isinstance(found, str) and found:
        if not system:
            return Content(text=found)
        given = messages_of(found, "user")
    said = _system(system)
    return Content(messages=said + given) if said or given else None


def answered(body: Body) -> Content | None:
    """Return what an answer says: one message a choice."""
    found: tuple[Message, ...] = ()
    if isinstance(choices := body.get("choices"), list):
        found = tuple(one for choice in choices if isinstance(choice, dict) for one in _choice(choice))
    elif isinstance(output := body.get("output"), list):
        found = _joined(_items(output))
    elif isinstance(content := body.get("content"), list):
        found = turns([{"role": "assistant", "content": content}])
    elif isinstance(candidates := body.get("candidates"), list):
        found = tuple(
            one
            for told in candidates
            if isinstance(told, dict)
            for one in gemini_turns([told.get("content")], "assistant")
        )
    return Content(messages=found) if found else None


def finishes(body: Body) -> tuple[str, ...]:
    """Return why an answer ended, in the provider's word, one a choice."""
    for name, key in (("choices", "finish_reason"), ("candidates", "finishReason")):
        if isinstance(found := body.get(name), list):
            return tuple(reason for one in found if isinstance(one, dict) and (reason := text(one.get(key))))
    told = body.get("stop_reason")
    if told is None and isinstance(body.get("output"), list):
        called = any(isinstance(one, dict) and one.get("type") == "function_call" for one in body["output"])
        told = {"completed": "tool_calls" if called else "stop"}.get(str(body.get("status")))
    return (told,) if isinstance(told, str) and told else ()


def used(usage: Any) -> Usage:  # noqa: ANN401 - JSON is any shape
    """Read an answer's `usage` or `usageMetadata` to inclusive totals; nested details may stand flat, with dots."""
    if not isinstance(usage, Mapping):
        return _NO_USAGE
    found: dict[str, int] = {}
    for key, value in usage.items():
        if type(value) is dict:
            for inner, more in value.items():
                _count(found, f"{key}.{inner}", more)
        else:
            _count(found, key, value)
    if not found:
        return _NO_USAGE
    # Anthropic alone counts the cache beside the input, and Gemini the thoughts beside the answer.
    beside = found.pop("read_beside", None), found.pop("written_beside", None)
    if "input_tokens" in found:
        found["input_tokens"] += (beside[0] or 0) + (beside[1] or 0) + found.pop("tools_beside", 0)
    found.pop("tools_beside", None)
    if beside[0] is not None:
        found["cache_read_tokens"] = beside[0]
    if beside[1] is not None:
        found["cache_write_tokens"] = beside[1]
    if (thought := found.pop("thoughts_beside", None)) is not None:
        found["reasoning_tokens"] = thought
        found["output_tokens"] = found.get("output_tokens", 0) + thought
    return Usage(**found)


_COUNTS = {
    "prompt_tokens": "input_tokens", "completion_tokens": "output_tokens",
    "input_tokens": "input_tokens", "output_tokens": "output_tokens",
    "num_cached_tokens": "cache_read_tokens",
    "prompt_tokens_details.cached_tokens": "cache_read_tokens", "input_tokens_details.cached_tokens": "cache_read_tokens",
    "input_tokens_details.cache_write_tokens": "cache_write_tokens",
    "completion_tokens_details.reasoning_tokens": "reasoning_tokens",
    "output_tokens_details.reasoning_tokens": "reasoning_tokens",
    "output_tokens_details.thinking_tokens": "reasoning_tokens",
    "prompt_tokens_details.audio_tokens": "input_audio_tokens",
    "completion_tokens_details.audio_tokens": "output_audio_tokens",
    "cache_read_input_tokens": "read_beside", "cache_creation_input_tokens": "written_beside",
    "promptTokenCount": "input_tokens", "candidatesTokenCount": "output_tokens",
    "cachedContentTokenCount": "cache_read_tokens", "thoughtsTokenCount": "thoughts_beside",
    "toolUsePromptTokenCount": "tools_beside",
}  # fmt: skip
"""The providers' counts, and which of ours each is or is added to."""


def _count(found: dict[str, int], key: str, value: Any) -> None:  # noqa: ANN401 - JSON is any shape
    name = _COUNTS.get(key)
    if name is not None and name not in found and (count := integer(value)) is not None:
        found[name] = count


def parameters(body: Body) -> dict[str, Any]:
    """Return a request's settings: everything that is neither content nor the model."""
    told = {key: plain(value) for key, value in body.items() if key not in _CONTENT}
    for name in ("generationConfig", "config"):
        if isinstance(inner := body.get(name), dict):
            told |= {key: plain(value) for key, value in inner.items() if key not in _CONTENT}
    return told


def tools(body: Body) -> tuple[Any, ...]:
    """Return the tools that a request offers."""
    found = body.get("tools") or _config(body, "tools")
    if not isinstance(found, list):
        return ()
    flat: list[Any] = []
    for one in found:
        declared = one.get("functionDeclarations") if isinstance(one, dict) else None
        flat += declared if isinstance(declared, list) else [one]
    return tuple(_declared(plain(one)) for one in flat)


def _declared(tool: Any) -> Any:  # noqa: ANN401 - JSON is any shape
    """Return a tool with its schema under the word that every other provider has for it."""
    if isinstance(tool, dict) and "parametersJsonSchema" in tool:
        return {("parameters" if key == "parametersJsonSchema" else key): value for key, value in tool.items()}
    return tool


def _config(body: Body, key: str) -> Any:  # noqa: ANN401 - JSON is any shape
    config = body.get("config")
    return config.get(key) if isinstance(config, dict) else None


def _system(told: Any) -> tuple[Message, ...]:  # noqa: ANN401 - JSON is any shape
    if isinstance(told, dict):
        told = told.get("parts", [told])
    return messages_of([{"role": "system", "content": told}], "system") if told else ()


def turns(given: list[Any]) -> tuple[Message, ...]:
    """Read messages; tool results, which Anthropic has the user bring, become turns of the tool."""
    found: list[Message] = []
    for one in messages_of(given, "user"):
        results = tuple(_result(part) for part in one.parts if isinstance(part, ToolResultPart))
        rest = tuple(part for part in one.parts if not isinstance(part, ToolResultPart))
        found += [Message(role="tool", parts=(part,)) for part in results]
        if rest or not results:
            found.append(one if not results else Message(role=one.role, parts=rest))
    return tuple(found)


def _result(part: ToolResultPart) -> ToolResultPart:
    blocks = part.result
    if isinstance(blocks, list) and blocks and all(isinstance(one, dict) and "text" in one for one in blocks):
        return ToolResultPart(id=part.id, result=loads("".join(str(one["text"]) for one in blocks)))
    return part


def _choice(choice: dict[str, Any]) -> tuple[Message, ...]:
    message = choice.get("message", choice.get("text"))
    told = message if isinstance(message, dict) else {"role": "assistant", "content": message}
    return messages_of([{**told, "finish_reason": choice.get("finish_reason")}], "assistant")


def _items(items: list[Any]) -> tuple[Message, ...]:
    """Read the items of OpenAI's Responses."""
    found: list[Message] = []
    for one in items:
        kind = text(one.get("type")) if isinstance(one, dict) else None
        if kind in {"function_call", "function_call_output"}:
            role = "assistant" if kind == "function_call" else "tool"
            found.append(Message(role=role, parts=(part_of(one),)))
        elif kind == "reasoning":
            said = one.get("summary")
            texts = [str(part.get("text")) for part in said if isinstance(part, dict)] if isinstance(said, list) else []
            found.append(Message(role="assistant", parts=(ReasoningPart("\n".join(texts)),)))
        else:
            found.extend(messages_of([one], "user"))
    return tuple(found)


def _joined(found: tuple[Message, ...]) -> tuple[Message, ...]:
    parts = tuple(part for one in found for part in one.parts)
    return (Message(role="assistant", parts=parts),) if parts else ()


def gemini_turns(contents: Any, default: str = "user") -> tuple[Message, ...]:  # noqa: ANN401 - JSON is any shape
    """Read Gemini's contents."""
    if isinstance(contents, str):
        return messages_of(contents, default)
    found: list[Message] = []
    for one in contents:
        if not isinstance(one, dict):
            found.extend(messages_of([one], default))
            continue
        role, parts = text(one.get("role")) or default, one.get("parts")
        read = tuple(map(_gemini_part, parts if isinstance(parts, list) else [parts]))
        if read and all(isinstance(part, ToolResultPart) for part in read):
            role = "tool"
        found.append(Message(role=_GEMINI_ROLES.get(role, role), parts=read))
    return tuple(found)


def _gemini_part(part: Any) -> Part:  # noqa: ANN401 - JSON is any shape
    if not isinstance(part, dict):
        return TextPart(part if isinstance(part, str) else "")
    call, result = part.get("functionCall"), part.get("functionResponse")
    if isinstance(call, dict):
        return ToolCallPart(
            id=text(call.get("id")), name=text(call.get("name")) or "", arguments=plain(call.get("args"))
        )
    if isinstance(result, dict):
        return ToolResultPart(id=text(result.get("id")), result=plain(result.get("response")))
    if part.get("thought") is True and isinstance(part.get("text"), str):
        return ReasoningPart(part["text"])
    return part_of(part)
