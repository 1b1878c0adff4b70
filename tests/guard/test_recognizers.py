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
    ("GET /x?token=8f3a9c1d22 200", "GET /x?token=[MASKED:password] 200"),
    ("GET /x?access_token=tulip&a=1", "GET /x?access_token=[MASKED:password]&a=1"),
    (
        "https://b.example/o?se=2026-11-25&sig=aB3dE6%2FgH9jK2mN5",
        "https://b.example/o?se=2026-11-25&sig=[MASKED:password]",
    ),
    ("Bearer: 8f3a9c1d22e4", "Bearer: [MASKED:password]"),
    ("Authorization: 8f3a9c1d22e4b6a7", "Authorization: [MASKED:password]"),
    ('token = "aB3dE6gH9"', 'token = "[MASKED:password]"'),
    ("curl -u bob:tulips https://a.example", "curl -u bob:[MASKED:password] https://a.example"),
    ("curl -s \\\n --user 'bob:tulips'", "curl -s \\\n --user 'bob:[MASKED:password]'"),
    ("https://bob:tulips@intranet/x", "https://bob:[MASKED:password]@intranet/x"),
    ("My password is Tulip22!", "My password is [MASKED:password]!"),
    ("Das Passwort lautet: Tulpe22.", "Das Passwort lautet: [MASKED:password]."),
    ("le mot de passe est Tulipe22", "le mot de passe est [MASKED:password]"),
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
    "escapes": "\\n" * 500_000, "colours": "\x1b[3" * 250_000, "unseen": "4\u200b" * 500_000, "wide": "\uff11" * 1_000_000,
    "tokens": "token=" * 170_000, "drawn": "token=a1b2c3d4 " * 60_000, "curl": "curl -u a:bcd " * 70_000,
    "signed": "?sig=" * 200_000, "said": "password is " * 90_000, "user": " -u a" * 200_000,
    "flags": "--password " * 90_000, "nested": '{"a":' * 5_000 + "1" + "}" * 5_000,
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


def _split(text: str, mark: str) -> str:
    return text[:6] + mark + text[6:]


DISGUISED = {
    "an escaped line break": "a\\n{}\\n b", "an escaped tab": "a\\t{}", "a percent-encoded space": "q=a%20{}%20b",
    "a terminal's colour": "a \x1b[31m{}\x1b[0m b", "a byte order mark": "\ufeff{}", "a C string": "\\r\\n{}\\r\\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", DISGUISED.values(), ids=DISGUISED)
def test_what_stands_before_it_hides_nothing(name: str, shape: str) -> None:
    """An escape, an encoded space or a colour code glued to a thing does not make it part of a longer word."""
    kind, text = ALL[name]
    if "%20" in shape and kind in {"card", "phone", "iban"}:
        text = {"card": "4111-1111-1111-1111", "phone": "+41446681800", "iban": "CH9300762011623852957"}[kind]
    counts: Counts = {}
    masked = SCANNER.mask(shape.format(text), counts)

    assert text not in masked
    assert counts == {kind: 1}


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\u2060", "\ufeff"])
@pytest.mark.parametrize("name", ["openai", "e-mail", "phone, international", "iban", "card", "aws"])
def test_letters_nobody_sees_hide_nothing(name: str, mark: str) -> None:
    """A thing with invisible characters inside is masked as a whole, and what stands around it stays."""
    kind, text = ALL[name]

    assert SCANNER.mask(f"a{mark} ({_split(text, mark)}) b{mark}", {}) == f"a{mark} ([MASKED:{kind}]) b{mark}"


@pytest.mark.parametrize("name", ["openai", "e-mail", "phone, international", "iban, together", "card"])
def test_wide_letters_are_read_as_plain_ones(name: str) -> None:
    """A thing written in full-width letters, as East Asian keyboards write, is masked."""
    kind, text = ALL[name]
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)

    assert SCANNER.mask(wide, {}) == f"[MASKED:{kind}]"


OTHERS = {
    "Google OAuth": "ya29." + "a0AfH6SMBx1234567890abcdef", "Google client": "GOCSPX-" + "abcdefghijklmnopqrstuvwxyz12",
    "Vault": "hvs." + "CAESIJ1234567890abcdefghijklmnop", "Databricks": "dapi" + "1234567890abcdef" * 2,
    "Shopify": "shpat_" + "1234567890abcdef" * 2, "Notion": "ntn_" + "1234567890abcdefghij" * 2 + "abc",
    "Linear": "lin_api_" + "1234567890abcdefghij" * 2, "Figma": "figd_" + "1234567890abcdefghij" * 2,
    "Cerebras": "csk-" + "1234567890abcdefghij1234",
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_tokens_of_more_services_are_masked(name: str) -> None:
    """A token that bears its service's mark is masked wherever it stands."""
    assert SCANNER.mask(f"use {OTHERS[name]}, please", {}) == "use [MASKED:key], please"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("run --password hunter22 now", "run --password [MASKED:password] now"),
        ("Passwort: geheim123", "Passwort: [MASKED:password]"),
        ("contraseña: hola1234", "contraseña: [MASKED:password]"),
        ("mot de passe : secret12", "mot de passe : [MASKED:password]"),
        ("IBAN CH93\t0076\t2011\t6238\t5295\t7", "IBAN [MASKED:iban]"),
        ("4111\u20091111\u20091111\u20091111", "[MASKED:card]"),
    ],
)
def test_names_in_other_languages_and_other_gaps(text: str, masked: str) -> None:
    """A password's name in another language, a command's flag, and tabs or thin spaces inside numbers are known."""
    assert SCANNER.mask(text, {}) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "fe80::1ff:fe23:4567:890a", "sha256:" + "e3b0c44298fc1c14" * 4,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "2026-11-25T14:45:10+01:00", "v10.0.19045.3803",
        "invoice 2026-000123-4567", "arXiv:2303.08774v6", "1234567890123456", "12'345'678.90", "00:1B:44:11:3A:B7",
        "req_011CSHoEeqs5C35K2UUqR7Fy", "toolu_01A09q90qw90lq917835lq9", "@org/pkg@1.2.3", "C:\\new\\table\\rows", "100%20off",
        "Passwort: vergessen?", "--token none", "40%2020", "1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13",
    ],
)  # fmt: skip
def test_more_of_what_is_harmless(text: str) -> None:
    """Addresses of hosts, digests, trace parents, versions, ids and paths are left as they are."""
    assert SCANNER.mask(text, {}) == text
