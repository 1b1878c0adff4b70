"""The dialects, in the order in which they are believed."""

from __future__ import annotations

from watchkeeper.ingest.dialects.claude_code import ClaudeCode
from watchkeeper.ingest.dialects.gemini_cli import GeminiCli
from watchkeeper.ingest.dialects.helicone import Helicone
from watchkeeper.ingest.dialects.langfuse import Langfuse
from watchkeeper.ingest.dialects.litellm import LiteLLM
from watchkeeper.ingest.dialects.logfire import Logfire
from watchkeeper.ingest.dialects.mlflow import MLflow
from watchkeeper.ingest.dialects.openinference import OpenInference
from watchkeeper.ingest.dialects.openlit import OpenLit
from watchkeeper.ingest.dialects.otel_genai import OtelGenAI
from watchkeeper.ingest.dialects.otel_legacy import OtelLegacy
from watchkeeper.ingest.dialects.own import Own
from watchkeeper.ingest.dialects.pydantic_ai import PydanticAI
from watchkeeper.ingest.dialects.traceloop import Traceloop
from watchkeeper.ingest.dialects.vercel import Vercel
from watchkeeper.ingest.draft import Dialect
from watchkeeper.kit.registry import Registry

__all__ = ["registry"]


def registry() -> Registry[Dialect]:
    """Return a new registry of every dialect we read; for a field two of them give, the earlier wins."""
    table: Registry[Dialect] = Registry("dialect")
    for dialect in (
        Own(),
        Langfuse(),
        Logfire(),
        PydanticAI(),
        ClaudeCode(),
        GeminiCli(),
        LiteLLM(),
        OpenLit(),
        MLflow(),
        Vercel(),
        OtelGenAI(),
        OtelLegacy(),
        OpenInference(),
        Traceloop(),
        Helicone(),
    ):
        table.add(dialect.name, dialect)
    return table
