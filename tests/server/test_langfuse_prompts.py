"""Langfuse's prompt calls over our store."""

from __future__ import annotations

import httpx
import pytest

from tests.server.test_langfuse import basic
from watchkeeper.server import Services
from watchkeeper.store.control.keys import Scope

URL = "/api/public/v2/prompts"


async def add(http: httpx.AsyncClient, **given: object) -> httpx.Response:
    """Add a version of the prompt `dir/p`."""
    return await http.post(URL, json={"name": "dir/p", "prompt": "Hi {{who}}", **given})


async def test_a_prompt_is_found_under_its_whole_name(http: httpx.AsyncClient) -> None:
    """A slash in a name comes as %2F; without a version or label the `production` one is meant."""
    made = await add(http, labels=["production"], tags=["t"], config={"model": "m"}, commitMessage="first")
    await add(http, prompt="Hello")
    told = [await http.get(f"{URL}/dir%2Fp", params=one) for one in ({}, {"version": 2}, {"label": "latest"})]

    assert made.status_code == 201
    assert told[0].json() == made.json() | {"labels": ["production"], "isActive": True} | {
        key: told[0].json()[key] for key in ("updatedAt",)
    }
    assert [one.json()["prompt"] for one in told] == ["Hi {{who}}", "Hello", "Hello"]


async def test_a_missing_prompt_is_404_in_their_shape(http: httpx.AsyncClient) -> None:
    """The message names the prompt and the label, so that clients fall back."""
    answer = await http.get(f"{URL}/no%2Fp")

    assert answer.status_code == 404
    assert answer.json()["message"] == "Prompt not found: 'no/p' with label 'production'"


async def test_labels_move_and_lists_name_them(http: httpx.AsyncClient) -> None:
    """A PATCH moves a label; the list pages; DELETE takes all versions."""
    await add(http, labels=["production"])
    await add(http)
    moved = await http.patch(f"{URL}/dir%2Fp/versions/2", json={"newLabels": ["production"]})
    listed = (await http.get(URL, params={"label": "production"})).json()
    gone = await http.delete(f"{URL}/dir%2Fp")

    assert moved.json()["labels"] == ["latest", "production"]
    assert listed["data"][0]["versions"] == [1, 2]
    assert listed["meta"] == {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}
    assert (gone.status_code, (await http.get(URL)).json()["data"]) == (204, [])


async def test_chat_messages_say_what_they_are(http: httpx.AsyncClient) -> None:
    """A message that came without a type is told with one, as clients of version 3 need it."""
    chat = [{"role": "system", "content": "x"}, {"type": "placeholder", "name": "history"}]
    made = await add(http, prompt=chat, type="chat")

    assert [one["type"] for one in made.json()["prompt"]] == ["chatmessage", "placeholder"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"prompt": "@@@langfusePrompt:name=a|label=b@@@"}, 501),
        ({"prompt": "x" * (1 << 20)}, 400),
        ({"labels": ["No Label"]}, 400),
        ({"prompt": 3}, 400),
    ],
)
async def test_what_cannot_be_kept_is_refused(http: httpx.AsyncClient, given: dict[str, object], status: int) -> None:
    """A reference to another prompt, and what is over a limit, is refused and said."""
    answer = await add(http, **given)

    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


async def test_a_key_that_reads_does_not_change_prompts(remote: httpx.AsyncClient, services: Services) -> None:
    """Reading takes `read`, changing `admin`, and each key its own project."""
    services.control.ensure_project("mine")
    services.control.ensure_project("other")
    wanted: tuple[tuple[str, Scope], ...] = (
        ("mine", "ingest"),
        ("mine", "read"),
        ("mine", "admin"),
        ("other", "admin"),
    )
    pairs = [services.control.keys.create(project, (scope,)) for project, scope in wanted]
    told = [basic(pair.key.public_id, pair.secret) for pair in pairs]
    body = {"name": "p", "prompt": "x", "labels": ["production"]}
    added = [(await remote.post(URL, json=body, headers=one)).status_code for one in told[:3]]
    read = [(await remote.get(f"{URL}/p", headers=one)).status_code for one in told]

    assert added == [403, 403, 201]
    assert read == [403, 200, 200, 404]
