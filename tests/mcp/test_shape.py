"""What tools make of the API's JSON, without a server."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.mcp.conftest import EVERY
from watchkeeper.mcp import shape
from watchkeeper.mcp.text import clean, clipped, fitting

IDS = st.sampled_from(["a", "b", "c", "d", "e"])


@given(st.dictionaries(IDS, st.none() | IDS, max_size=5))
def test_each_span_is_told_once_whatever_the_parents(parents: dict[str, str | None]) -> None:
    """Missing parents, spans that are their own, and circles: every span is in the tree once, after a parent told of it."""
    rows = [{"span_id": one, "parent_span_id": parent} for one, parent in parents.items()]
    ordered = list(shape.tree(rows))
    depths = {row["span_id"]: depth for depth, row in ordered}

    assert sorted(row["span_id"] for _, row in ordered) == sorted(parents)
    assert all(depth == 0 or depths[row["parent_span_id"]] == depth - 1 for depth, row in ordered)


@given(st.text())
def test_clean_text_hides_nothing(text: str) -> None:
    """Cleaned text is stable, and what one sees is all of it."""
    once = clean(text)

    assert clean(once) == once
    assert not any(0xE0000 <= ord(one) < 0xE1000 for one in once)


def test_hidden_text_does_not_swell_a_result() -> None:
    """A text of nothing but hidden characters, each longer written out, is still clipped near the limit."""
    found = clipped("\u200b" * 10_000, 1_000, "there")

    assert len(found) < 1_100
    assert found.endswith("[clipped, 10000 characters in all: there]")


def test_one_item_is_kept_however_long() -> None:
    """A budget smaller than the first item still leaves that one."""
    assert fitting(["long", "more"], 1, len) == ["long"]


def test_the_page_names_every_tool_and_parses() -> None:
    """The page's table has the tools there are, and each of its JSON forms parses and leads to them."""
    text = (Path(__file__).parents[2] / "docs/mcp.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    forms = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    servers = [one for form in forms for one in (form.get("mcpServers") or form["servers"]).values()]

    assert sorted(told) == sorted(EVERY)
    assert len(servers) == 4
    assert all(one.get("url", "").endswith("/mcp") or one["args"][0] == "mcp" for one in servers)
