"""A conversation told as one event a message, as OpenTelemetry's conventions had it before 1.37."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchkeeper.ingest.messages import messages_of
from watchkeeper.ingest.read import loads
from watchkeeper.model import Message

__all__ = ["MESSAGE_EVENTS", "Conversation", "conversation_of"]

Conversation = tuple[tuple[Message, ...], tuple[Message, ...]]
"""What was given and what was answered."""
_CHOICE = "gen_ai.choice"
MESSAGE_EVENTS = {
    "gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool", _CHOICE: "assistant",
}  # fmt: skip
"""The events' names, and whose message each is where it does not say."""


def conversation_of(events: Iterable[tuple[str, Any]]) -> Conversation:
    """Read events, each its name and what it holds; other events are passed over."""
    given: list[Message] = []
    answer: list[Message] = []
    for name, body in events:
        role = MESSAGE_EVENTS.get(name)
        if role is None or not isinstance(body, dict):
            continue
        if name == _CHOICE:
            told = loads(body.get("message"))
            # Some have the message's fields beside the reason, not inside a message.
            inner = told if isinstance(told, dict) else {"content": told} if told else body
            answer += messages_of([{**inner, "finish_reason": body.get("finish_reason")}], role)
        else:
            given += messages_of([{"role": role, "tool_call_id": body.get("id"), **body}], role)
    return tuple(given), tuple(answer)
