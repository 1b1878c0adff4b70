"""Datasets in the control store: items and their history, runs, erasing, limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.store.control.datasets import Datasets
from watchkeeper.store.control.limits import LARGEST
from watchkeeper.store.datasets import NewDataset, NewItem, NewRunItem, run_id
from watchkeeper.store.factory import open_control_store

SECOND = 10**9


class Hands:
    """A clock that moves a second each time it is read."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * SECOND

    def now_ns(self) -> int:
        """Return the time, and move on."""
        self.now += SECOND
        return self.now


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[Datasets]:
    """A store of datasets on disk, with the datasets `d` and `e` in project a."""
    store = open_control_store(tmp_path, Hands())
    for project in ("a", "b"):
        store.ensure_project(project)
    for name in ("d", "e"):
        store.datasets.ensure("a", NewDataset(name=name, metadata={"k": 1}))
    yield store.datasets
    store.close()


def test_putting_an_item_again_replaces_what_is_given(datasets: Datasets) -> None:
    """What is not given stays, and what the item said before is still there at that time."""
    first = datasets.put_item("a", "d", NewItem(id="i", input={"q": 1}, expected="e"))
    second = datasets.put_item("a", "d", NewItem(id="i", input={"q": 2}))
    then, _ = datasets.items("a", dataset="d", at=first.updated_at)

    assert (second.input, second.expected, second.created_at) == ({"q": 2}, "e", first.created_at)
    assert [one.input for one in then] == [{"q": 1}]
    assert datasets.put_item("a", "d", NewItem(id="i", input={"q": 2})).updated_at == second.updated_at


def test_an_item_belongs_to_one_dataset_of_one_project(datasets: Datasets) -> None:
    """Its id is refused in another dataset, and another project neither sees it nor is kept from the id."""
    datasets.put_item("a", "d", NewItem(id="i", input=1))
    datasets.ensure("b", NewDataset(name="d"))
    datasets.put_item("b", "d", NewItem(id="i", input=2))
    seen = [datasets.item(project, "i") for project in ("a", "b")]

    assert [one and one.input for one in seen] == [1, 2]
    with pytest.raises(RequestError, match="another dataset"):
        datasets.put_item("a", "e", NewItem(id="i", input=1))


def test_a_deleted_item_is_still_found_at_an_earlier_time(datasets: Datasets) -> None:
    """Deleting ends what the item says; deleting again is an error."""
    item = datasets.put_item("a", "d", NewItem(id="i", input=1))
    datasets.delete_item("a", "i")

    assert (datasets.item("a", "i"), datasets.items("a", dataset="d")) == (None, ([], 0))
    assert datasets.items("a", dataset="d", at=item.updated_at)[1] == 1
    with pytest.raises(NotFoundError):
        datasets.delete_item("a", "i")


def test_a_run_is_made_by_its_first_item(datasets: Datasets) -> None:
    """A run's id follows from its names; the same item and trace again is one run item."""
    datasets.put_item("a", "d", NewItem(id="i", input=1))
    for _ in range(2):
        made = datasets.add_run_item("a", NewRunItem(run="r", item="i", trace_id="t", metadata={"m": 1}))
    run = datasets.run("a", "d", "r")

    assert run is not None
    assert (run.items, run.metadata, run.id) == (1, {"m": 1}, run_id("a", run.dataset_id, "r"))
    assert datasets.run_items("a", run.id) == ([made], 1)
    assert datasets.run_items("b", run.id) == ([], 0)
    datasets.delete_run("a", "d", "r")
    assert datasets.runs("a", "d") == ([], 0)


def test_what_came_from_an_erased_trace_is_emptied_in_all_its_history(datasets: Datasets) -> None:
    """An item keeps its id and loses what it ever said, though it was edited since; run items of the trace go."""
    first = datasets.put_item("a", "d", NewItem(id="i", input="secret", source_trace="t"))
    datasets.put_item("a", "d", NewItem(id="i", input="secret, edited"))
    datasets.put_item("a", "d", NewItem(id="j", input="other", source_trace="u"))
    datasets.add_run_item("a", NewRunItem(run="r", item="j", trace_id="t"))
    gone = datasets.forget_traces("a", {"t"})
    now, _ = datasets.items("a", dataset="d")
    then, _ = datasets.items("a", dataset="d", at=first.updated_at)
    run = datasets.run("a", "d", "r")

    assert gone == 1
    assert [(one.id, one.input) for one in now] == [("j", "other"), ("i", None)]
    assert [one.input for one in then] == [None]
    assert (run and run.items, datasets.known_traces("a")) == (0, {"u"})


@pytest.mark.parametrize("given", [NewItem(id="", input=1), NewItem(input="x" * LARGEST), NewItem(id="x" * 501)])
def test_what_is_over_a_limit_is_refused(datasets: Datasets, given: NewItem) -> None:
    """An id or a JSON over its limit leaves nothing behind."""
    with pytest.raises(RequestError):
        datasets.put_item("a", "d", given)

    assert datasets.items("a", dataset="d") == ([], 0)


def test_an_unknown_dataset_or_item_is_an_error(datasets: Datasets) -> None:
    """Nothing is made by the way: not a dataset by an item, nor an item by a run."""
    with pytest.raises(NotFoundError):
        datasets.put_item("a", "nope", NewItem(input=1))
    with pytest.raises(NotFoundError):
        datasets.add_run_item("a", NewRunItem(run="r", item="nope", trace_id="t"))
