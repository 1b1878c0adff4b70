"""Single rules of the dialects, on the smallest span that shows them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.ingest.draft import Draft, merge
from watchkeeper.ingest.read import indexed
from watchkeeper.model import (
    Content,
    Cost,
    Document,
    MediaPart,
    Message,
    RawLog,
    ReasoningPart,
    Scope,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)

USER = '[{"role":"user","parts":[{"type":"text","content":"otel"}]}]'


def log(**given: Any) -> RawLog:
    """Return a log record of the span under test."""
    return RawLog(trace_id="a" * 32, span_id="b" * 16, **given)


@pytest.mark.parametrize("value", ["many", -5, True, 2.5e300, float("nan"), [], "-1"])
def test_a_count_that_is_none_is_left_out(value: Any) -> None:
    """A token count that is no count is unknown, not zero, and does not hide the others."""
    found = span({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": value, "gen_ai.usage.output_tokens": 3})

    assert found.usage == Usage(output_tokens=3)


@pytest.mark.parametrize("value", [-1.0, float("nan"), "free", 1e30])
@pytest.mark.parametrize("key", ["operation.cost", "llm.cost.total"])
def test_a_cost_that_is_none_is_left_out(key: str, value: Any) -> None:
    """A provided cost that is no amount is no cost."""
    assert span({"gen_ai.operation.name": "chat", "llm.model_name": "m", key: value}).cost is None


def test_a_parents_aggregate_is_not_its_usage() -> None:
    """Usage that an agent sums over its children is not counted again."""
    found = span({"gen_ai.operation.name": "invoke_agent", "gen_ai.aggregated_usage.input_tokens": 100})

    assert (found.kind, found.usage) == ("agent", Usage())


def test_messages_come_from_one_dialect() -> None:
    """When two dialects tell the conversation, one is taken whole; their numberings are never spliced."""
    found = span(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": USER,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "openinference",
            "llm.output_messages.0.message.content": "answer of the other",
            "openinference.span.kind": "LLM",
        }
    )

    assert found.input == Content(messages=(Message(role="user", parts=(TextPart("otel"),)),))
    assert found.output is None
    assert found.dialects == ("otel_genai", "openinference")


def test_other_fields_are_joined_one_by_one() -> None:
    """A field that one dialect leaves open is taken from the other."""
    found = span(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.request.temperature": 0.5,
            "openinference.span.kind": "CHAIN",
            "llm.model_name": "m",
            "llm.token_count.prompt": 99,
            "llm.token_count.completion": 4,
            "llm.invocation_parameters": '{"seed": 1, "temperature": 0.9}',
        }
    )

    assert (found.kind, found.model) == ("llm", "m")
    assert found.usage == Usage(input_tokens=10, output_tokens=4)
    assert found.parameters == {"temperature": 0.5, "seed": 1}


def test_an_apps_own_word_goes_first() -> None:
    """What the app itself says of its span's kind goes before what a convention has one infer."""
    found = span(
        {"watchkeeper.kind": "guardrail", "watchkeeper.output": "{}", "watchkeeper.tags": ["a", "b"],
         "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}
    )  # fmt: skip

    assert (found.kind, found.tool_name, found.tags) == ("guardrail", "t", ("a", "b"))
    assert found.output == Content(text="{}")


@pytest.mark.parametrize(
    "keys",
    [
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
    ],
)
def test_the_cache_has_several_names(keys: tuple[str, str]) -> None:
    """Cache reads and writes are read under each name they have had."""
    usage = span({"gen_ai.usage.input_tokens": 100, keys[0]: 40, keys[1]: 20}).usage

    assert usage == Usage(input_tokens=100, cache_read_tokens=40, cache_write_tokens=20)


def test_an_input_that_leaves_the_cache_out_is_made_whole() -> None:
    """More cached tokens than input tokens means that the input leaves them out; the total is made inclusive."""
    found = span({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 90})

    assert found.usage == Usage(input_tokens=100, cache_read_tokens=90)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("chat", "llm"), ("generate_content", "llm"), ("text_completion", "llm"), ("embeddings", "embedding"),
        ("retrieval", "retriever"), ("execute_tool", "tool"), ("invoke_agent", "agent"), ("create_agent", "agent"),
        ("invoke_workflow", "workflow"), ("rerank", "reranker"), ("something_new", "span"),
    ],
)  # fmt: skip
def test_an_operation_is_a_kind(operation: str, kind: str) -> None:
    """OTel's operations are our kinds; one we do not know is a plain span."""
    assert span({"gen_ai.operation.name": operation}).kind == kind


