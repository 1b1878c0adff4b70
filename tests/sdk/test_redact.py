"""The app's own redaction: every text passes it, and what it fails on does not leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from openai import OpenAI
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import watchkeeper as wk
from watchkeeper.sdk.redact import WITHHELD

SECRET = "Rumpelstiltskin"
Start = Callable[[Callable[[str], str]], InMemorySpanExporter]


@pytest.fixture(name="start", params=["no_provider", "provider"], ids=["our recorder", "the app's provider"])
def _start(request: pytest.FixtureRequest) -> Iterator[Start]:
    request.getfixturevalue(request.param)

    def begin(redact: Callable[[str], str]) -> InMemorySpanExporter:
        exporter = InMemorySpanExporter()
        wk.init("test-app", endpoint="http://127.0.0.1:9", exporter=exporter, redact=redact)
        return exporter

    yield begin
    wk.shutdown()


def broken(text: str) -> str:
    """Fail on the name."""
    if SECRET in text:
        raise ValueError(text)
    return text


def everything(exporter: InMemorySpanExporter) -> str:
    """Write all that left the process."""
    wk.flush()
    return "\n".join(span.to_json() for span in exporter.get_finished_spans())


@wk.observe
def answer(question: str) -> str:
    """Say the question again, in an error."""
    raise RuntimeError(question)


@pytest.mark.parametrize("redact", [broken, lambda _: None], ids=["raises", "returns no text"])
def test_what_it_fails_on_is_withheld(start: Start, redact: Callable[[str], str]) -> None:
    """A text on which the function fails is replaced and counted, and the app notices nothing."""
    exporter = start(redact)
    with pytest.raises(RuntimeError, match=SECRET):
        answer(SECRET)
    told = everything(exporter)

    assert SECRET not in told
    assert WITHHELD in told
    assert wk.stats().redactions_failed > 0


def test_every_text_passes(start: Start, base_url: str) -> None:
    """Prompts, answers, errors and their traces pass the function; models and token counts stay."""
    exporter = start(lambda text: text.replace(SECRET, "N.N."))
    client = wk.wrap(OpenAI(base_url=base_url, api_key="none", max_retries=0))
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": f"I am {SECRET}"}])
    with pytest.raises(RuntimeError, match=SECRET):
        answer(f"by {SECRET}")
    told = everything(exporter)

    assert SECRET not in told
    assert "N.N." in told
    assert "gpt-4o-mini" in told
    assert wk.stats().redactions_failed == 0
