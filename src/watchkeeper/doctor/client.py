"""Where an application started here would send its spans, and with which keys: the SDK's own rules, spelled out."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from watchkeeper.doctor.probe import is_loopback
from watchkeeper.kit.settings import ForeignSettings, SdkSettings
from watchkeeper.sdk.runtime import DEFAULT_ENDPOINT

__all__ = ["TRACES", "Client", "Credential", "client_of", "parse_headers"]

TRACES = "/v1/traces"
_BEARER = "Authorization"


@dataclass(frozen=True)
class Credential:
    """One key that is configured: the variable that names it, the secret itself, and the headers that carry it."""

    variable: str
    secret: str | None
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Client:
    """What the SDK would use. `source` is the variable (or flag) that named the address, None for the default."""

    base: str
    source: str | None
    traces_url: str
    protocol: str | None
    credentials: tuple[Credential, ...]
    malformed: tuple[tuple[str, str], ...]
    certificate: str | None

    @property
    def valid(self) -> bool:
        """Say whether the address is one that HTTP can be spoken to."""
        try:
            told = urlsplit(self.base)
            return told.scheme in {"http", "https"} and bool(told.hostname) and told.port != 0
        except ValueError:
            return False

    @property
    def read_headers(self) -> dict[str, str]:
        """Return the headers to ask the API with: the first key's."""
        return dict(self.credentials[0].headers) if self.credentials else {}


def client_of(settings: SdkSettings, foreign: ForeignSettings, url: str | None = None) -> Client:
    """Work out what the SDK would do; `url` stands in the place of every configured address."""
    named = (
        ("--url", url),
        ("WATCHKEEPER_ENDPOINT", settings.endpoint),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", settings.otlp_endpoint),
    )
    source, base = next(((name, one) for name, one in named if one), (None, DEFAULT_ENDPOINT))
    base = base.rstrip("/")
    exact = settings.otlp_traces_endpoint if url is None and settings.endpoint is None else None
    if exact:
        source, base = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", _before_path(exact)
    host = foreign.langfuse_base_url or foreign.langfuse_host
    langfuse = host if _same_server(host, base) else None
    credentials, malformed = _credentials(settings, foreign if langfuse else ForeignSettings())
    return Client(
        base=base,
        source=source,
        traces_url=exact or f"{base}{TRACES}",
        protocol=foreign.otlp_traces_protocol or foreign.otlp_protocol,
        credentials=credentials, malformed=malformed, certificate=settings.otlp_certificate,
    )  # fmt: skip


def _credentials(
    settings: SdkSettings, foreign: ForeignSettings
) -> tuple[tuple[Credential, ...], tuple[tuple[str, str], ...]]:
    found: list[Credential] = []
    malformed: tuple[tuple[str, str], ...] = ()
    if settings.api_key:
        bearer = ((_BEARER, f"Bearer {settings.api_key}"),)
        found.append(Credential("WATCHKEEPER_API_KEY", settings.api_key, bearer))
    for variable, told in (
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", settings.otlp_traces_headers),
        ("OTEL_EXPORTER_OTLP_HEADERS", None if settings.otlp_traces_headers else settings.otlp_headers),
    ):
        headers, wrong = parse_headers(told or "")
        malformed += tuple((variable, one) for one in wrong)
        secret = _secret(headers)
        if secret is not None:
            found.append(Credential(variable, secret, tuple(headers.items())))
    if foreign.langfuse_secret_key:
        pair = f"{foreign.langfuse_public_key or ''}:{foreign.langfuse_secret_key}".encode()
        basic = ((_BEARER, "Basic " + base64.b64encode(pair).decode()),)
        found.append(Credential("LANGFUSE_SECRET_KEY", foreign.langfuse_secret_key, basic))
    return tuple(found), malformed


def parse_headers(told: str) -> tuple[dict[str, str], list[str]]:
    """Read `name=value,name=value`; return the headers, and the names of the parts that are no such thing."""
    headers: dict[str, str] = {}
    wrong: list[str] = []
    for one in told.split(","):
        name, found, value = one.partition("=")
        bare = name.strip()
        if not one.strip():
            continue
        if not found or not bare or any(letter in bare for letter in ": \t"):
            wrong.append(bare.partition(":")[0].partition(" ")[0])
        else:
            headers[bare] = unquote(value.strip())
    return headers, wrong


def _secret(headers: dict[str, str]) -> str | None:
    """Find the secret as the server does: Bearer, Basic, raw Authorization, x-api-key."""
    low = {name.lower(): value for name, value in headers.items()}
    told = low.get("authorization", "").strip()
    if not told:
        return low.get("x-api-key") or low.get("api_key") or None
    scheme, _, rest = told.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
        except (binascii.Error, ValueError):
            return ""
    return told


def _same_server(host: str | None, base: str) -> bool:
    """Say whether Langfuse's own variable names our server, so that its keys are meant for it."""
    if not host:
        return False
    theirs, ours = urlsplit(host), urlsplit(base)
    return theirs.port == ours.port and (theirs.hostname == ours.hostname or (is_loopback(host) and is_loopback(base)))


def _before_path(url: str) -> str:
    if url.endswith(TRACES):
        return url.removesuffix(TRACES)
    told = urlsplit(url)
    return f"{told.scheme}://{told.netloc}"
