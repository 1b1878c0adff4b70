"""Prompts in the control store: numbers, labels, finding, deleting, limits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.store.control.limits import LARGEST
from watchkeeper.store.control.prompts import Prompts
from watchkeeper.store.factory import open_control_store
from watchkeeper.store.prompts import NewPrompt, PromptVersion


@pytest.fixture
def prompts(tmp_path: Path) -> Iterator[Prompts]:
    """An empty store of prompts on disk, with two projects."""
    store = open_control_store(tmp_path)
    store.ensure_project("a")
    store.ensure_project("b")
    yield store.prompts
    store.close()


def add(prompts: Prompts, name: str = "p", text: str = "hi", *labels: str) -> PromptVersion:
    """Add a version of a text prompt to project a."""
    return prompts.add("a", NewPrompt(name=name, type="text", content=text, labels=labels))


def test_a_label_sits_on_one_version(prompts: Prompts) -> None:
    """Giving a label to a version takes it from the other; `latest` is on the newest without being given."""
    add(prompts, "p", "one", "production")
    add(prompts, "p", "two")
    prompts.set_labels("a", "p", 2, ("production", "beta"))
    found = [prompts.find("a", "p", version=number) for number in (1, 2)]

    assert [one and one.labels for one in found] == [(), ("beta", "latest", "production")]


def test_a_prompt_is_found_by_number_label_or_production(prompts: Prompts) -> None:
    """A number, a label, and without either `production`; what is not there is None."""
    add(prompts, "dir/p", "one", "production")
    add(prompts, "dir/p", "two", "staging")
    asked: tuple[dict[str, Any], ...] = (
        {},
        {"version": 2},
        {"label": "staging"},
        {"label": "latest"},
        {"label": "none"},
        {"version": 3},
    )
    found = [prompts.find("a", "dir/p", **one) for one in asked]

    assert [one and one.content for one in found] == ["one", "two", "two", "two", None, None]
    assert prompts.find("b", "dir/p") is None


def test_numbers_are_never_given_twice(prompts: Prompts) -> None:
    """Two at once get two numbers, and the number of a deleted version is not used again."""
    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(one.version for one in pool.map(lambda _: add(prompts), range(8)))
    prompts.delete("a", "p", version=8)

    assert numbers == list(range(1, 9))
    assert add(prompts).version == 9


def test_deleting_takes_what_was_named(prompts: Prompts) -> None:
    """A version with its labels, or all of them; deleting what is not there is an error."""
    add(prompts, "p", "one", "production")
    add(prompts)
    gone = [prompts.delete("a", "p", label="production"), prompts.delete("a", "p")]

    assert gone == [1, 1]
    assert prompts.entries("a") == ([], 0)
    with pytest.raises(NotFoundError):
        prompts.delete("a", "p")


def test_prompts_are_listed_by_name_label_and_tag(prompts: Prompts) -> None:
    """A list is sorted by name, pages, and counts what its filters match in all."""
    for name in ("c", "a", "b"):
        prompts.add("a", NewPrompt(name=name, type="text", content="x", labels=("l" + name,), tags=("t", name)))
    page, count = prompts.entries("a", tag="t", offset=1, limit=1)

    assert ([one.name for one in page], count) == (["b"], 3)
    assert [one.name for one in prompts.entries("a", label="lc")[0]] == ["c"]
    assert prompts.entries("a", tag="t", name="z") == ([], 0)
    assert prompts.entries("b") == ([], 0)


@pytest.mark.parametrize(
    "given",
    [
        NewPrompt(name="", type="text", content="x"),
        NewPrompt(name="a|b", type="text", content="x"),
        NewPrompt(name="n" * 501, type="text", content="x"),
        NewPrompt(name="p", type="text", content="x", labels=("No Label",)),
        NewPrompt(name="p", type="text", content="x", tags=tuple(map(str, range(51)))),
        NewPrompt(name="p", type="text", content="x" * LARGEST),
        NewPrompt(name="p", type="text", content="\ud800"),
        NewPrompt(name="p", type="text", content=[]),
        NewPrompt(name="p", type="chat", content="x"),
        NewPrompt(name="p", type="chat", content=[{"role": "user"}]),
        NewPrompt(name="p", type="text", content="x", message="m" * 1_001),
        NewPrompt(name="p", type="text", content="x", config={"temperature": float("nan")}),
    ],
)  # fmt: skip
def test_what_is_over_a_limit_is_refused(prompts: Prompts, given: NewPrompt) -> None:
    """A name, label, tag, message or content that is malformed or too large leaves nothing behind."""
    with pytest.raises(RequestError):
        prompts.add("a", given)

    assert prompts.entries("a") == ([], 0)


def test_a_prompt_keeps_its_type(prompts: Prompts) -> None:
    """A text prompt does not get a chat version, and `latest` is not given by hand."""
    add(prompts)
    with pytest.raises(RequestError, match="type text"):
        prompts.add("a", NewPrompt(name="p", type="chat", content=[]))
    with pytest.raises(RequestError, match="latest"):
        prompts.set_labels("a", "p", 1, ("latest",))
