"""Langfuse's dataset calls over our store."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.otlp import CHAT, TRACE, request, span
from watchkeeper.store.datasets import NewDataset, NewItem
from watchkeeper.store.factory import open_control_store

URL = "/api/public"


async def put(http: httpx.AsyncClient, **given: object) -> httpx.Response:
    """Put an item into the dataset `dir/d`, made if need be."""
    await http.post(f"{URL}/v2/datasets", json={"name": "dir/d"})
    return await http.post(f"{URL}/dataset-items", json={"datasetName": "dir/d", "id": "i", **given})


async def test_an_item_put_again_keeps_what_is_not_given(http: httpx.AsyncClient) -> None:
    """The same id changes the item; a list names its dataset, and a page counts all."""
    first = (await put(http, input={"q": 1}, expectedOutput="e")).json()
    await put(http, status="ARCHIVED")
    then = {"datasetName": "dir/d", "version": first["updatedAt"]}
    told = [(await http.get(f"{URL}/dataset-items", params=one)).json() for one in ({"datasetName": "dir/d"}, then)]

    assert [[one["status"], one["input"]] for page in told for one in page["data"]] == [
        ["ARCHIVED", {"q": 1}], ["ACTIVE", {"q": 1}],
    ]  # fmt: skip
    assert told[0]["meta"]["totalItems"] == 1


async def test_a_run_has_its_slash_and_its_items(http: httpx.AsyncClient) -> None:
    """A run and its dataset are found under names that hold a slash, also one that reads like a path."""
    await put(http, input=1)
    body = {"runName": "x/runs", "datasetItemId": "i", "traceId": TRACE}
    made = (await http.post(f"{URL}/dataset-run-items", json=body)).json()
    run = await http.get(f"{URL}/datasets/dir%2Fd/runs/x%2Fruns")
    runs = (await http.get(f"{URL}/datasets/dir%2Fd/runs")).json()["data"]
    by_name = {"datasetId": run.json()["datasetId"], "runName": "x/runs"}
    listed = (await http.get(f"{URL}/dataset-run-items", params=by_name)).json()["data"]
    gone = await http.delete(f"{URL}/datasets/dir%2Fd/runs/x%2Fruns")

    assert (run.json()["id"], run.json()["datasetRunItems"]) == (made["datasetRunId"], [made])
    assert ([one["name"] for one in runs], listed, gone.status_code) == (["x/runs"], [made], 200)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("v2/datasets", {"name": "d", "inputSchema": {"type": "object"}}, 501),
        ("v2/datasets", {"name": "a|b"}, 400),
        ("dataset-items", {"datasetName": "nope", "input": 1}, 404),
        ("dataset-run-items", {"runName": "r", "datasetItemId": "nope", "traceId": TRACE}, 404),
        ("dataset-run-items", {"runName": "r", "datasetItemId": "i"}, 400),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    http: httpx.AsyncClient, path: str, body: dict[str, object], status: int
) -> None:
    """A schema, a malformed name, and what hangs on nothing are refused, and it is said why."""
    answer = await http.post(f"{URL}/{path}", json=body)

    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


async def test_erasing_a_user_reaches_what_was_copied_of_their_traces(http: httpx.AsyncClient) -> None:
    """An item taken from an erased person's trace loses its content; one of another trace keeps it."""
    sent = request(span(attributes={**CHAT, "user.id": "ada"})).SerializeToString()
    await http.post("/v1/traces", content=sent, headers={"Content-Type": "application/x-protobuf"})
    await put(http, input="of Ada", sourceTraceId=TRACE)
    await put(http, id="j", input="of nobody", sourceTraceId="0" * 31 + "1")
    await http.post("/api/v1/erasures", json={"user": "ada"})
    told = [(await http.get(f"{URL}/dataset-items/{one}")).json()["input"] for one in "ij"]

    assert told == [None, "of nobody"]


def test_a_restored_store_does_not_tell_what_was_erased_since(tmp_path: Path) -> None:
    """An item that was emptied after a backup is empty in what is restored from it."""
    store = open_control_store(tmp_path / "now")
    store.ensure_project("a")
    store.datasets.ensure("a", NewDataset(name="d"))
    store.datasets.put_item("a", "d", NewItem(id="i", input="of Ada", source_trace=TRACE))
    (tmp_path / "then").mkdir()
    store.backup(tmp_path / "then" / "control.sqlite")
    store.datasets.forget_traces("a", {TRACE})
    restored = open_control_store(tmp_path / "then")
    restored.hold_shut(store)
    told = restored.datasets.item("a", "i")
    store.close()
    restored.close()

    assert told is not None
    assert (told.input, told.archived) == (None, True)
