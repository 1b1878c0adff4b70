"""Judgements by Langfuse's SDK, the same in 3, 4 and 5: `auth_check`, and scores of a number, a word and a truth.

`python -m tests.clients.langfuse5.scoring TRACE SPAN`
"""

from __future__ import annotations

import sys

from langfuse import get_client

trace_id, span_id = sys.argv[1:]
client = get_client()
assert client.auth_check(), "auth_check says no"
client.create_score(name="helpful", value=0.75, trace_id=trace_id, comment="quite", score_id="score-1")
client.create_score(name="tone", value="friendly", trace_id=trace_id, observation_id=span_id, data_type="CATEGORICAL")
client.create_score(name="safe", value=1, trace_id=trace_id, data_type="BOOLEAN")
client.create_score(name="happy", value=1, session_id="session-1")
client.flush()
