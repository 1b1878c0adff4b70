"""Pydantic AI, in each of its instrumentation's versions (2 to 6): what it says beside or otherwise than `gen_ai.*`."""

from __future__ import annotations

from watchkeeper.ingest.dialects.logfire import cost_of
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.message_events import conversation_of
from watchkeeper.ingest.messages import content_of, messages_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text
from watchkeeper.model import Attributes, Content, Message, RawSpan, SpanKind, Usage, semconv

__all__ = ["PydanticAI"]

_NS, _LONGEST = 1_000_000_000, 10**6
_KINDS: dict[str, SpanKind] = {"agent run": "agent", "running tool": "tool", "running output function": "tool"}
_DETAILS = {
    "reasoning_tokens": "gen_ai.usage.details.reasoning_tokens",
    "input_audio_tokens": "gen_ai.usage.details.input_audio_tokens",
    "output_audio_tokens": "gen_ai.usage.details.output_audio_tokens",
}
_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
_NO_USAGE = Usage()


class PydanticAI:
    """The spans of the scope `pydantic-ai`."""

    name = "pydantic_ai"
    heads = frozenset({"gen_ai", "pydantic_ai"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether it made the span: its tracer's name is its own."""
        return raw.scope.name == "pydantic-ai"

    def read(self, raw: RawSpan) -> Draft:
        """Read what the conventions' own dialect does not."""
        found = raw.attributes
        draft = Draft(kind=_KINDS.get(raw.name), agent_name=text(found.get("agent_name")), cost=cost_of(found))
        operation = found.get(semconv.OPERATION)
        if operation == "chat":
            _chat(found, draft)
        elif operation == "embeddings":
            told = loads(found.get("inputs"))
            draft.input = content_of("\n".join(strings(told)) or plain(told))
        elif operation == "execute_tool" or draft.kind == "tool":
            draft.input = content_of(plain(found.get("tool_arguments")))
            draft.output = content_of(plain(found.get("tool_response")))
        else:
            draft.input, draft.output = _run(found)
        return draft


def _chat(found: Attributes, draft: Draft) -> None:
    counts = {name: count for name, key in _DETAILS.items() if key in found and (count := integer(found[key]))}
    draft.usage = Usage(**counts) if counts else _NO_USAGE
    first = number(found[_FIRST_CHUNK]) if _FIRST_CHUNK in found else None
    if first is not None and 0 <= first < _LONGEST:
        draft.time_to_first_token_ns, draft.streaming = round(first * _NS), True
    if "events" in found:
        events = loads(found["events"])
        given, answer = conversation_of(_named(events))
        draft.input = Content(messages=given) if given else None
        draft.output = Content(messages=answer) if answer else None


def _run(found: Attributes) -> tuple[Content | None, Content | None]:
    """Read an agent's run: all messages but the answer, and the answer."""
    told: tuple[Message, ...] = ()
    if "pydantic_ai.all_messages" in found:
        told = messages_of(found["pydantic_ai.all_messages"], "user")
    elif "all_messages_events" in found:
        given, answer = conversation_of(_named(loads(found["all_messages_events"])))
        told = given + answer
    final = content_of(plain(found.get("final_result")))
    if not told:
        return None, final
    if told[-1].role == "assistant":
        return Content(messages=told[:-1]) if told[:-1] else None, Content(messages=told[-1:])
    return Content(messages=told), final


def _named(events: object) -> list[tuple[str, dict[str, object]]]:
    found = events if isinstance(events, list) else []
    return [(text(one.get("event.name")) or "", one) for one in found if isinstance(one, dict)]
