"""What is recognised and, as important, what is not; and that no text takes long."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guard.samples import ALL, HARMLESS
from watchkeeper.guard import Counts, recognizers
from watchkeeper.guard.recognizer import pattern
from watchkeeper.guard.rules.named_secret import names_secret
from watchkeeper.guard.scanner import Scanner

SCANNER = Scanner(recognizers())
AROUND = ["{}", "my data: {}.", "({})", '"{}"', "first line\n{}\nlast", "Grüezi {}, merci"]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_and_nobody_survives(text: str) -> None:
    """Ids, times, prices, versions, coordinates, prose and wrong check digits are left as they are."""
    counts: Counts = {}

    assert [SCANNER.mask(shape.format(text), counts) for shape in AROUND] == [shape.format(text) for shape in AROUND]
    assert counts == {}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", AROUND)
def test_each_kind_is_masked_wherever_it_stands(name: str, shape: str) -> None:
    """A thing is replaced by its kind, in whatever it is wrapped, and nothing around it is."""
    kind, text = ALL[name]
    counts: Counts = {}

    assert SCANNER.mask(shape.format(text), counts) == shape.format(f"[MASKED:{kind}]")
    assert counts == {kind: 1}


NAMED = [
    ("password=hunter22", "password=[MASKED:password]"),
    ("password: hunter22, user: jo", "password: [MASKED:password], user: jo"),
    ("MISTRAL_API_KEY=abcdEFGHijklMNOPqrstUVWXyz012345", "MISTRAL_API_KEY=[MASKED:password]"),
    ("https://a.example/x?api_key=abc123&page=2", "https://a.example/x?api_key=[MASKED:password]&page=2"),
    ("Server=db;Uid=me;Pwd=s3cretX;", "Server=db;Uid=me;Pwd=[MASKED:password];"),
    ("postgres://bob:pa55w0rd@db/app", "postgres://bob:[MASKED:password]@db/app"),
    ("Authorization: Bearer abc.DEF-123456789", "Authorization: Bearer [MASKED:token]"),
    ("Authorization: Basic Ym9iOnBhNTV3MHJk", "Authorization: Basic [MASKED:token]"),
    ("write to https://a.example/?to=jane%40example.com&x=1", "write to https://a.example/?to=[MASKED:email]&x=1"),
    ("call +41 44 668 18 00 now", "call [MASKED:phone] now"),
    ("tel: 4155552671", "tel: [MASKED:phone]"),
    (
        "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = [MASKED:password]",
    ),
]


@pytest.mark.parametrize(("text", "masked"), NAMED)
def test_what_a_name_or_a_place_gives_away_is_masked(text: str, masked: str) -> None:
    """A secret without a mark of its own is told by what stands before it; the rest of the line stays."""
    assert SCANNER.mask(text, {}).replace("[MASKED:key]", "[MASKED:password]") == masked


def test_a_key_that_was_cut_off_is_masked_to_its_end() -> None:
    """A PEM block without its end line is masked as far as it goes, and prose after a whole one stays."""
    whole = ALL["pem"][1]
    cut = whole[: whole.index("-----END")]

    assert SCANNER.mask("a " + whole + " and then", {}) == "a [MASKED:private_key] and then"
    assert "MIIE" not in SCANNER.mask("a " + cut, {})
    assert "MIIE" not in SCANNER.mask("a " + cut.replace("\n", "\\n"), {})


def test_json_stays_json_and_is_masked_inside() -> None:
    """Escapes, nested JSON text, secret-named fields and card numbers as numbers are masked; the shape is kept."""
    inner = json.dumps({"password": "tulip", "note": "ok"})
    told = {
        "a": "x\njane@example.com",
        "arguments": inner,
        "n": [1, 2.5, None, True, 4111111111111111],
        "token": "Hello",
    }

    masked = json.loads(SCANNER.mask(json.dumps(told), {}))

    assert masked["a"] == "x\n[MASKED:email]"
    assert json.loads(masked["arguments"]) == {"password": "[MASKED:password]", "note": "ok"}
    assert masked["n"] == [1, 2.5, None, True, "[MASKED:card]"]
    assert masked["token"] == "Hello"


def test_escaped_letters_hide_nothing() -> None:
    """A JSON text that writes its at-sign as an escape is read before it is judged."""
    assert SCANNER.mask('{"a": "jane\\u0040example.com"}', {}) == '{"a":"[MASKED:email]"}'


def test_json_that_was_cut_off_is_masked_as_text() -> None:
    """What no longer parses is masked where it stands."""
    assert "jane" not in SCANNER.mask('[{"content":"x\\njane@example.com and mo', {})


def test_json_in_which_nothing_is_found_keeps_its_bytes() -> None:
    """A text is written anew only when something in it was masked."""
    text = '{ "a" : 1.10, "tel": "@" }'

    assert SCANNER.mask(text, {}) is text


@pytest.mark.parametrize(
    "key", ["password", "db.password", "x-api-key", "OPENAI_API_KEY", "Authorization", "clientSecret"]
)
def test_a_name_can_make_a_secret(key: str) -> None:
    """The last word of a field's name decides, however it is spelt."""
    assert names_secret(key)


