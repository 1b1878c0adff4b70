"""`/api/public/v2/datasets`, `/dataset-items`, `/dataset-run-items` and `/datasets/NAME/runs`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.server.langfuse.datasets.schemas import (
    DatasetIn,
    DatasetList,
    DatasetOut,
    ItemIn,
    ItemList,
    ItemOut,
    Message,
    RunItemIn,
    RunItemList,
    RunItemOut,
    RunList,
    RunOut,
    RunWithItems,
)  # fmt: skip
from watchkeeper.server.langfuse.shapes import Limit, Meta, PageNumber, names, not_served
from watchkeeper.server.request import TimeText, nanoseconds, project, services
from watchkeeper.store.datasets import DatasetStore, NewDataset, NewRunItem, run_id

__all__ = ["router"]

router = APIRouter()

Project = Annotated[str, Depends(project)]
Datasets = Annotated[DatasetStore, Depends(services(lambda parts: parts.control.datasets))]
Text = Annotated[str | None, Query(max_length=500)]

_RUNS = r".*/datasets/([^/]+)/runs(?:/([^/]+))?"
_RUN_ITEMS = 10_000


@router.get("/v2/datasets")
def list_datasets(project: Project, datasets: Datasets, page: PageNumber = 1, limit: Limit = 50) -> DatasetList:
    """List datasets by name."""
    found, total = datasets.entries(project, offset=(page - 1) * limit, limit=limit)
    return DatasetList(data=[DatasetOut.of(one) for one in found], meta=Meta.of(page, limit, total))


@router.post("/v2/datasets")
def put_dataset(request: Request, project: Project, datasets: Datasets, given: DatasetIn) -> DatasetOut:
    """Make a dataset, or change the one of this name."""
    if given.input_schema is not None or given.expected_output_schema is not None:
        raise not_served(request, "a schema: items are not checked against one")
    new = NewDataset(name=given.name, description=given.description, metadata=given.metadata)
    return DatasetOut.of(datasets.ensure(project, new))


@router.get("/v2/datasets/{name:path}")
def get_dataset(project: Project, datasets: Datasets, name: str) -> DatasetOut:
    """Return the dataset of this name."""
    found = datasets.find(project, name)
    if found is None:
        raise NotFoundError(f"Dataset not found: '{name}'")
    return DatasetOut.of(found)


@router.post("/dataset-items")
def put_item(project: Project, datasets: Datasets, given: ItemIn) -> ItemOut:
    """Put a test case; the same id again changes it."""
    return ItemOut.of(datasets.put_item(project, given.dataset_name, given.new()))


@router.get("/dataset-items")
def list_items(  # noqa: PLR0917 - FastAPI reads query parameters from the signature
    project: Project, datasets: Datasets, dataset: Annotated[str | None, Query(alias="datasetName", max_length=500)] = None,
    source_trace: Annotated[str | None, Query(alias="sourceTraceId", max_length=500)] = None,
    source_span: Annotated[str | None, Query(alias="sourceObservationId", max_length=500)] = None,
    version: TimeText = None, page: PageNumber = 1, limit: Limit = 50,
) -> ItemList:  # fmt: skip
    """List test cases, the newest first, as they are or were at a time."""
    if dataset is not None and datasets.find(project, dataset) is None:
        raise NotFoundError(f"Dataset not found: '{dataset}'")
    found, total = datasets.items(
        project, dataset=dataset, source_trace=source_trace, source_span=source_span,
        at=nanoseconds("version", version), offset=(page - 1) * limit, limit=limit,
    )  # fmt: skip
    return ItemList(data=[ItemOut.of(one) for one in found], meta=Meta.of(page, limit, total))


@router.get("/dataset-items/{item}")
def get_item(project: Project, datasets: Datasets, item: str) -> ItemOut:
    """Return a test case."""
    found = datasets.item(project, item)
    if found is None:
        raise NotFoundError(f"Dataset item not found: '{item}'")
    return ItemOut.of(found)


@router.delete("/dataset-items/{item}")
def delete_item(project: Project, datasets: Datasets, item: str) -> Message:
    """Take a test case out of its dataset."""
    datasets.delete_item(project, item)
    return Message(message="Dataset item successfully deleted")


@router.post("/dataset-run-items")
def add_run_item(project: Project, datasets: Datasets, given: RunItemIn) -> RunItemOut:
    """Note the trace that a run made of an item; the first one makes the run."""
    if given.trace_id is None:
        raise RequestError("a run item needs its traceId")
    new = NewRunItem(
        run=given.run_name, item=given.dataset_item_id, trace_id=given.trace_id, span_id=given.observation_id,
        description=given.run_description, metadata=given.metadata,
    )  # fmt: skip
    return RunItemOut.of(datasets.add_run_item(project, new))


@router.get("/dataset-run-items")
def list_run_items(
    project: Project, datasets: Datasets, dataset: Annotated[str, Query(alias="datasetId", max_length=500)],
    run: Annotated[str, Query(alias="runName", max_length=500)], page: PageNumber = 1, limit: Limit = 50,
) -> RunItemList:  # fmt: skip
    """List what a run made, the newest first."""
    found, total = datasets.run_items(project, run_id(project, dataset, run), offset=(page - 1) * limit, limit=limit)
    return RunItemList(data=[RunItemOut.of(one) for one in found], meta=Meta.of(page, limit, total))


@router.get("/datasets/{path:path}")
def get_runs(
    request: Request, project: Project, datasets: Datasets, path: str, page: PageNumber = 1, limit: Limit = 50
) -> RunList | RunWithItems:
    """Return a dataset's runs, or one of them with up to 10,000 of what it made."""
    dataset, *run = names(request, _RUNS)
    if not run:
        found, total = datasets.runs(project, dataset, offset=(page - 1) * limit, limit=limit)
        return RunList(data=[RunOut.of(one) for one in found], meta=Meta.of(page, limit, total))
    one = datasets.run(project, dataset, run[0])
    if one is None:
        raise NotFoundError(f"Dataset run not found: '{run[0]}' of {path.partition('/runs')[0]!r}")
    items, _ = datasets.run_items(project, one.id, limit=_RUN_ITEMS)
    return RunWithItems.whole(one, items)


@router.delete("/datasets/{path:path}")
def delete_run(request: Request, project: Project, datasets: Datasets, path: str) -> Message:
    """Delete a run; its traces stay."""
    dataset, *run = names(request, _RUNS)
    if not run:
        raise not_served(request)
    datasets.delete_run(project, dataset, run[0])
    return Message(message=f"Dataset run successfully deleted: {path}")
