"""Real clients, each described by the `client.toml` in its folder: what it is, how it is set up, and where it differs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

FOLDER = Path(__file__).parent


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second documented way to set the same client up."""

    environment: dict[str, str]


class Differs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of the conformance table in which a client says something else than the canonical row, and why.

    `call` and `field` are one name, several, or `*` for every one that is there.
    `variant` names the ways to set the client up for which it holds, `default` the first; None is every one.
    """

    call: str | tuple[str, ...]
    field: str | tuple[str, ...]
    why: str
    variant: str | tuple[str, ...] | None = None


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One client. `environment` and `command` hold placeholders, which `run` fills in.

    `speaks` names the provider its calls go to; `missing` says what could not be had.
    """

    title: str
    language: Literal["python", "javascript"]
    packages: tuple[str, ...]
    documentation: str
    command: tuple[str, ...]
    environment: dict[str, str] = {}
    variants: dict[str, Variant] = {}
    differs: tuple[Differs, ...] = ()
    speaks: Literal["openai", "anthropic", "mistral", "gemini"] = "openai"
    missing: tuple[str, ...] = ()


class Setup(msgspec.Struct, frozen=True):
    """A client in one of the ways it is set up; `variant` is None for the first of them."""

    folder: str
    client: Client
    variant: str | None = None

    @property
    def name(self) -> str:
        """Return the name its fixtures and its project have."""
        return self.folder if self.variant is None else f"{self.folder}_{self.variant}"

    @property
    def environment(self) -> dict[str, str]:
        """Return its settings, the variant's over the client's."""
        more = {} if self.variant is None else self.client.variants[self.variant].environment
        return {**self.client.environment, **more}

    @property
    def differs(self) -> tuple[Differs, ...]:
        """Return the differences that hold for this way."""
        mine = self.variant or "default"
        return tuple(
            one
            for one in self.client.differs
            if one.variant is None or mine in ((one.variant,) if isinstance(one.variant, str) else one.variant)
        )


def read(path: Path) -> Client:
    """Read one description.

    Raises:
        ValueError: it is not one; the message names the file, and the key or value that is wrong.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Client)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error


@cache
def setups() -> dict[str, Setup]:
    """Return every client in every way, by name."""
    found: dict[str, Setup] = {}
    for path in sorted(FOLDER.glob("*/client.toml")):
        client = read(path)
        for variant in (None, *client.variants):
            setup = Setup(path.parent.name, client, variant)
            found[setup.name] = setup
    return found


def versions(folder: str, *, everything: bool = False) -> dict[str, str]:
    """Return the locked version of each package that a client is about, or of every package that it has."""
    home = FOLDER / folder
    client = read(home / "client.toml")
    locked = _npm(home) if client.language == "javascript" else _pinned(home / "requirements.txt")
    return locked if everything else {name: locked[_normal(name)] for name in client.packages}


def _pinned(path: Path) -> dict[str, str]:
    pairs = (line.split(";")[0].strip().partition("==") for line in path.read_text().splitlines() if "==" in line)
    return {_normal(name.partition("[")[0]): version.split()[0] for name, _, version in pairs if name[:1] != "#"}


def _npm(home: Path) -> dict[str, str]:
    lock: dict[str, Any] = msgspec.json.decode((home / "package-lock.json").read_bytes())
    return {
        _normal(path.removeprefix("node_modules/")): one["version"]
        for path, one in lock["packages"].items()
        if path.count("node_modules/") == 1
    }


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
