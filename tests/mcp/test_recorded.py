"""The tools over what real clients sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from mcp import Client

from tests.mcp.conftest import ask
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.mcp import build
from watchkeeper.server import assemble, create_app

FIXTURES = Path(__file__).parents[1] / "ingest" / "fixtures"
MOST = 60_000


async def test_whatever_a_client_records_can_be_shown() -> None:
    """Each trace and span of every recorded client is shown, in pieces too, within the bound and with what was said."""
    services = assemble(ServerSettings(), None)
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1))
    sizes, shown, talked = [], 0, 0
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as api:

        async def question(method: str, path: str, body: dict[str, Any] | None) -> Any:
            answer = await api.request(method, f"/api/v1{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        for path in sorted(FIXTURES.glob("*.traces.pb")):
            sent = await api.post(
                "/v1/traces", content=path.read_bytes(), headers={"Content-Type": "application/x-protobuf"}
            )
            assert sent.status_code == 200, path
        async with Client(build(lambda _: question, "0")) as client:
            traces = (await ask(client, "find_traces", limit=100))["traces"]
            for trace in traces:
                found = await ask(client, "show_trace", trace_id=trace["trace_id"])
                sizes.append(len(str(found)))
                talked += any(step["input"] or step["output"] for step in found["conversation"])
                for span in found["tree"]:
                    place = {"trace_id": trace["trace_id"], "span_id": span["span_id"]}
                    sizes.append(len(str(await ask(client, "show_span", **place))))
                    await ask(client, "read_content", **place, what="raw", characters=1_000)
                    shown += 1
    services.close()

    assert len(traces) >= len(list(FIXTURES.glob("*.traces.pb"))) // 2
    assert shown == sum(trace["spans"] for trace in traces)
    assert talked > len(traces) // 2
    assert max(sizes) < MOST
