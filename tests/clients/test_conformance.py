"""The same call through every SDK gives the same canonical row, or the cell that differs is explained."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
import pytest

from tests.clients.canonical import COLUMNS, canonical
from tests.clients.client import Differs, Setup, setups
from tests.clients.conformance import cells, complaints, identify
from tests.clients.offline import rows

PHOENIX = setups()["phoenix"]


def saying(*differs: Differs) -> Setup:
    """Return a client whose rows are all canonical, with a list of differences."""
    return Setup("phoenix", msgspec.structs.replace(PHOENIX.client, differs=differs))


def changed(**fields: Any) -> list[dict[str, Any]]:
    """Return canonical rows, but for some fields of the call for a tool."""
    told = deepcopy(rows("phoenix"))
    identify(told)[0]["ask"].update(fields)
    return told


def test_a_cell_that_differs_unlisted_is_told() -> None:
    """A cell that nobody explains is named with what was wanted and what was found."""
    (told,) = complaints(changed(session_id=None), saying())

    assert told == "ask session:\n    wanted 'session-1'\n    found  None"


def test_a_cell_that_is_listed_must_differ() -> None:
    """An explanation that explains nothing any more, or no cell at all, is told."""
    told = complaints(rows("phoenix"), saying(Differs("ask", "session", "?"), Differs("ask", "colour", "?")))

    assert told == [
        "listed, but does not differ: ask session",
        "listed, but does not differ: ask colour, which is no cell",
    ]


@pytest.mark.parametrize(("call", "field"), [("ask", "*"), (("ask", "tool"), "session")])
def test_a_list_may_not_say_too_much(call: Any, field: Any) -> None:
    """A difference listed for several cells must be one in each of them."""
    told = complaints(changed(session_id=None), saying(Differs(call, field, "?")))

    assert len(told) == 1
    assert "ask session" not in told[0]


def test_a_listed_cell_may_differ() -> None:
    """A cell that differs and is explained is no complaint."""
    assert complaints(changed(session_id=None), saying(Differs("ask", "session", "no word for it"))) == []


def test_a_call_that_is_missing_is_one_cell() -> None:
    """Of a call that is not there, nothing is said but that."""
    told = [row for row in rows("phoenix") if row["kind"] != "tool"]
    table = cells(told, "openai")

    assert [cell for cell, (wanted, found) in table.items() if wanted != found] == [("tool", "present")]


def test_a_call_counted_twice_is_a_difference() -> None:
    """A call that two spans tell of, both with tokens, is found out."""
    twice = [*rows("phoenix"), identify(rows("phoenix"))[0]["stream"] | {"span_id": "f" * 16}]

    assert [cell for cell, (wanted, found) in cells(twice, "openai").items() if wanted != found] == [
        ("trace", "counted_once")
    ]


@pytest.mark.parametrize("speaks", ["openai", "anthropic", "mistral", "gemini"])
def test_every_cell_has_its_column(speaks: str) -> None:
    """Each field of the canonical rows is shown in one column of the table, and each column has a field."""
    assert {field for _, field in canonical(speaks)} == {field for one in COLUMNS.values() for field in one}


@pytest.mark.parametrize("name", setups())
def test_what_was_recorded_gives_the_canonical_rows(name: str) -> None:
    """Every cell of a client's recorded conversation is the canonical one, or is explained."""
    wrong = complaints(rows(name), setups()[name])

    assert not wrong, f"{name}:\n" + "\n".join(wrong)
