"""What a server tells of a recorded conversation, without running the client or a server.

`python -m tests.clients.offline [NAME…]` writes which cells differ from the canonical ones without being listed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.clients.client import setups
from tests.clients.conformance import complaints
from tests.ingest.recorded import raws
from watchkeeper.ingest import map_span
from watchkeeper.kit.clock import SystemClock
from watchkeeper.model import RawSpan, Span
from watchkeeper.pricing import Pricer
from watchkeeper.server.prices.display import Display
from watchkeeper.server.traces.service import TraceService
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.factory import open_span_store


@cache
def rows(name: str) -> list[dict[str, Any]]:
    """Return a recorded client's spans as the API tells of them."""
    return told(name, raws(name))


def told(name: str, received: Sequence[RawSpan]) -> list[dict[str, Any]]:
    """Return spans as the API tells of them; the same code maps, prices, stores and shows them."""
    pricer = Pricer(None, None)

    def refine(project: str, raw: RawSpan, received_at: int) -> Span:
        return pricer.price(map_span(project, raw, received_at))

    spans = tuple(refine(name, raw, 7) for raw in received)
    store = open_span_store(None, refine=refine)
    try:
        store.submit(WriteBatch(spans=spans)).result()
        keys = dict.fromkeys((one.trace_id, one.span_id) for one in spans)  # one that was told of twice is one
        traces = TraceService(store, Display(pricer, lambda: "USD", SystemClock()))
        return [traces.get_span(name, *key).model_dump(mode="json") for key in keys]
    finally:
        store.close()


if __name__ == "__main__":
    for name in sys.argv[1:] or setups():
        sys.stdout.write("\n".join([f"== {name} ==", *complaints(rows(name), setups()[name]), ""]))
