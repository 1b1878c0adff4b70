"""Label values made safe and few: what emitters name must not grow the page without bound."""

from __future__ import annotations

__all__ = ["OTHER", "UNKNOWN", "LabelCaps", "clean", "escape", "pairs"]

OTHER = "other"
UNKNOWN = "unknown"
_LONGEST = 100


def clean(value: str | None) -> str:
    """Return a value fit for a label: of one line, printable Unicode, at most 100 characters, never empty."""
    if not value:
        return UNKNOWN
    if len(value) > _LONGEST:
        value = value[: _LONGEST - 1] + "…"
    if value.isprintable():
        return value
    # Lone surrogates are not printable either: they could not be encoded.
    return "".join(one if one.isprintable() else "�" for one in value)


def escape(value: str) -> str:
    """Escape a label value as both exposition formats ask."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def pairs(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Write labels as they stand between the braces."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in zip(names, values, strict=True))


class LabelCaps:
    """Lets the first `cap` values of a label through and folds the rest into `other`.

    A label is told apart by any hashable name, so that one project's values do not use up another's.
    `folded` counts how often a value was folded, by label; not thread-safe, the owner locks.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._seen: dict[tuple[str, str], set[str]] = {}
        self.folded: dict[str, int] = {}

    def __call__(self, label: str, value: str | None, owner: str = "") -> str:
        """Return the value as the page shows it."""
        text = clean(value)
        seen = self._seen.setdefault((owner, label), set())
        if text in seen:
            return text
        if len(seen) >= self._cap:
            self.folded[label] = self.folded.get(label, 0) + 1
            return OTHER
        seen.add(text)
        return text
