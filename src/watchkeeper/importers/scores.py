"""Judgements of other tools as scores: bodies of `POST /api/v1/scores`."""

from __future__ import annotations

import hashlib
import math
from typing import Any

from watchkeeper.importers.page import Tree
from watchkeeper.kit.clock import format_rfc3339

__all__ = ["score", "score_id"]

_SHORT, _LONG = 500, 20_000


def score_id(*parts: object) -> str:
    """Return an id that is the same for the same judgement every time."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def score(*, name: str, value: Any = None, label: Any = None, time: int = 0, **told: Any) -> Tree:  # noqa: ANN401 - strangers'
    """Build a score, its texts cut to what the server takes.

    Args:
        name: what is judged.
        value: a number, a truth value, or nothing.
        label: a text; where neither says anything, the name.
        time: ns since the epoch, 0 for now.
        told: the other fields; what is None or empty is left out.
    """
    found: Tree = {"name": name[:_SHORT] or "score"}
    if isinstance(value, bool | int | float) and math.isfinite(value):
        found["value"] = float(value)
    if label is not None and label != "":
        found["label"] = str(label)[:_SHORT]
    if "value" not in found and "label" not in found:
        found["label"] = found["name"]
    if time:
        found["time"] = format_rfc3339(time)
    for key, one in told.items():
        if one:
            found[key] = one[: _LONG if key == "comment" else _SHORT] if isinstance(one, str) else one
    return found
