"""Answers to scores, as Langfuse's clients read them."""

from __future__ import annotations

from watchkeeper.server.schemas import Model

__all__ = ["Accepted", "Created", "Partly", "Refusal"]


class Created(Model):
    """One score is durable."""

    id: str


class Accepted(Model):
    """All scores are durable."""

    message: str = "Accepted"


class Refusal(Model):
    """Why a score was refused."""

    message: str


class Partly(Model):
    """Some scores are durable."""

    accepted: int
    rejected: int
    errors: list[Refusal]
