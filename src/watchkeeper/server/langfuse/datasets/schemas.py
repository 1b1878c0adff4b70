"""Langfuse's shapes of datasets, their items and their runs."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from watchkeeper.server.langfuse.shapes import Meta, Theirs
from watchkeeper.server.schemas import Time
from watchkeeper.store.datasets import Dataset, Item, NewItem, Run, RunItem

__all__ = [
    "DatasetIn", "DatasetList", "DatasetOut", "ItemIn", "ItemList", "ItemOut", "Message", "RunItemIn", "RunItemList",
    "RunItemOut", "RunList", "RunOut", "RunWithItems",
]  # fmt: skip


class DatasetIn(Theirs):
    """A dataset to make or change."""

    name: str
    description: str | None = None
    metadata: Any = None
    input_schema: Any = None
    expected_output_schema: Any = None


class DatasetOut(Theirs):
    """A dataset. The schemas are always null: none is taken."""

    id: str
    name: str
    description: str | None
    metadata: Any
    input_schema: None = None
    expected_output_schema: None = None
    project_id: str
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, one: Dataset) -> DatasetOut:
        """Build it from the store's row."""
        return cls(
            id=one.id, name=one.name, description=one.description, metadata=one.metadata, project_id=one.project,
            created_at=one.created_at, updated_at=one.updated_at,  # type: ignore[arg-type]
        )  # fmt: skip


class DatasetList(Theirs):
    """A page of datasets, by name."""

    data: list[DatasetOut]
    meta: Meta


class ItemIn(Theirs):
    """A test case to put. What is null leaves what an item of this id says."""

    dataset_name: str
    id: str | None = None
    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    status: Literal["ACTIVE", "ARCHIVED"] | None = None

    def new(self) -> NewItem:
        """Return it as the store takes it."""
        return NewItem(
            id=self.id, input=_given(self.input), expected=_given(self.expected_output), metadata=_given(self.metadata),
            source_trace=_given(self.source_trace_id), source_span=_given(self.source_observation_id),
            archived=None if self.status is None else self.status == "ARCHIVED",
        )  # fmt: skip


class ItemOut(Theirs):
    """A test case. `mediaReferences` is always empty: what refers to media is in the text."""

    id: str
    status: Literal["ACTIVE", "ARCHIVED"]
    input: Any
    expected_output: Any
    metadata: Any
    source_trace_id: str | None
    source_observation_id: str | None
    dataset_id: str
    dataset_name: str
    media_references: list[None] = []
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, one: Item) -> ItemOut:
        """Build it from the store's row."""
        return cls(
            id=one.id, status="ARCHIVED" if one.archived else "ACTIVE", input=one.input, expected_output=one.expected,
            metadata=one.metadata, source_trace_id=one.source_trace, source_observation_id=one.source_span,
            dataset_id=one.dataset_id, dataset_name=one.dataset,
            created_at=one.created_at, updated_at=one.updated_at,  # type: ignore[arg-type]
        )  # fmt: skip


class ItemList(Theirs):
    """A page of test cases, the newest first."""

    data: list[ItemOut]
    meta: Meta


class RunItemIn(Theirs):
    """A trace that a run made of an item."""

    run_name: str
    dataset_item_id: str
    trace_id: str | None = None
    observation_id: str | None = None
    run_description: str | None = None
    metadata: Any = None


class RunItemOut(Theirs):
    """The trace that a run made of an item."""

    id: str
    dataset_run_id: str
    dataset_run_name: str
    dataset_item_id: str
    trace_id: str
    observation_id: str | None
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, one: RunItem) -> RunItemOut:
        """Build it from the store's row."""
        return cls(
            id=one.id, dataset_run_id=one.run_id, dataset_run_name=one.run, dataset_item_id=one.item,
            trace_id=one.trace_id, observation_id=one.span_id,
            created_at=one.created_at, updated_at=one.created_at,  # type: ignore[arg-type]
        )  # fmt: skip


class RunItemList(Theirs):
    """A page of run items, the newest first."""

    data: list[RunItemOut]
    meta: Meta


class RunOut(Theirs):
    """A run."""

    id: str
    name: str
    description: str | None
    metadata: Any
    dataset_id: str
    dataset_name: str
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, one: Run) -> RunOut:
        """Build it from the store's row."""
        return cls.model_validate(_run(one))


class RunWithItems(RunOut):
    """A run with what it made."""

    dataset_run_items: list[RunItemOut]

    @classmethod
    def whole(cls, one: Run, items: list[RunItem]) -> RunWithItems:
        """Build it from the store's rows."""
        return cls.model_validate(_run(one) | {"dataset_run_items": [RunItemOut.of(each) for each in items]})


class RunList(Theirs):
    """A page of runs, the newest first."""

    data: list[RunOut]
    meta: Meta


class Message(Theirs):
    """What was done."""

    message: str


def _given(value: Any) -> Any:  # noqa: ANN401 - JSON is any shape
    return msgspec.UNSET if value is None else value


def _run(one: Run) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.name, "description": one.description, "metadata": one.metadata,
        "dataset_id": one.dataset_id, "dataset_name": one.dataset, "created_at": one.created_at,
        "updated_at": one.updated_at,
    }  # fmt: skip
