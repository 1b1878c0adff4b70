"""Scores to the server: the server takes one a request."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from watchkeeper.sdk.http import Wire
from watchkeeper.sdk.outbox import Outbox
from watchkeeper.sdk.send import Outcome, WireSender

__all__ = ["ScoreQueue", "score_queue", "score_size"]

_log = logging.getLogger("watchkeeper")
_SCORE_BYTES = 300
_MOST_WAITING, _MOST_BYTES = 1_000, 16 << 20

Score = dict[str, Any]
ScoreQueue = Outbox[Score]


class _ScoreSender(WireSender[Score]):
    """Posts a score as JSON."""

    def _body(self, batch: Sequence[Score]) -> tuple[bytes, int]:
        return json.dumps(batch[0], default=str).encode(), 0

    def send(self, batch: Sequence[Score], timeout: float | None) -> Outcome:
        """Post the one score of a batch."""
        outcome = super().send(batch, timeout)
        if not outcome.taken and not outcome.again:
            _log.warning("the server refused the score %r: %s", batch[0].get("name"), outcome.status)
        return outcome


def score_queue(wire: Wire, endpoint: str) -> ScoreQueue:
    """Make the outbox of scores.

    Args:
        wire: posts to the server's `/api/v1/scores`.
        endpoint: the server, for the one warning.
    """
    return Outbox(_ScoreSender(wire), endpoint, what="scores", size=_MOST_WAITING, size_bytes=_MOST_BYTES, batch=1)


def score_size(score: Score) -> int:
    """Guess the bytes of a score."""
    return _SCORE_BYTES + sum([len(value) for value in score.values() if isinstance(value, str)])