@pytest.mark.parametrize(
    ("theirs", "kind"),
    [
        ("LLM", "llm"), ("CHAIN", "workflow"), ("TOOL", "tool"), ("AGENT", "agent"), ("RETRIEVER", "retriever"),
        ("EMBEDDING", "embedding"), ("RERANKER", "reranker"), ("GUARDRAIL", "guardrail"), ("EVALUATOR", "evaluator"),
        ("PROMPT", "span"), ("NEW", "span"), ("llm", "llm"),
    ],
)  # fmt: skip
def test_an_openinference_kind_is_ours(theirs: str, kind: str) -> None:
    """OpenInference's kinds are ours, in any case; one we do not know is a plain span."""
    assert span({"openinference.span.kind": theirs}).kind == kind


SHAPES: list[Any] = [
    USER,
    [{"role": "user", "parts": [{"type": "text", "content": "otel"}]}],
    ['{"role":"user","parts":[{"type":"text","content":"otel"}]}'],
    '{"messages":[{"role":"user","content":"otel"}]}',
    '[{"role":"human","content":[{"type":"text","text":"otel"}]}]',
    "otel",
]


@pytest.mark.parametrize("value", SHAPES)
def test_messages_are_read_in_every_shape(value: Any) -> None:
    """JSON text, arrays of maps or of texts, OpenAI's shape or bare text: the same message."""
    found = span({"gen_ai.operation.name": "chat", "gen_ai.input.messages": value})

    assert found.input == Content(messages=(Message(role="user", parts=(TextPart("otel"),)),))


def test_every_part_of_a_message_is_read() -> None:
    """Reasoning, media, tool calls and results become parts of their own; an unknown part is kept as it is."""
    parts = [
        {"type": "reasoning", "content": "hm"},
        {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAA"},
        {"type": "uri", "modality": "audio", "uri": "https://x/y"},
        {"type": "tool_call", "id": "1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "tool_call_response", "id": "1", "response": {"b": 2}},
        {"type": "novel", "k": 1},
    ]
    found = span(
        {"gen_ai.operation.name": "chat", "gen_ai.output.messages": [{"role": "assistant", "parts": parts}]}
    ).output

    assert found is not None
    *read, other = found.messages[0].parts
    assert read == [
        ReasoningPart("hm"),
        MediaPart(modality="image", mime_type="image/png", data="AAA"),
        MediaPart(modality="audio", uri="https://x/y"),
        ToolCallPart(id="1", name="f", arguments={"a": 1}),
        ToolResultPart(id="1", result={"b": 2}),
    ]
    assert (other.kind, other.value) == ("novel", {"type": "novel", "k": 1})  # type: ignore[union-attr]


def test_system_instructions_stand_in_front() -> None:
    """System instructions that come apart from the messages are the first message."""
    found = span(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": USER,
            "gen_ai.system_instructions": '[{"type":"text","content":"be kind"}]',
        }
    )

    assert found.input is not None
    assert [one.role for one in found.input.messages] == ["system", "user"]
    assert found.input.messages[0].parts == (TextPart("be kind"),)


def test_older_message_events_are_joined() -> None:
    """Messages that came as log events of their own, as before 1.37, are the conversation, in order of time."""
    call: Any = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choice: Any = {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}}
    logs = (
        log(time=3, event_name="gen_ai.choice", body=choice),
        log(time=2, event_name="gen_ai.user.message", body={"content": "hi"}),
        log(time=1, event_name="gen_ai.system.message", body={"content": "be kind"}),
    )
    found = span({"gen_ai.operation.name": "chat"}, logs=logs)

    assert found.input == Content(
        messages=(
            Message(role="system", parts=(TextPart("be kind"),)),
            Message(role="user", parts=(TextPart("hi"),)),
        )
    )
    assert found.output == Content(
        messages=(
            Message(
                role="assistant", parts=(ToolCallPart(id="c", name="f", arguments={}),), finish_reason="tool_calls"
            ),
        )
    )


