"""Attribute keys: OTel's GenAI and core conventions as of 2026-11, and our own few."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AGENT_NAME", "CONVERSATION_ID", "ENVIRONMENT", "ERROR_TYPE", "FINISH_REASONS", "INPUT_MESSAGES", "LANGFUSE_TRACE",
    "LOGFIRE_PENDING", "LOGFIRE_SPAN_TYPE", "MASKED_PREFIX", "OPERATION", "OUTPUT_MESSAGES", "PROVIDER",
    "REQUEST_MODEL", "REQUEST_PREFIX", "RESPONSE_ID", "RESPONSE_MODEL", "SERVER_ADDRESS", "SERVER_PORT",
    "SERVICE_NAME", "SERVICE_VERSION", "SESSION_ID", "SYSTEM_INSTRUCTIONS", "TIME_TO_FIRST_CHUNK", "TOOL_ARGUMENTS",
    "TOOL_CALL_ID", "TOOL_DEFINITIONS", "TOOL_NAME", "TOOL_RESULT", "USAGE_CACHE_READ", "USAGE_CACHE_WRITE",
    "USAGE_INPUT", "USAGE_OUTPUT", "USAGE_REASONING", "USER_ID", "WK_INPUT", "WK_KIND", "WK_OUTPUT", "WK_TAGS",
]  # fmt: skip

SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
ENVIRONMENT: Final = "deployment.environment.name"
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_PREFIX: Final = "gen_ai.request."
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
AGENT_NAME: Final = "gen_ai.agent.name"
USAGE_INPUT: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"

LANGFUSE_TRACE: Final = "langfuse.legacy.trace_id"
"""The id of a trace as Langfuse's ingestion batch tells it, several events maybe of one."""
LOGFIRE_SPAN_TYPE: Final = "logfire.span_type"
LOGFIRE_PENDING: Final = "pending_span"
"""The value of a record that Logfire sends as a span begins; the span's own record comes when it ends."""

WK_KIND: Final = "watchkeeper.kind"
WK_INPUT: Final = "watchkeeper.input"
WK_OUTPUT: Final = "watchkeeper.output"
WK_TAGS: Final = "watchkeeper.tags"
MASKED_PREFIX: Final = "watchkeeper.masked."
"""Before a kind: how many of it were masked in the record. Ours alone to write."""
