"""Shapes of the ingestion batch, as Langfuse's clients send and read them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from watchkeeper.server.schemas import Model

__all__ = ["BatchIn", "BatchOut", "Failed", "Stored"]


class BatchIn(Model):
    """Events; what else a client says of itself is not needed."""

    model_config = ConfigDict(extra="ignore")

    batch: Annotated[list[Any], Field(max_length=10_000)]


class Stored(Model):
    """An event that is durable."""

    id: str
    status: int = 201


class Failed(Model):
    """An event that cannot be stored, and why."""

    id: str
    status: int
    message: str
    error: str


class BatchOut(Model):
    """What became of each event."""

    successes: list[Stored]
    errors: list[Failed]
