"""Langfuse's shapes of prompts."""

from __future__ import annotations

from typing import Any, Literal

from watchkeeper.server.langfuse.shapes import Meta, Theirs
from watchkeeper.server.schemas import Time
from watchkeeper.store.prompts import PromptEntry, PromptVersion

__all__ = ["LabelsIn", "PromptIn", "PromptList", "PromptMeta", "PromptOut"]


class PromptIn(Theirs):
    """A version to add. Clients leave `type` out for text, in some generations."""

    name: str
    prompt: str | list[dict[str, Any]]
    type: Literal["text", "chat"] | None = None
    config: Any = None
    labels: list[str] | None = None
    tags: list[str] | None = None
    commit_message: str | None = None


class LabelsIn(Theirs):
    """Labels to give a version beside those it has."""

    new_labels: list[str]


class PromptOut(Theirs):
    """One version."""

    id: str
    name: str
    version: int
    type: str
    prompt: Any
    config: Any
    labels: list[str]
    tags: list[str]
    commit_message: str | None
    resolution_graph: None = None
    created_at: Time
    updated_at: Time
    project_id: str
    created_by: str
    is_active: bool

    @classmethod
    def of(cls, one: PromptVersion) -> PromptOut:
        """Build it from the store's row; the id is made of the name and the number."""
        return cls(
            id=f"{one.name}:{one.version}", name=one.name, version=one.version, type=one.type,
            prompt=[_message(each) for each in one.content] if one.type == "chat" else one.content,
            config={} if one.config is None else one.config, labels=list(one.labels), tags=list(one.tags),
            commit_message=one.message, created_at=one.created_at, updated_at=one.updated_at,  # type: ignore[arg-type]
            project_id=one.project, created_by=one.created_by, is_active="production" in one.labels,
        )  # fmt: skip


class PromptMeta(Theirs):
    """One prompt in a list."""

    name: str
    type: str
    versions: list[int]
    labels: list[str]
    tags: list[str]
    last_updated_at: Time
    last_config: Any

    @classmethod
    def of(cls, one: PromptEntry) -> PromptMeta:
        """Build it from the store's row."""
        return cls(
            name=one.name, type=one.type, versions=list(one.versions), labels=[label for label, _ in one.labels],
            tags=list(one.tags), last_updated_at=one.updated_at, last_config=one.config,  # type: ignore[arg-type]
        )  # fmt: skip


class PromptList(Theirs):
    """A page of prompts, by name."""

    data: list[PromptMeta]
    meta: Meta


def _message(one: dict[str, Any]) -> dict[str, Any]:
    # Clients of version 3 tell a message from a placeholder by its type alone.
    return one if one.get("type") in {"chatmessage", "placeholder"} else {**one, "type": "chatmessage"}
