"""Langfuse's prompt calls over our store."""

from __future__ import annotations

from urllib.parse import quote

import httpx

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
    """The message names the prompt and what of it was asked for, so that clients fall back."""
    await add(http)
    asked = {"no%2Fp": "'no/p' with label 'production'", "dir%2Fp?version=7": "'dir/p' with version 7"}
    told = [await http.get(f"{URL}/{path}") for path in asked]

    assert [one.status_code for one in told] == [404, 404]
    assert [one.json() for one in told] == [
        {"message": f"Prompt not found: {what}", "error": "LangfuseNotFoundError"} for what in asked.values()
    ]


async def test_a_name_may_look_like_a_path(http: httpx.AsyncClient) -> None:
    """Neither a slash, sent as such or as %2F, nor an escape or a version in a name is mistaken for anything else."""
    odd = ["a/versions/1", "50%2Foff", "a b?c#d", "ü/é"]
    for name in odd:
        await add(http, name=name, labels=["production"])
    found = [(await http.get(f"{URL}/{quote(name, safe='')}")).json().get("name") for name in odd]
    moved = await http.patch(f"{URL}/{quote(odd[0], safe='')}/versions/1", json={"newLabels": ["x"]})
    gone = [(await http.delete(f"{URL}/{quote(name, safe='')}")).status_code for name in odd]

    assert found == odd
    assert moved.json()["labels"] == ["latest", "production", "x"]
    assert gone == [204] * len(odd)


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


async def test_what_cannot_be_kept_is_refused(http: httpx.AsyncClient) -> None:
    """A reference to another prompt, and what is over a limit or of another type, is refused and said."""
    asked: list[tuple[dict[str, object], int]] = [
        ({"prompt": "@@@langfusePrompt:name=a|label=b@@@"}, 501),
        ({"prompt": [{"role": "user", "content": "@@@langfusePrompt:name=a|version=1@@@"}]}, 501),
        ({"prompt": "x" * (1 << 20)}, 400),
        ({"labels": ["No Label"]}, 400),
        ({"prompt": 3}, 400),
        ({"type": "chat"}, 400),
    ]
    answers = [await add(http, **given) for given, _ in asked]

    assert [(one.status_code, bool(one.json()["message"])) for one in answers] == [
        (status, True) for _, status in asked
    ]
    assert (await http.get(URL)).json()["data"] == []


async def test_what_is_not_meant_leaves_the_prompt_alone(http: httpx.AsyncClient) -> None:
    """A call that contradicts itself, misses, or asks for what is not served is refused, and nothing changes."""
    before = (await add(http, labels=["production"])).json()
    asked = {
        "GET /dir%2Fp?version=1&label=production": 400,
        "DELETE /dir%2Fp?version=1&label=production": 400,
        "GET /dir%2Fp?version=0": 400,
        "DELETE /dir%2Fp?version=2": 404,
        "DELETE /dir%2Fq": 404,
        "PATCH /dir%2Fp/versions/2": 404,
        "PATCH /dir%2Fp/versions/x": 400,
        "GET ?filter=[]": 501,
        "GET ?fromUpdatedAt=2026-01-01T00:00:00Z": 501,
        "POST /dir%2Fp": 501,
    }
    answers = []
    for method, _, rest in (call.partition(" ") for call in asked):
        body = {"newLabels": ["x"]} if method == "PATCH" else None
        answers.append(await http.request(method, URL + rest, json=body))

    assert [one.status_code for one in answers] == list(asked.values())
    assert {tuple(one.json()) for one in answers} == {("message", "error")}
    assert (await http.get(f"{URL}/dir%2Fp")).json() == before


async def test_who_reads_and_who_writes(remote: httpx.AsyncClient, services: Services) -> None:
    """A key that sends reads the prompts it can name, listing takes `read` and changing `admin`, all in one project."""
    services.control.ensure_project("mine")
    services.control.ensure_project("other")
    wanted: tuple[tuple[str, Scope], ...] = (
        ("mine", "ingest"), ("mine", "read"), ("mine", "admin"), ("other", "admin"),
    )  # fmt: skip
    pairs = [services.control.keys.create(project, (scope,)) for project, scope in wanted]
    told = [basic(pair.key.public_id, pair.secret) for pair in pairs]
    body = {"name": "p", "prompt": "x", "labels": ["production"]}
    added = [(await remote.post(URL, json=body, headers=one)).status_code for one in told[:3]]
    read = [(await remote.get(f"{URL}/p", headers=one)).status_code for one in ({}, *told)]
    listed = [(await remote.get(URL, headers=one)).json().get("meta", {}).get("totalItems") for one in told]
    deleted = [(await remote.delete(f"{URL}/p", headers=one)).status_code for one in told]

    assert added == [403, 403, 201]
    assert read == [401, 200, 200, 200, 404]
    assert listed == [None, 1, 1, 0]
    assert deleted == [403, 403, 204, 404]


async def test_a_machine_with_accounts_tells_no_prompts(http: httpx.AsyncClient, services: Services) -> None:
    """Once there are accounts, what runs on the machine without a key may send, and reads no prompt."""
    await add(http, labels=["production"])
    services.control.people.add("ada@example.com", "", "hash", "default", "admin")

    assert (await http.get(f"{URL}/dir%2Fp")).status_code == 401
