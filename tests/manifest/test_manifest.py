"""The manifest: what it refuses, what it reads, and what a running server does when it changes."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.kit.errors import ConfigError
from watchkeeper.manifest import ManifestFile, ServicePolicy, default_policy, load, loads

WRONG = [
    ("[services.bot.capture]\ncontnt = 'off'\n", "line 2: services.bot.capture.contnt", "did you mean 'content'?"),
    ("workspace = 'a'\n\n[servces.bot]\n", "line 3: servces", "did you mean 'services'?"),
    ("[services.bot]\nxyzzy = 1\n", "line 2: services.bot.xyzzy", "known here: budget, capture"),
    ("[services.bot]\ncapture = { content = 'of' }\n", "line 2: services.bot.capture.content is 'of'", "full, masked"),
    ("[capture]\nretention = 30\n", "line 2: capture.retention is 30", '"30d"'),
    ("[capture]\nretention = '0d'\n", "line 2: capture.retention is '0d'", '"30d"'),
    ("services = 3\n", "line 1: services is not a table", "[services]"),
    ("[services]\nbot = 'off'\n", "line 2: services.bot is not a table", "[services.bot]"),
    ("[services.\"my bot\".capture]\n'content' = 'none'\n", "line 2: services.my bot.capture.content", "full, masked"),
]


@pytest.mark.parametrize(("text", "where", "hint"), WRONG)
def test_what_is_wrong_is_named_with_its_line_and_a_way_out(text: str, where: str, hint: str) -> None:
    """A wrong key or value is an error that says the line, the key, and what was probably meant."""
    with pytest.raises(ConfigError) as caught:
        loads(text)

    assert where in caught.value.message
    assert hint in (caught.value.hint or "")


def test_text_that_is_no_toml_is_refused_with_the_parsers_place() -> None:
    """A syntax error keeps the line that the parser tells."""
    with pytest.raises(ConfigError, match="line 2"):
        loads("a = 1\nb = = 2\n")


def test_a_number_without_end_is_refused() -> None:
    """A number of more digits than Python reads is no TOML of ours, and not a fault."""
    with pytest.raises(ConfigError, match="is not TOML"):
        loads("a = " + "1" * 5_000)


def test_a_line_inside_a_long_string_is_no_key() -> None:
    """A multi-line string that looks like a key does not steal the line number."""
    text = "[services.bot]\nowner = '''\ncapture.contnt = 1\n'''\ncapture.contnt = 1\n"

    with pytest.raises(ConfigError, match="line 5"):
        loads(text)


def test_a_file_that_is_not_there_is_a_config_error(tmp_path: Path) -> None:
    """A manifest that was asked for and cannot be read stops the start."""
    with pytest.raises(ConfigError, match="cannot read the manifest"):
        load(tmp_path / "missing.toml")


def test_a_file_that_is_not_utf8_is_a_config_error(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are refused in a sentence."""
    path = tmp_path / "watchkeeper.toml"
    path.write_bytes(b"workspace = '\xff'\n")

    with pytest.raises(ConfigError, match="UTF-8"):
        load(path)


@pytest.mark.parametrize(("content", "retention"), [("Full", None), ("", None), ("masked", "30"), ("off", "1m")])
def test_a_wrong_setting_names_its_variable(content: str, retention: str | None) -> None:
    """The two settings are checked like the file's keys."""
    with pytest.raises(ConfigError, match="WATCHKEEPER_"):
        default_policy(content, retention)


def test_a_service_inherits_what_it_does_not_say() -> None:
    """Service over file default over settings, each key by itself; `none` ends an inherited retention."""
    manifest = loads(
        """
        [capture]
        retention = "4w"
        [services.a.capture]
        content = "full"
        [services.b.capture]
        retention = "none"
        """,
        default=ServicePolicy("off", 7),
    )

    assert manifest.policy("a") == ServicePolicy("full", 28)
    assert manifest.policy("b") == ServicePolicy("off", None)
    assert manifest.policy("unheard-of") == ServicePolicy("off", 28)


def test_an_empty_manifest_masks_and_keeps() -> None:
    """Privacy is the default, and nothing is deleted unasked."""
    assert loads("").policy("any") == ServicePolicy("masked", None)


def test_keys_of_later_features_are_accepted_and_named() -> None:
    """One file serves every release: keys with no effect yet are listed, not refused."""
    manifest = loads("workspace = 'acme'\n[services.bot]\nowner = 'me'\n[services.bot.models]\nchat = 'a/b'\n")

    assert manifest.unused == ("workspace", "services.bot.owner", "services.bot.models")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    """No text makes the reader fail in any other way than by a ConfigError."""
    with contextlib.suppress(ConfigError):
        loads(text)


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _write(path: Path, content: str, stamp: int) -> None:
    path.write_text(f"[capture]\ncontent = '{content}'\n")
    os.utime(path, ns=(stamp, stamp))


def test_a_changed_file_is_read_again_within_a_second(tmp_path: Path) -> None:
    """The file is looked at once a second, and a change is in force then."""
    path, clock = tmp_path / "watchkeeper.toml", _Clock()
    _write(path, "full", 1)
    watched = ManifestFile(path, ServicePolicy(), clock)
    _write(path, "off", 2)

    before = watched.current().default.content
    clock.now = 1.0

    assert (before, watched.current().default.content) == ("full", "off")


def test_a_broken_change_leaves_the_last_good_one_in_force(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A typo in a running server's manifest never opens it: the error shows, the old rules hold, mending it clears it."""
    path, clock = tmp_path / "watchkeeper.toml", _Clock()
    _write(path, "off", 1)
    watched = ManifestFile(path, ServicePolicy(), clock)
    _write(path, "ful", 2)
    clock.now = 1.0

    with caplog.at_level(logging.ERROR):
        kept = watched.current().default.content
    error = watched.error
    _write(path, "full", 3)
    clock.now = 2.0

    assert kept == "off"
    assert "line 2" in str(error)
    assert "the last good one holds" in caplog.text
    assert (watched.current().default.content, watched.error) == ("full", None)


def test_a_removed_file_leaves_the_last_one_in_force(tmp_path: Path) -> None:
    """A file that vanishes, as while an editor saves, changes nothing but is told."""
    path, clock = tmp_path / "watchkeeper.toml", _Clock()
    _write(path, "off", 1)
    watched = ManifestFile(path, ServicePolicy(), clock)
    path.unlink()
    clock.now = 1.0

    assert watched.current().default.content == "off"
    assert "cannot read" in str(watched.error)


def test_without_a_file_the_settings_hold() -> None:
    """No path: the default for every service."""
    assert ManifestFile(None, ServicePolicy("full", 3)).current().policy("x") == ServicePolicy("full", 3)
