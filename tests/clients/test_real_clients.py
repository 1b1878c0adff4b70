"""Other people's clients, configured only as their own documentation says, against a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import fake_openai
from tests.clients import run
from tests.clients.client import setups
from tests.clients.conversation import QUESTION, SYSTEM, WEATHER
from tests.serving import Served, serving

pytestmark = pytest.mark.slow

ANSWERED = "gpt-4o-mini-2024-07-18"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a server with a project and a key for each client in each way it is set up."""
    with serving(tmp_path_factory.mktemp("clients"), projects=tuple(setups())) as served:
        yield served


@pytest.fixture(scope="session")
def providers() -> Iterator[run.Providers]:
    """Run the fake providers."""
    with run.providing() as there:
        yield there


@pytest.fixture(scope="module", params=setups())
def told(request: pytest.FixtureRequest, server: Served, providers: run.Providers) -> list[dict[str, Any]]:
    """Run one client against the server, as its project, and give back the spans the server tells of, oldest first."""
    name: str = request.param
    run.run(setups()[name], run.Place(server.url, f"pk-{name}", server.keys[name]), providers)
    (trace,) = read(server, name, "traces")["items"]
    listed = read(server, name, f"traces/{trace['trace_id']}")["spans"]
    return [read(server, name, f"traces/{trace['trace_id']}/spans/{one['span_id']}") for one in listed]


def read(server: Served, project: str, path: str) -> Any:
    """Read one answer of the API."""
    status, body, _ = server.call(f"/api/v1/{path}", project=project)
    assert status == 200, body
    return json.loads(body)


def calls(told: list[dict[str, Any]], kind: str = "llm") -> list[dict[str, Any]]:
    """Return the spans of a kind, oldest first."""
    return [one for one in told if one["kind"] == kind]


def said(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Return each message's role and text."""
    return [
        (one["role"], "".join(part.get("text", "") for part in one["parts"] if part["type"] == "text"))
        for one in content["messages"]
    ]


def test_the_failing_call_is_an_error(told: list[dict[str, Any]]) -> None:
    """A call the provider refuses is an error with its type and message, and has no price."""
    failed = calls(told)[-1]

    assert failed["status"] == "error"
    assert failed["error_type"] == "openai.InternalServerError"
    assert "the model is broken" in failed["status_message"]
    assert (failed["cost"]["state"], failed["cost"]["nano"]) == ("unpriced", None)


def test_every_call_hangs_on_the_root(told: list[dict[str, Any]]) -> None:
    """One root, and every call and tool under it."""
    (root,) = [one for one in told if one["parent_span_id"] is None]

    assert {one["parent_span_id"] for one in told if one is not root} == {root["span_id"]}
    assert [one["kind"] for one in told].count("llm") == 4


def test_models_and_tokens_are_those_of_the_answer(told: list[dict[str, Any]]) -> None:
    """Requested and answering model, and every kind of token, are what the provider said."""
    for call in calls(told)[:3]:
        assert (call["provider"], call["request_model"], call["model"]) == ("openai", "gpt-4o-mini", ANSWERED)
        usage = {key: value for key, value in call["usage"].items() if value}
        assert usage == {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 64, "reasoning_tokens": 7}
        assert call["cost"]["state"] == "computed"
        assert call["cost"]["nano_usd"] == "22200"


def test_the_tool_call_is_in_the_conversation(told: list[dict[str, Any]]) -> None:
    """The model's tool call, the tool's result and the final answer are read as such."""
    asked, answered = calls(told)[:2]
    (call,) = asked["output"]["messages"][0]["parts"]
    results = [part for one in answered["input"]["messages"] for part in one["parts"] if part["type"] == "tool_result"]

    assert said(asked["input"]) == [("system", SYSTEM), ("user", QUESTION)]
    assert (call["type"], call["id"], call["name"]) == ("tool_call", "call_1", "get_weather")
    assert call["arguments"] == {"city": "Bern"}
    assert [(one["id"], one["result"]) for one in results] == [("call_1", {"city": "Bern", **WEATHER})]
    assert said(answered["output"]) == [("assistant", fake_openai.ANSWER)]
    assert asked["finish_reasons"] == ["tool_calls"]
    assert asked["parameters"] == {"temperature": 0.2}
    assert len(asked["tools"]) == 1


def test_the_stream_has_a_first_token(told: list[dict[str, Any]]) -> None:
    """A streamed call is read as one, with its answer and the time to its first token."""
    streamed = calls(told)[2]

    assert streamed["streaming"] is True
    assert 0 < int(streamed["time_to_first_token_ns"]) < int(streamed["duration_ns"])
    assert said(streamed["output"])[0][1].startswith("It is sunny")


def test_the_embedding_is_one(told: list[dict[str, Any]]) -> None:
    """An embedding call is read and priced as such."""
    (call,) = calls(told, "embedding")

    assert (call["model"], call["usage"]["input_tokens"]) == ("text-embedding-3-small", 5)
    assert call["cost"]["nano_usd"] == "100"


def test_the_service_has_its_name(told: list[dict[str, Any]]) -> None:
    """Every span belongs to the service its client named, in whichever way its documentation has it."""
    assert {one["service"] for one in told} == {"weather-bot"}