@pytest.mark.parametrize(
    "key", ["token", "max_tokens", "key", "secret_santa", "password_hint", "gen_ai.token.type", "keyboard"]
)
def test_a_name_that_only_resembles_makes_none(key: str) -> None:
    """Counts of tokens, keys of maps and hints are no secrets."""
    assert not names_secret(key)


HOSTILE = {
    "digits": "1" * 1_000_000, "digits and spaces": "4111 " * 200_000, "at": "a@" * 500_000, "at and dots": "a@b." * 250_000,
    "letters": "a" * 1_000_000 + "@", "plus": "+1" * 500_000, "zero": "01 " * 330_000, "keys": "sk-" * 330_000,
    "pem": "-----BEGIN PRIVATE KEY-----" * 37_000, "braces": "{" * 1_000_000, "brackets": "[" * 1_000_000,
    "passwords": "password:" * 110_000, "urls": "a://b:c" * 140_000, "jwt": "eyJ" * 330_000, "iban": "CH93 " * 200_000,
    "labels": "tel " * 250_000, "aws": "aws secret " * 90_000, "quotes": '"' * 1_000_000, "surrogates": "\ud800@" * 300_000,
    "nested": '{"a":' * 5_000 + "1" + "}" * 5_000,
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name: str) -> None:
    """A megabyte made to be slow is masked within the limit, which a quadratic pattern would pass by hours."""
    SCANNER.mask(HOSTILE[name], {})


@given(st.text(max_size=300))
def test_any_text_is_taken_and_masking_twice_changes_nothing(text: str) -> None:
    """Whatever the text, masking succeeds, and what is masked is not masked again."""
    once = SCANNER.mask(text, {})

    assert SCANNER.mask(once, {}) == once


@given(st.lists(st.sampled_from([text for _, text in ALL.values()] + HARMLESS), max_size=6), st.sampled_from(" \n,;|"))
def test_whatever_a_recogniser_finds_its_hint_sees(texts: list[str], between: str) -> None:
    """The first look never hides what a closer one would have found."""
    text = between.join(texts)
    blind = [
        one.code for one in recognizers() if list(one.find(text)) and pattern("(?i)" + one.hint).search(text) is None
    ]

    assert blind == []


def test_each_recogniser_has_a_code_and_says_why() -> None:
    """Codes are unique and in one form, and each docstring says why the thing is bad to keep."""
    found = list(recognizers())

    assert all(re.fullmatch(r"WKG\d{3}", one.code) for one in found)
    assert len({one.code for one in found}) == len(found)
    assert all("Why is this bad:" in (type(one).__doc__ or "") for one in found)


@given(st.sampled_from(sorted(ALL)), st.sampled_from(sorted(ALL)))
def test_matches_never_overlap_in_the_answer(first: str, second: str) -> None:
    """Two things beside each other are masked as wholes: no half of one is left."""
    texts = [ALL[first][1], ALL[second][1]]
    masked = SCANNER.mask(" and ".join(texts), {})

    assert all(text not in masked for text in texts)
    assert all(left != right or left != "[" for left, right in pairwise(masked))
