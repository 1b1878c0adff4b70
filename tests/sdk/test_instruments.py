"""Model calls in the app's own Prometheus registry."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import SupportsIndex

import pytest
from openai import APIConnectionError, InternalServerError, OpenAI
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

import watchkeeper as wk
from watchkeeper.kit.errors import ConfigError
from watchkeeper.sdk.instruments import _Done
from watchkeeper.sdk.runtime import current


@pytest.fixture(name="registry", params=["no_provider", "provider"], ids=["our recorder", "the app's provider"])
def _registry(request: pytest.FixtureRequest) -> Iterator[CollectorRegistry]:
    request.getfixturevalue(request.param)
    registry = CollectorRegistry()
    wk.init("test-app", endpoint="http://127.0.0.1:9", prometheus=registry, sample=0.0)
    yield registry
    wk.shutdown()


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for metrics without `prometheus_client`, init says which line installs it."""
    registry = CollectorRegistry()
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(ConfigError) as caught:
        wk.init("test-app", prometheus=registry)
    assert caught.value.hint == "pip install prometheus-client"


def test_a_call_that_fails_counts_as_an_error(registry: CollectorRegistry) -> None:
    """A refused call is in the histogram under status error."""
    client = wk.wrap(OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0))
    with pytest.raises(APIConnectionError):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])

    labels = {"model": "m", "operation": "chat", "status": "error"}
    found = [
        one for one in _samples(registry, "llm_request_duration_seconds_count") if labels.items() <= one[0].items()
    ]
    assert [value for _, value in found] == [1.0]


def test_calls_and_tokens_are_counted_sampled_or_not(registry: CollectorRegistry, client: OpenAI) -> None:
    """Each call is in the histogram once and its tokens in the counter, though no trace is sampled."""
    for _ in range(2):
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
    assert answer.usage is not None
    tokens = {one[0]["type"]: one[1] for one in _samples(registry, "llm_tokens_total")}

    assert [value for _, value in _samples(registry, "llm_request_duration_seconds_count")] == [2.0]
    assert tokens["input"] == 2 * answer.usage.prompt_tokens
    assert tokens["output"] == 2 * answer.usage.completion_tokens


def test_labels_are_bounded(registry: CollectorRegistry) -> None:
    """However many models are named, there are a hundred labels and `other`."""
    client = wk.wrap(OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0))
    for number in range(110):
        with pytest.raises(APIConnectionError):
            client.chat.completions.create(model=f"m{number}", messages=[{"role": "user", "content": "x"}])
    models = {labels["model"] for labels, _ in _samples(registry, "llm_request_duration_seconds_count")}

    assert len(models) == 101
    assert "other" in models


def test_promtool_has_nothing_to_say(registry: CollectorRegistry, client: OpenAI) -> None:
    """The app's page with our metrics, calls that went well and failed on it, passes promtool's check without a word."""
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
    client.embeddings.create(model="text-embedding-3-small", input="x")
    with pytest.raises(InternalServerError):
        client.chat.completions.create(model="broken", messages=[{"role": "user", "content": 'a "quoted"\nname'}])
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.fail("promtool is not installed: apt-get install --no-install-recommends prometheus")
    page = generate_latest(registry)
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)

    assert b'status="error"' in page
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_a_call_that_ends_inside_a_scrape_is_counted(registry: CollectorRegistry, client: OpenAI) -> None:
    """A stream dropped while a scrape counts, as the garbage collector may, neither locks the scrape up nor is lost."""
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}], stream=True
    )
    next(iter(stream))
    held = [stream]
    del stream

    class Nosy(str):
        """A label's value that drops the stream when it is looked at, in the middle of the count."""

        __slots__ = ()

        def __getitem__(self, at: SupportsIndex | slice) -> str:
            held.clear()
            gc.collect()
            return super().__getitem__(at)

    runtime = current()
    assert runtime is not None
    assert runtime.instruments is not None
    runtime.instruments._ended.append(_Done(Nosy("p"), "m", "chat", "ok", 1.0, ()))
    generate_latest(registry)

    assert not held
    assert sum(value for _, value in _samples(registry, "llm_request_duration_seconds_count")) == 2.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_counts_its_own(registry: CollectorRegistry, client: OpenAI) -> None:
    """A forked child's page begins at nothing, so that a sum over processes counts each call once."""
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
    pid = os.fork()
    if pid == 0:
        os._exit(len(_samples(registry, "llm_request_duration_seconds_count")))

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert [value for _, value in _samples(registry, "llm_request_duration_seconds_count")] == [1.0]


def test_after_shutdown_the_registry_is_as_before(registry: CollectorRegistry) -> None:
    """The metrics leave the registry with the SDK, so that init may be called again."""
    wk.shutdown()

    assert generate_latest(registry) == b""


def _samples(registry: CollectorRegistry, name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    ]
