"""Datasets: test cases, their history, and the runs over them; what the store promises, and its shapes.

A **dataset** has a name, which may hold `/`, and **items**. An item is a test case: an input, what is expected, and
what is known of it (any JSON each), and where it was taken from, the trace and span it came from. A **run** is one pass
over a dataset, an experiment; a **run item** is the trace that a run made of one item. Within one project:

- **Ids.** An item's id belongs to one dataset for good. Putting it again replaces what it says; without an id one is made.
- **History.** Nothing that an item said is overwritten: reading a dataset `at` a time gives what it held then. Putting
  what is there already changes nothing.
- **Runs.** A run has a name, its dataset's and its own, and an id that follows from project, dataset and name
  (`run_id`), so that whoever knows these three needs no look-up. The same item and trace again is one run item.
- **Erasing.** `forget_traces` empties every item that was taken from one of these traces, in all of its history, and marks
  it (`erased_at`); what is left are its ids, so that runs over it stay readable. Run items of these traces go.
- **Projects.** No call sees or changes another project's rows, whatever id or name it is given.
- **Durable.** What a call that changes something returned is on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, Protocol

import msgspec

__all__ = ["Dataset", "DatasetStore", "Item", "NewDataset", "NewItem", "NewRunItem", "Run", "RunItem", "run_id"]


class NewDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset to make or change. `metadata` is any JSON; None for none."""

    name: str
    description: str | None = None
    metadata: Any = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset. `items` counts those it holds now, archived ones too. Times are nanoseconds since the epoch."""

    id: str
    project: str
    name: str
    description: str | None
    metadata: Any
    items: int
    runs: int
    created_at: int
    updated_at: int


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """A test case to put; see `Item`. UNSET leaves what an item that is there already says."""

    id: str | None = None
    input: Any = msgspec.UNSET
    expected: Any = msgspec.UNSET
    metadata: Any = msgspec.UNSET
    source_trace: str | msgspec.UnsetType | None = msgspec.UNSET
    source_span: str | msgspec.UnsetType | None = msgspec.UNSET
    archived: bool | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A test case as it is, or was at a time. `erased_at`: its content went with the trace it was taken from."""

    id: str
    dataset: str
    dataset_id: str
    input: Any
    expected: Any
    metadata: Any
    source_trace: str | None
    source_span: str | None
    archived: bool
    erased_at: int | None
    created_at: int
    updated_at: int


class NewRunItem(msgspec.Struct, frozen=True, kw_only=True):
    """A trace that a run made of an item. The run is made with the first; `description` and `metadata` are the run's."""

    run: str
    item: str
    trace_id: str
    span_id: str | None = None
    description: str | None = None
    metadata: Any = None
    at: int | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One pass over a dataset. `items` counts its run items."""

    id: str
    name: str
    dataset: str
    dataset_id: str
    description: str | None
    metadata: Any
    items: int
    created_at: int
    updated_at: int


class RunItem(msgspec.Struct, frozen=True, kw_only=True):
    """The trace that a run made of one item."""

    id: str
    run: str
    run_id: str
    item: str
    trace_id: str
    span_id: str | None
    created_at: int


def run_id(project: str, dataset_id: str, name: str) -> str:
    """Return a run's id: 16 hex digits.

    The rule is the one by which Langfuse's SDK 5 names the runs that it never asks the server for, so that both agree.
    """
    parts = ["langfuse-experiment-v1", project, dataset_id, name]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


class DatasetStore(Protocol):
    """See the module. Every method may be called from any thread. Pages are by `offset` and `limit`, with the whole count."""

    def ensure(self, project: str, given: NewDataset) -> Dataset:
        """Make a dataset, or give the one of this name what is given.

        Raises:
            RequestError: a name, text or JSON is over its limit, or there are too many datasets.
        """
        ...

    def find(self, project: str, name: str) -> Dataset | None:
        """Return the dataset of this name."""
        ...

    def find_by_id(self, project: str, dataset_id: str) -> Dataset | None:
        """Return the dataset of this id."""
        ...

    def entries(self, project: str, *, offset: int = 0, limit: int = 50) -> tuple[list[Dataset], int]:
        """Return datasets by name."""
        ...

    def put_item(self, project: str, dataset: str, given: NewItem) -> Item:
        """Put a test case into a dataset.

        Raises:
            NotFoundError: there is no such dataset.
            RequestError: the id is another dataset's, a JSON is over its limit, or there are too many items.
        """
        ...

    def item(self, project: str, item_id: str) -> Item | None:
        """Return a test case as it is now."""
        ...

    def items(
        self, project: str, *, dataset: str | None = None, source_trace: str | None = None,
        source_span: str | None = None, at: int | None = None, offset: int = 0, limit: int = 50,
    ) -> tuple[list[Item], int]:  # fmt: skip
        """Return test cases, the newest first, as they are or were at a time (ns). Archived ones are among them."""
        ...

    def delete_item(self, project: str, item_id: str) -> None:
        """Take a test case out of its dataset; reading at an earlier time still finds it.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def add_run_item(self, project: str, given: NewRunItem) -> RunItem:
        """Note the trace that a run made of an item.

        Raises:
            NotFoundError: there is no such item.
            RequestError: a name or text is over its limit.
        """
        ...

    def runs(self, project: str, dataset: str, *, offset: int = 0, limit: int = 50) -> tuple[list[Run], int]:
        """Return a dataset's runs, the newest first.

        Raises:
            NotFoundError: there is no such dataset.
        """
        ...

    def run(self, project: str, dataset: str, name: str) -> Run | None:
        """Return a run of a dataset."""
        ...

    def run_items(self, project: str, run: str, *, offset: int = 0, limit: int = 50) -> tuple[list[RunItem], int]:
        """Return the run items of the run of this id, the newest first."""
        ...

    def delete_run(self, project: str, dataset: str, name: str) -> None:
        """Delete a run and its run items; the traces stay.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def known_traces(self, project: str) -> set[str]:
        """Return every trace that an item with content was taken from, or that a run made."""
        ...

    def forget_traces(self, project: str, traces: Collection[str]) -> int:
        """Take away what came from these traces; return how many items lost their content. See Erasing above."""
        ...
