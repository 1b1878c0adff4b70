"""WKD01x: one real span there and back, only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry import trace

from watchkeeper import sdk
from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import ask
from watchkeeper.doctor.scene import Scene

__all__ = ["RULES", "SERVICE", "check"]

SERVICE = "watchkeeper-doctor"
_OK = 200
_PATIENCE = 10.0

THERE_AND_BACK = Rule("WKD010", "ok", "round trip", "A span was sent by the SDK, acknowledged, and read again.")
NOT_TAKEN = Rule(
    "WKD011", "fail", "round trip", "The span was not acknowledged, or the SDK is told to send none.",
    "mend the other findings, then watchkeeper doctor --send",
)  # fmt: skip
NOT_READ = Rule(
    "WKD012", "warn", "round trip", "The span was acknowledged and cannot be read with this key.",
    f"look for the service {SERVICE} in the dashboard", "config",
)  # fmt: skip
RULES = (THERE_AND_BACK, NOT_TAKEN, NOT_READ)


def check(scene: Scene) -> Iterator[Finding]:
    """Send one span of the service `watchkeeper-doctor` with our SDK, as an application here would, and read it."""
    client = scene.client
    if not client.valid or not scene.may_ask(client.traces_url):
        yield NOT_TAKEN.found(client.traces_url, "not sent: the address may not be asked")
        return
    sdk.init(service=SERVICE, endpoint=client.base if client.source == "--url" else None, sample=1.0)
    try:
        trace_id = sdk.observe(name="watchkeeper doctor")(_span)()
        taken = sdk.flush(_PATIENCE) and sdk.stats().spans_sent > 0
    finally:
        sdk.shutdown()
    if not taken:
        yield NOT_TAKEN.found(client.traces_url)
        return
    answer = ask(f"{client.base}/api/v1/traces/{trace_id}", headers=client.read_headers, certificate=client.certificate)
    rule = THERE_AND_BACK if answer.status == _OK else NOT_READ
    yield rule.found(f"{client.base}/traces/{trace_id}", f"one span of the service {SERVICE} was sent and acknowledged")


def _span() -> str:
    return format(trace.get_current_span().get_span_context().trace_id, "032x")