def test_a_retrieval_gives_documents_in_either_dialect() -> None:
    """The query and the documents of a retrieval are read from both dialects."""
    otel = span(
        {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "q",
         "gen_ai.retrieval.documents": '[{"id":"1","score":0.5}]'}
    )  # fmt: skip
    theirs = span(
        {"openinference.span.kind": "RETRIEVER", "input.value": "q", "retrieval.documents.0.document.id": "1",
         "retrieval.documents.0.document.score": 0.5, "retrieval.documents.0.document.metadata": '{"a": 1}'}
    )  # fmt: skip

    assert (otel.input, otel.output) == (Content(text="q"), Content(documents=(Document(id="1", score=0.5),)))
    assert theirs.input == Content(text="q")
    assert theirs.output == Content(documents=(Document(id="1", score=0.5, metadata={"a": 1}),))


def test_a_tool_has_arguments_and_a_result() -> None:
    """A tool span's arguments and result are its input and output."""
    found = span(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.arguments": '{"a":1}',
         "gen_ai.tool.call.result": {"b": 2}}
    )  # fmt: skip

    assert (found.kind, found.tool_name) == ("tool", "t")
    assert found.input == Content(text='{"a":1}')
    assert found.output == Content(text='{"b":2}', mime_type="application/json")


def test_indexed_keys_are_ordered_by_number() -> None:
    """The tenth message comes after the second, and a gap in the numbers is closed."""
    keys = {f"llm.input_messages.{index}.message.content": str(index) for index in (10, 2, 0)}
    found = span({"openinference.span.kind": "LLM", **keys}).input

    assert found is not None
    assert [one.parts for one in found.messages] == [(TextPart(one),) for one in ("0", "2", "10")]


def test_openinference_content_has_parts() -> None:
    """Text and an image in one OpenInference message are two parts."""
    prefix = "llm.input_messages.0.message.contents"
    found = span(
        {
            "openinference.span.kind": "LLM",
            f"{prefix}.0.message_content.type": "text",
            f"{prefix}.0.message_content.text": "look",
            f"{prefix}.1.message_content.type": "image",
            f"{prefix}.1.message_content.image.image.url": "https://x/y.png",
        }
    ).input

    assert found is not None
    assert found.messages[0].parts == (TextPart("look"), MediaPart(modality="image", uri="https://x/y.png"))


def test_openinference_completions_are_a_conversation() -> None:
    """Prompts and choices of a text completion are messages too."""
    found = span(
        {"openinference.span.kind": "LLM", "llm.prompts.0.prompt.text": "p", "llm.choices.0.completion.text": "c"}
    )

    assert found.input == Content(messages=(Message(role="user", parts=(TextPart("p"),)),))
    assert found.output == Content(messages=(Message(role="assistant", parts=(TextPart("c"),)),))


def test_openinference_costs_are_provided() -> None:
    """Costs an emitter computed are kept in nano-dollars, by side where the sides add up."""
    found = span(
        {
            "openinference.span.kind": "LLM",
            "llm.cost.total": 0.003,
            "llm.cost.prompt": 0.001,
            "llm.cost.completion": 0.002,
        }
    )

    assert found.cost == Cost(
        state="provided",
        nano=3_000_000,
        nano_usd=3_000_000,
        source="the emitter (llm.cost)",
        detail={"input": 1_000_000, "output": 2_000_000},
    )


def test_a_cost_beside_otels_keys_is_provided() -> None:
    """The cost Pydantic AI puts beside OTel's keys is kept as provided."""
    cost = span({"gen_ai.operation.name": "chat", "operation.cost": 0.25}).cost

    assert cost is not None
    assert (cost.state, cost.nano) == ("provided", 250_000_000)


def test_session_and_user_are_found_under_their_names() -> None:
    """Session and user come from OpenTelemetry's keys, or from the conversation where there is no session."""
    named = span({"session.id": "s", "gen_ai.conversation.id": "c", "user.id": "u"})
    older = span({"gen_ai.conversation.id": "c", "enduser.id": "u"})

    assert (named.session_id, named.user_id) == ("s", "u")
    assert (older.session_id, older.user_id) == ("c", "u")


