"""Claude Code's spans, as 2.1.332 sent them and as earlier versions did."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.model import RawEvent, Span


def called(name: str, *outputs: dict[str, Any], **attributes: Any) -> Span:
    """Map a span of a type; `outputs` are what its events bring."""
    return span(
        {"span.type": name, **attributes},
        name=f"claude_code.{name}",
        events=tuple(RawEvent(name="tool.output", attributes=one) for one in outputs),
    )


def test_an_interaction_is_an_agents_run() -> None:
    """Its question is the span's, its answer the last of the log records that name it, its tokens its calls'."""
    (first, _) = (one for one in spans("js-claude-code") if one.kind == "agent")

    assert first.input is not None
    assert first.output is not None
    assert (first.input.text, first.output.text) == ("What is the weather in Bern?", "It is sunny in Bern.")
    assert (first.agent_name, bool(first.usage)) == ("claude-code", False)


def test_a_tools_waiting_and_running_are_no_second_run() -> None:
    """Of the spans about one tool, one is the tool's run."""
    kinds = [one.kind for one in spans("js-claude-code") if "tool" in one.name]

    assert sorted(kinds) == ["span", "span", "tool"]


def test_the_cache_stands_beside_the_input() -> None:
    """Where no gen_ai.* is written beside, the counts are made inclusive."""
    told = called(
        "llm_request",
        model="claude-sonnet-5", input_tokens=10, output_tokens=20, cache_read_tokens=64, cache_creation_tokens=26,
    )  # fmt: skip

    assert (told.kind, told.provider, told.model) == ("llm", "anthropic", "claude-sonnet-5")
    assert (told.usage.input_tokens, told.usage.cache_read_tokens, told.usage.cache_write_tokens) == (100, 64, 26)


def test_what_is_not_told_is_not_content() -> None:
    """The word that stands for what the settings keep back is no question."""
    assert called("interaction", user_prompt="<REDACTED>").input is None


@pytest.mark.parametrize(
    ("attributes", "output", "found"),
    [
        ({"full_command": "ls"}, {"output": "a b"}, ('{"full_command":"ls"}', "a b")),
        ({"tool_input": '[TOOL INPUT: Read]\n{"a":1}'}, {}, ('{"a":1}', None)),
        ({"new_context": "[TOOL RESULT: Read]\nlines"}, {}, (None, "lines")),
    ],
)
def test_a_tools_run_is_read_from_what_there_is(
    attributes: dict[str, Any], output: dict[str, Any], found: tuple[str | None, str | None]
) -> None:
    """Input and output come from the details, the event or the detailed context, without the line before them."""
    told = called("tool", output, tool_name="Read", **attributes)

    assert (told.input and told.input.text, told.output and told.output.text) == found


def test_a_line_of_dashes_divides_no_message() -> None:
    """Turns of the detailed context begin where a turn is named, and nowhere else."""
    context = '[USER]\nOne\n\n---\n\nstill one\n\n---\n\n[TOOL RESULT: t1]\n[{"type":"text","text":"2"}]'
    told = called("llm_request", new_context=context)

    assert told.input is not None
    assert [one.role for one in told.input.messages] == ["user", "tool"]
