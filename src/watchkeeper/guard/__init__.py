"""Floor 3: what is recognised in text, and what is done about it. Here: secrets and personal data, masked on arrival."""

from __future__ import annotations

from watchkeeper.guard.keys import COUNT_PREFIX
from watchkeeper.guard.masker import Batch, Masker, Mode
from watchkeeper.guard.pseudonyms import SALT_FILE, Pseudonyms
from watchkeeper.guard.recognizer import Match, Recognizer
from watchkeeper.guard.rules import recognizers
from watchkeeper.guard.scanner import Counts

__all__ = [
    "COUNT_PREFIX", "SALT_FILE", "Batch", "Counts", "Masker", "Match", "Mode", "Pseudonyms", "Recognizer", "recognizers",
]  # fmt: skip