def test_an_exception_event_names_the_error() -> None:
    """A failed span without an error type takes it from its exception event; one that did not fail does not."""
    from watchkeeper.model import RawEvent

    event = RawEvent(name="exception", attributes={"exception.type": "ValueError", "exception.message": "no"})
    failed, fine = (span(status_code=code, events=(event,)) for code in (2, 1))

    assert (failed.status, failed.error_type, failed.status_message) == ("error", "ValueError", "no")
    assert (fine.status, fine.error_type, fine.status_message) == ("ok", None, None)


@pytest.mark.parametrize("name", [name for name in Draft.__struct_fields__ if name not in {"input", "output"}])
def test_whatever_a_dialect_may_say_is_joined(name: str) -> None:
    """Each field that the first reading leaves open is the second's, and one that it has stays."""
    values: dict[str, tuple[Any, Any]] = {
        "usage": (Usage(input_tokens=1), Usage(input_tokens=2)), "cost": (Cost(state="provided"), Cost(state="unpriced")),
        "parameters": ({"a": 1}, {"a": 2}), **dict.fromkeys(("finish_reasons", "tools", "tags"), (("a",), ("b",))),
        "streaming": (False, True), **dict.fromkeys(("time_to_first_token_ns", "took_ns"), (0, 1)),
    }  # fmt: skip
    mine, other = values.get(name, ("llm", "tool"))

    assert getattr(merge(Draft(), Draft(**{name: other})), name) == other
    assert getattr(merge(Draft(**{name: mine}), Draft(**{name: other})), name) == mine


def test_indexed_keys_leave_the_attributes_as_they_came() -> None:
    """A map under one indexed key, and a key that goes into it, are folded without a change to what arrived."""
    inner = {"role": "user", "more": {"a": 1}}
    told: dict[str, Any] = {"llm.input_messages.0.message": inner, "llm.input_messages.0.message.more.b": 2}

    assert indexed(told) == {"llm.input_messages": {"0": {"message": {"role": "user", "more": {"a": 1, "b": 2}}}}}
    assert inner == {"role": "user", "more": {"a": 1}}


@pytest.mark.parametrize("client", ["phoenix-anthropic", "phoenix-anthropic_twice"])
def test_a_call_among_anthropics_contents_is_told_of_once(client: str) -> None:
    """Anthropic's calls for tools are written among the contents and beside them; each is one part, in its place."""
    first = next(one for one in spans(client) if one.finish_reasons == ("tool_use",))

    assert first.output is not None
    assert [type(part) for part in first.output.messages[0].parts] == [TextPart, ToolCallPart]


def test_mistrals_bodies_that_are_none() -> None:
    """What Mistral's instrumentation leaves in the bodies is looked for only there; bodies of another shape give nothing."""
    scope = Scope(name="openinference.instrumentation.mistralai")
    found = span({"openinference.span.kind": "LLM", "input.value": "[1]", "output.value": '{"data": 3}'}, scope=scope)

    assert (found.provider, found.tools, found.input) == ("mistral_ai", (), Content(text="[1]"))


LANGCHAIN = Scope(name="openinference.instrumentation.langchain")


@pytest.mark.parametrize("value", ['{"type": "tool", "data": 1}', '{"type": "tool", "data": {}}', "sunny", "[1]"])
def test_a_result_that_is_no_message_of_langchains(value: str) -> None:
    """A tool's output in another shape than LangChain's message stays as it came."""
    found = span({"openinference.span.kind": "TOOL", "output.value": value}, scope=LANGCHAIN)

    assert found.output == Content(text=value)


def test_parameters_that_say_nothing_are_left_out() -> None:
    """Parameters that an instrumentation writes empty, and LangChain's names of model and class, are no parameters."""
    told = '{"_type": "openai-chat", "model_name": "m", "stop": null, "top_p": "", "temperature": 0}'
    found = span({"openinference.span.kind": "LLM", "llm.invocation_parameters": told})

    assert found.parameters == {"temperature": 0}
