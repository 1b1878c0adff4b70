"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "same",
    deadline=None,  # a busy machine is no failure
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
settings.register_profile(
    "explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1_000, print_blob=True
)
# Every run tries the same examples, so that a change fails for what it did; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
