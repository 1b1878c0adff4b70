"""Prompts: what the store of them promises, and the shapes it hands out.

A prompt has a name, which may hold `/`, and versions numbered from 1. A version is never changed: what may move are
its labels and the tags, which all versions share. Within one project:

- **Numbers.** `add` MUST give the next number, also after `delete` of the newest; two at once never get the same.
- **Labels.** A label sits on at most one version of a prompt; giving it to one takes it from the other, in one step.
  `latest` is not stored: it is always on the newest version there is, and MUST NOT be given.
- **Finding.** By number, or by label; with neither, by `production`. What is not there is None, never another version.
- **Projects.** No call sees or changes another project's prompts, whatever name it is given.
- **Durable.** What a call that changes something returned is on disk.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

import msgspec

__all__ = ["LATEST", "PRODUCTION", "NewPrompt", "PromptEntry", "PromptStore", "PromptType", "PromptVersion"]

PromptType: TypeAlias = Literal["text", "chat"]

LATEST = "latest"
"""The label that is always on the newest version."""

PRODUCTION = "production"
"""The label that is meant where none is named."""


class NewPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A version to be added.

    `content` is a text, or for `chat` a list of objects: messages (`role`, `content`) and placeholders (`type`
    `placeholder`, `name`), kept as they are. `config` is any JSON. `tags` None leaves the prompt's tags alone.
    """

    name: str
    type: PromptType
    content: Any
    config: Any = None
    labels: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None
    message: str | None = None
    created_by: str = ""


class PromptVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `labels` are sorted, `latest` among them. Times are nanoseconds since the epoch."""

    project: str
    name: str
    version: int
    type: PromptType
    content: Any
    config: Any
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    message: str | None
    created_by: str
    created_at: int
    updated_at: int


class PromptEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt in a list. `versions` ascend; `labels` pairs each label with its version; `config` is the newest's."""

    name: str
    type: PromptType
    versions: tuple[int, ...]
    labels: tuple[tuple[str, int], ...]
    tags: tuple[str, ...]
    config: Any
    updated_at: int


class PromptStore(Protocol):
    """See the module. Every method may be called from any thread."""

    def add(self, project: str, given: NewPrompt) -> PromptVersion:
        """Add a version.

        Raises:
            RequestError: a name, label, tag or message is over its limit or malformed, the content is too large, the
                prompt is of the other type, or there are too many prompts or versions.
        """
        ...

    def find(
        self, project: str, name: str, *, version: int | None = None, label: str | None = None
    ) -> PromptVersion | None:
        """Return the version of that number, or else the one that the label (`production`) is on."""
        ...

    def entries(
        self, project: str, *, name: str | None = None, label: str | None = None, tag: str | None = None,
        offset: int = 0, limit: int = 50,
    ) -> tuple[list[PromptEntry], int]:  # fmt: skip
        """Return prompts by name, those with this exact name, label and tag, and how many there are in all."""
        ...

    def set_labels(self, project: str, name: str, version: int, labels: tuple[str, ...]) -> PromptVersion:
        """Give a version these labels beside those it has.

        Raises:
            NotFoundError: there is no such version.
            RequestError: a label is malformed, or is `latest`.
        """
        ...

    def delete(self, project: str, name: str, *, version: int | None = None, label: str | None = None) -> int:
        """Delete the prompt, or only the version of this number or with this label; return how many versions went.

        Raises:
            NotFoundError: there is nothing to delete.
        """
        ...
