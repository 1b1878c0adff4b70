"""Ids, errors, settings and the registry."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from watchkeeper.kit import errors
from watchkeeper.kit.errors import ConfigError, WatchkeeperError
from watchkeeper.kit.ids import is_span_id, is_trace_id, new_id
from watchkeeper.kit.registry import Registry
from watchkeeper.kit.settings import SdkSettings, ServerSettings, describe, read


@pytest.mark.parametrize("text", ["", "0" * 32, "A" * 32, "a" * 31, "g" * 32, "a" * 33])
def test_a_bad_trace_id_is_none(text: str) -> None:
    """All zeros, upper case, other lengths and other letters are no trace id."""
    assert not is_trace_id(text)


def test_good_ids_are_known() -> None:
    """Lower-case hex of the right length is an id."""
    assert is_trace_id("a" * 32)
    assert is_span_id("b" * 16)
    assert not is_span_id("0" * 16)


def test_new_ids_are_version_7_and_differ() -> None:
    """New ids are UUIDs of version 7 and variant 2, and a thousand of them differ."""
    ids = {new_id() for _ in range(1_000)}

    assert len(ids) == 1_000
    assert all(one[12] == "7" and one[16] in "89ab" and len(one) == 32 for one in ids)


def test_every_error_is_drawn() -> None:
    """Each exception of the tree stands in the drawing at the top of the module."""
    drawing = errors.__doc__ or ""
    classes = [
        name for name, item in vars(errors).items() if inspect.isclass(item) and issubclass(item, WatchkeeperError)
    ]

    assert [name for name in classes if name not in drawing] == []


def test_a_bad_number_names_its_variable() -> None:
    """A setting that does not parse says which variable to mend."""
    with pytest.raises(ConfigError, match="WATCHKEEPER_PORT"):
        read(ServerSettings, {"WATCHKEEPER_PORT": "seventy"})


def test_what_is_given_wins_over_the_environment() -> None:
    """A flag wins over a variable, a variable over the default, and an empty variable is none."""
    environ = {"WATCHKEEPER_PORT": "8000", "WATCHKEEPER_HOST": "", "WATCHKEEPER_DATA_DIR": "/data"}
    settings = read(ServerSettings, environ, port=9000)

    assert (settings.port, settings.host, settings.folder()) == (9000, "127.0.0.1", Path("/data"))


def test_every_setting_is_described() -> None:
    """Each setting has a variable and a sentence."""
    rows = [*describe(ServerSettings), *describe(SdkSettings)]

    assert all(env.isupper() and text for env, text, _ in rows)


def test_a_name_is_taken_once() -> None:
    """Registering a name twice is an error, and asking for an unknown one lists the known."""
    registry: Registry[int] = Registry("thing")
    registry.add("one", 1)

    with pytest.raises(ValueError, match="twice"):
        registry.add("one", 2)
    with pytest.raises(KeyError, match="known: one"):
        registry.get("two")
    assert list(registry) == [1]
