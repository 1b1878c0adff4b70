"""`docs/compatibility.md`, made from the recordings, the descriptions and the locks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.clients.canonical import COLUMNS, TRACE, Cell, Value
from tests.clients.client import Differs, Setup, setups, versions
from tests.clients.conformance import cells
from tests.clients.offline import rows

SAME, SOME, NONE = "✓", "◐", "○"
SHOWN = {
    "collector": "http://127.0.0.1:7070", "port": "7070", "grpc": "4317", "public_key": "pk-…", "secret_key": "sk-…",
    "bearer": "Bearer%20sk-…", "basic": "BASE64_OF_pk-…:sk-…", "model": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com", "mistral": "https://api.mistral.ai", "gemini": "https://generativelanguage.googleapis.com",
}  # fmt: skip
"""What stands in place of a placeholder, for a person to read."""
CALL_WORDS = {
    "root": "the span around it", "ask": "the call for a tool", "tool": "the tool's run", "answer": "the answer",
    "stream": "the stream", "embedding": "the embedding", "failure": "the failing call", TRACE: "the trace",
}  # fmt: skip
FIELD_WORDS = {
    "present": "the span itself", "one_trace": "one trace", "counted_once": "counted once", "error": "error message",
    "finish_reasons": "finish reason", "tool_name": "tool's name", "tools": "tools offered",
}  # fmt: skip
HEAD = """# Compatibility

<!-- Generated from tests/clients; make format writes it anew. -->

What you already use works here by changing a URL. Every client on this page is run against a server in CI: the package from
its registry, in the version named, set up only as its own documentation says, with a key of its own.

Each has the same conversation. Under one span, a model is asked about the weather and calls a tool; the tool runs; the
model answers. Then one answer is streamed, one text embedded, and one call fails. All of it belongs to a session,
a user, two tags, a service, an environment and a release, as far as a client has words for them.
"""
LEGEND = """
**✓** the same for every span of the conversation.
**◐** for some of them, **○** for none: follow the mark to what differs, and why.
"""
FOOT = """
## What the columns mean

| column | what has to be the same |
|---|---|
| kind | model call, embedding, tool or agent |
| model | provider, the model asked for, and the one that answered |
| messages | every message with its role, tool calls with their arguments, tool results, the answer; what was embedded |
| tokens | input, output, read from the cache, written to it, reasoning |
| cost | the price, to the nano-dollar, by our own table; none for a failed call |
| finish reason | as the provider gave it |
| first token | that it was streamed, and that the time to the first token is known |
| parameters | the temperature |
| tools | the tools that were offered, with their descriptions and parameters |
| session … release | the same on every span of the trace |
| errors | status, the type of the exception, the provider's message |
| tree | one trace, every span where it belongs, every call once |
"""


def page() -> str:
    """Return the page."""
    tables = {name: cells(rows(name), setup.client.speaks) for name, setup in setups().items()}
    return "\n".join([HEAD, *_matrix(tables), LEGEND + _sum(tables), *_sections(), FOOT.strip(), ""])


def _matrix(tables: dict[str, dict[Cell, tuple[Value, Value]]]) -> Iterator[str]:
    yield f"| client | {' | '.join(COLUMNS)} |"
    yield "|---|" + ":-:|" * len(COLUMNS)
    for name, table in tables.items():
        link = f"#{_slug(setups()[name].client.title)}"
        marks = [_mark(table, fields) for fields in COLUMNS.values()]
        told = [one if one in {SAME, ""} else f"[{one}]({link})" for one in marks]
        yield f"| [{_title(setups()[name])}]({link}) | {' | '.join(told)} |"


def _mark(table: dict[Cell, tuple[Value, Value]], fields: tuple[str, ...]) -> str:
    pairs = [pair for (_, field), pair in table.items() if field in fields]
    agreeing = sum(wanted == found for wanted, found in pairs)
    if not pairs:
        return ""
    return SAME if agreeing == len(pairs) else SOME if agreeing else NONE


def _sum(tables: dict[str, dict[Cell, tuple[Value, Value]]]) -> str:
    pairs = [pair for table in tables.values() for pair in table.values()]
    same = sum(wanted == found for wanted, found in pairs)
    clients = len({setup.folder for setup in setups().values()})
    return (
        f"\n{clients} clients, set up in {len(tables)} ways: {same:,} of {len(pairs):,} values are the same, "
        f"and each of the other {len(pairs) - same:,} is explained below.\n"
    )


def _sections() -> Iterator[str]:
    yield "## The clients\n"
    for setup in setups().values():
        if setup.variant is None:
            yield from _section(setup)


def _section(setup: Setup) -> Iterator[str]:
    client = setup.client
    told = ", ".join(f"`{name}` {version}" for name, version in versions(setup.folder).items())
    yield f"### {client.title}\n"
    yield f"{told}. [Its documentation]({client.documentation}). The app: `tests/clients/{setup.folder}/`.\n"
    yield from _settings(client.environment)
    for name, variant in client.variants.items():
        yield f"Or, as *{name}*:\n"
        yield from _settings(variant.environment)
    if client.differs:
        yield "| what differs | in | why |\n|---|---|---|"
        yield from (_row(one) for one in client.differs)
        yield ""
    if client.missing:
        yield "\n".join(f"- Not to be had: {one}" for one in client.missing) + "\n"


def _settings(environment: dict[str, str]) -> Iterator[str]:
    if environment:
        lines = [f"{name}={_quoted(_fill(value))}" for name, value in environment.items()]
        yield "\n".join(["```sh", *lines, "```", ""])


def _row(differs: Differs) -> str:
    fields = ", ".join(FIELD_WORDS.get(one, one.replace("_", " ")) for one in _several(differs.field))
    calls = _several(differs.call)
    where = "everywhere" if calls == ("*",) else ", ".join(CALL_WORDS[one] for one in calls)
    told = [
        fields.replace("*", "everything"),
        where + (f" (*{', '.join(_several(differs.variant))}*)" if differs.variant else ""),
        differs.why,
    ]
    return f"| {' | '.join(one.replace('|', chr(92) + '|') for one in told)} |"


def _several(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _fill(value: str) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda found: SHOWN.get(found[1], found[0]), value)


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[\s;&|<>(){}$*?#]", value) else value


def _title(setup: Setup) -> str:
    return setup.client.title if setup.variant is None else f"{setup.client.title}: {setup.variant}"


def _slug(title: str) -> str:
    """Return the anchor that the documentation's generator gives a heading."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())
