"""WKD3xx: does the server take the keys that are configured? A key itself is never shown."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.doctor.client import Client, Credential
from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import Answer, ask, is_loopback
from watchkeeper.doctor.scene import Scene
from watchkeeper.store.factory import CONTROL_FILE, key_state

__all__ = ["RULES", "check"]

_OK, _UNKNOWN, _FORBIDDEN = 200, 401, 403
_EMPTY = b""  # an OTLP export of no spans: taken and forgotten

TAKEN = Rule("WKD300", "ok", "key", "The server takes the key for sending spans, or none is needed on loopback.")
NONE = Rule(
    "WKD301", "fail", "key", "The server is beyond loopback, or wants a key all the same, and none is configured.",
    "export WATCHKEEPER_API_KEY=sk-…", "config",
)  # fmt: skip
UNKNOWN = Rule(
    "WKD302", "fail", "key", "The server does not know the key: never made, of another server, or deleted.",
    "export the secret key of this server's project as the variable named", "config",
)  # fmt: skip
REVOKED = Rule(
    "WKD303", "fail", "key", "The key was revoked, or has expired (told by the data folder, where it is on this machine).",
    "use another key of the project", "config",
)  # fmt: skip
NO_INGEST = Rule(
    "WKD304", "fail", "key", "The key is known and may not send spans: it lacks the scope `ingest`.",
    "use a key with the scope ingest", "config",
)  # fmt: skip
PUBLIC = Rule(
    "WKD305", "fail", "key", "The public half of a key pair (pk-…) stands where the secret half (sk-…) belongs.",
    "export the secret half, sk-…", "config",
)  # fmt: skip
CONTRADICT = Rule(
    "WKD306", "warn", "key", "Two variables name different keys; the SDK and OTel's exporters use different ones.",
    "unset one of them", "config",
)  # fmt: skip
MALFORMED = Rule(
    "WKD307", "fail", "key", "A part of the OTLP headers is not name=value and is dropped by exporters.",
    "export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20sk-…", "config",
)  # fmt: skip
PLACEHOLDER = Rule(
    "WKD308", "warn", "key", "The key is none of ours; it works only because loopback needs none, for project default.",
    "export WATCHKEEPER_API_KEY=sk-…, or unset it", "config",
)  # fmt: skip
NOT_ASKED = Rule(
    "WKD309", "warn", "key", "The key could not be tried, because no Watchkeeper answers, or it may not be asked.",
    "mend the endpoint first (WKD4xx)", "config",
)  # fmt: skip
RULES = (
    TAKEN, NONE, UNKNOWN, REVOKED, NO_INGEST, PUBLIC, CONTRADICT, MALFORMED, PLACEHOLDER, NOT_ASKED,
)  # fmt: skip


def check(scene: Scene) -> Iterator[Finding]:
    """Try every configured key for sending (an export without spans)."""
    client = scene.client
    for variable, name in client.malformed:
        yield MALFORMED.found(variable, f"the part that begins with {name!r} is not name=value")
    yield from _contradicting(client)
    for one in client.credentials:
        yield from _one(scene, one)
    if not client.credentials:
        yield from _without(scene)


def _contradicting(client: Client) -> Iterator[Finding]:
    by_secret = {one.secret: one.variable for one in client.credentials}
    if len(by_secret) > 1:
        yield CONTRADICT.found(", ".join(by_secret.values()), f"{client.credentials[0].variable} wins in our SDK")


def _one(scene: Scene, one: Credential) -> Iterator[Finding]:
    if (one.secret or "").startswith("pk-"):
        yield PUBLIC.found(one.variable)
    elif not scene.is_ours:
        yield NOT_ASKED.found(one.variable)
    else:
        yield _judged(scene, one, _try(scene.client, dict(one.headers)))


def _judged(scene: Scene, one: Credential, answer: Answer) -> Finding:
    secret = one.secret or ""
    kept = key_state(scene.folder / CONTROL_FILE, secret) if is_loopback(scene.client.base) else None
    if answer.status == _UNKNOWN:
        if kept in {"revoked", "expired"}:
            return REVOKED.found(
                one.variable, f"the key has been {kept}" if kept == "revoked" else "the key has expired"
            )
        return UNKNOWN.found(one.variable, f"{scene.client.base} does not know it, or has revoked it")
    if answer.status == _FORBIDDEN:
        return NO_INGEST.found(one.variable)
    if answer.status != _OK:
        return NOT_ASKED.found(
            one.variable, f"the server answered {answer.status or answer.trouble} to an empty export"
        )
    if not secret.startswith("sk-"):
        return PLACEHOLDER.found(one.variable)
    return TAKEN.found(one.variable, "the server takes it for sending spans")


def _without(scene: Scene) -> Iterator[Finding]:
    if not scene.is_ours:
        return
    answer = _try(scene.client, {})
    if answer.status in {_UNKNOWN, _FORBIDDEN}:
        yield NONE.found(scene.client.base)
    else:
        yield TAKEN.found(scene.client.base, "none is configured, and none is needed")


def _try(client: Client, headers: dict[str, str]) -> Answer:
    told = {"Content-Type": "application/x-protobuf", **headers}
    return ask(f"{client.base}/v1/traces", _EMPTY, told, certificate=client.certificate)
