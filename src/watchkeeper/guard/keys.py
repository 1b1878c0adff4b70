"""What an attribute's key says about its value, before anyone reads the value."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from watchkeeper.guard.rules.named_secret import names_secret
from watchkeeper.model.semconv import MASKED_PREFIX

__all__ = ["COUNT_PREFIX", "Role", "role_of"]

COUNT_PREFIX: Final = MASKED_PREFIX
"""Attributes that say how many of a kind were masked; ours alone to write."""


class Role(IntEnum):
    """How a value is treated."""

    CONTENT = 0
    """Masked for everything."""
    STRUCTURE = 1
    """A name or an id that queries need: masked for secrets and e-mail addresses, its digits are let be."""
    IDENTITY = 2
    """Who and which conversation: what is found is replaced by a stable pseudonym, so that grouping survives."""
    SECRET = 3
    """A secret by its name, whatever it looks like."""
    RESERVED = 4
    """Written by us alone; dropped where a client sends it."""


_IDENTITY = frozenset({
    "user.id", "enduser.id", "session.id", "gen_ai.conversation.id", "langfuse.user.id", "langfuse.session.id", "user_id",
    "session_id", "langfuse.trace.user_id", "ai.telemetry.metadata.userId", "ai.telemetry.metadata.sessionId",
    "traceloop.association.properties.user_id", "traceloop.association.properties.session_id", "conversation.id",
    "thread.id", "gen_ai.user.id", "traceloop.association.properties.Helicone-User-Id",
    "traceloop.association.properties.Helicone-Session-Id",
})  # fmt: skip
_STRUCTURE = (
    "service.", "telemetry.", "deployment.", "gen_ai.request.", "gen_ai.response.", "gen_ai.usage.", "gen_ai.provider.",
    "gen_ai.operation.", "gen_ai.system", "gen_ai.agent.", "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.prompt.name",
    "gen_ai.prompt.version", "gen_ai.token.", "llm.model_name", "llm.provider", "llm.system", "llm.token_count.", "llm.cost.",
    "llm.request.model_name", "llm.response.model_name", "embedding.model_name", "reranker.model_name", "agent.name",
    "openinference.span.kind", "openinference.project.", "watchkeeper.kind", "host.", "os.", "cloud.", "k8s.", "container.",
    "server.", "client.port", "network.", "net.", "rpc.", "http.request.method", "http.response.status_code", "error.type",
    "exception.type", "helicone.request.model", "helicone.response.model", "helicone.session.", "helicone.prompt.",
    "helicone.log", "code.", "process.pid", "process.runtime.", "thread.name", "library.", "otel.",
)  # fmt: skip
_CONTENT_ANYWAY = ("gen_ai.system_instructions", "http.request.header.", "http.response.header.")


def role_of(key: str) -> Role:
    """Return the role of an attribute by its key."""
    if key.startswith(COUNT_PREFIX):
        return Role.RESERVED
    if key in _IDENTITY:
        return Role.IDENTITY
    if names_secret(key):
        return Role.SECRET
    if key.startswith(_CONTENT_ANYWAY):
        return Role.CONTENT
    if key.startswith(_STRUCTURE) or key.endswith((".id", "_id")):
        return Role.STRUCTURE
    return Role.CONTENT
