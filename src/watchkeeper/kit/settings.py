"""Every environment variable Watchkeeper reads, described once; nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from watchkeeper.kit.errors import ConfigError

__all__ = [
    "ForeignSettings",
    "ImportSettings",
    "SdkSettings",
    "ServerSettings",
    "describe",
    "environment",
    "names",
    "read",
]

S = TypeVar("S")


def environment() -> Mapping[str, str]:
    """Return the process environment, for settings and for the child processes we start."""
    return os.environ


def _setting(env: str, text: str, default: object) -> Any:  # noqa: ANN401 - stands for a field of any type
    return field(default=default, metadata={"env": env, "help": text})


def _data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "watchkeeper"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What `watchkeeper serve` can be told."""

    host: str = _setting("WATCHKEEPER_HOST", "address to listen on", "127.0.0.1")
    port: int = _setting("WATCHKEEPER_PORT", "HTTP port", 7070)
    grpc_port: int | None = _setting(
        "WATCHKEEPER_GRPC_PORT", "OTLP/gRPC port, 0 for none (default 4317, skipped with a warning if taken)", None
    )
    data_dir: Path | None = _setting(
        "WATCHKEEPER_DATA_DIR", "folder that holds everything stored (default: under XDG_DATA_HOME)", None
    )
    secret_key: str | None = _setting(
        "WATCHKEEPER_SECRET_KEY",
        "the operator's own key (sk-...): every scope on every project",
        None,
    )
    auth: str = _setting(
        "WATCHKEEPER_AUTH", "auto: loopback needs no key until there are users; required: it always needs one", "auto"
    )
    trusted_proxies: str | None = _setting(
        "WATCHKEEPER_TRUSTED_PROXIES",
        "addresses and networks, by comma, whose X-Forwarded-For and -Proto are believed; implies WATCHKEEPER_AUTH=required",
        None,
    )
    tls_cert: Path | None = _setting("WATCHKEEPER_TLS_CERT", "PEM file with the certificate chain, for HTTPS", None)
    tls_key: Path | None = _setting("WATCHKEEPER_TLS_KEY", "PEM file with the certificate's key", None)
    bootstrap_project: str = _setting("WATCHKEEPER_BOOTSTRAP_PROJECT", "project of the key and admin below", "default")
    bootstrap_public_key: str | None = _setting(
        "WATCHKEEPER_BOOTSTRAP_PUBLIC_KEY", "public id (pk-...) of a key made at the start where it is missing", None
    )
    bootstrap_secret_key: str | None = _setting(
        "WATCHKEEPER_BOOTSTRAP_SECRET_KEY", "its secret (sk-..., 32 characters or more), or file:/path to it", None
    )
    bootstrap_scopes: str = _setting("WATCHKEEPER_BOOTSTRAP_SCOPES", "its scopes, by comma", "ingest,read")
    bootstrap_admin_email: str | None = _setting(
        "WATCHKEEPER_BOOTSTRAP_ADMIN_EMAIL", "address of an admin made at the start where they are missing", None
    )
    bootstrap_admin_password: str | None = _setting(
        "WATCHKEEPER_BOOTSTRAP_ADMIN_PASSWORD", "their first password, or file:/path to it; later changes stay", None
    )
    max_body_mib: int = _setting("WATCHKEEPER_MAX_BODY_MIB", "largest request body, decompressed, in MiB", 64)
    queue_mib: int = _setting("WATCHKEEPER_QUEUE_MIB", "bytes that may wait for a commit, in MiB, before 429", 64)
    min_free_mib: int = _setting(
        "WATCHKEEPER_MIN_FREE_MIB",
        "disk space to keep free, in MiB: with less, ingest is refused until there is more",
        512,
    )
    media_mib: int = _setting("WATCHKEEPER_MEDIA_MIB", "largest medium (an image, a document) that is kept, in MiB", 64)
    media_total_mib: int = _setting(
        "WATCHKEEPER_MEDIA_TOTAL_MIB", "what all media may take on disk, in MiB: more is refused by 507", 10240
    )
    retention_minutes: int = _setting(
        "WATCHKEEPER_RETENTION_MINUTES", "minutes between two deletions of what is past its retention", 60
    )
    kept_days: int = _setting(
        "WATCHKEEPER_KEPT_DAYS",
        "days until exports that could not be stored and damaged pieces of the journal are deleted, at most the shortest"
        " retention",
        30,
    )
    ingest_processes: int | None = _setting(
        "WATCHKEEPER_INGEST_PROCESSES",
        "processes that decode spans beside the server while the load lasts, 0 for none (default: one a core, at most 4)",
        None,
    )
    memory_mib: int = _setting("WATCHKEEPER_MEMORY_MIB", "memory the analytic engine may use, in MiB", 1024)
    metrics_label_values: int = _setting(
        "WATCHKEEPER_METRICS_LABEL_VALUES",
        "values of one label on /metrics, per project, before the rest are `other`",
        100,
    )
    prices: Path | None = _setting("WATCHKEEPER_PRICES", "TOML file with your own dated prices", None)
    currency: str | None = _setting(
        "WATCHKEEPER_CURRENCY",
        "currency that amounts are shown in, by dated exchange rates (default: the manifest's `currency`, else USD)",
        None,
    )
    manifest: Path | None = _setting(
        "WATCHKEEPER_MANIFEST", "the manifest (default: ./watchkeeper.toml where there is one)", None
    )
    capture: str = _setting(
        "WATCHKEEPER_CAPTURE", "content kept of services no manifest names: full, masked or off", "masked"
    )
    retention: str | None = _setting(
        "WATCHKEEPER_RETENTION", "age at which spans are deleted, such as 30d (default: never)", None
    )

    def manifest_path(self) -> Path | None:
        """Return the manifest to read: the one named, else the one in the working folder, else None."""
        return self.manifest or next((path for path in (Path("watchkeeper.toml"),) if path.is_file()), None)

    def folder(self) -> Path:
        """Return the data folder, whether named or by default."""
        return self.data_dir if self.data_dir is not None else _data_dir()


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkSettings:
    """What the SDK reads when `wk.init` is not told."""

    endpoint: str | None = _setting("WATCHKEEPER_ENDPOINT", "server address", None)
    otlp_endpoint: str | None = _setting("OTEL_EXPORTER_OTLP_ENDPOINT", "OTel's own name for it", None)
    otlp_traces_endpoint: str | None = _setting(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "full address of the trace endpoint", None
    )
    api_key: str | None = _setting("WATCHKEEPER_API_KEY", "secret key, sent as Bearer", None)
    service: str | None = _setting("OTEL_SERVICE_NAME", "service.name of the app", None)
    environment: str | None = _setting("WATCHKEEPER_ENVIRONMENT", "deployment.environment.name", None)
    content: str = _setting(
        "WATCHKEEPER_CONTENT",
        "capture prompts and answers: on, off, or never (off, and no code can say otherwise)",
        "on",
    )
    sample: float | None = _setting("WATCHKEEPER_SAMPLE", "share of traces that are sent, 0 to 1", None)
    sampler: str | None = _setting("OTEL_TRACES_SAMPLER", "OTel's sampler, where WATCHKEEPER_SAMPLE says nothing", None)
    sampler_arg: str | None = _setting("OTEL_TRACES_SAMPLER_ARG", "its argument", None)
    disabled: str | None = _setting("OTEL_SDK_DISABLED", "true: trace nothing", None)
    otlp_headers: str | None = _setting(
        "OTEL_EXPORTER_OTLP_HEADERS", "headers to send, name=value, comma between", None
    )
    otlp_traces_headers: str | None = _setting("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "the same, first", None)
    otlp_timeout: float = _setting("OTEL_EXPORTER_OTLP_TIMEOUT", "seconds a request may take", 10.0)
    otlp_compression: str | None = _setting(
        "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip or none (default: none to loopback, else gzip)", None
    )
    otlp_certificate: str | None = _setting("OTEL_EXPORTER_OTLP_CERTIFICATE", "file of the authority to trust", None)
    otlp_client_certificate: str | None = _setting(
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "file of the client's certificate", None
    )
    otlp_client_key: str | None = _setting("OTEL_EXPORTER_OTLP_CLIENT_KEY", "file of its key", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSettings:
    """What other clients would be told: `watchkeeper doctor` looks at it, nothing else does."""

    otlp_protocol: str | None = _setting(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc, http/protobuf or http/json: what OTel's exporters speak", None
    )
    otlp_traces_protocol: str | None = _setting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "the same, for traces", None)
    langfuse_host: str | None = _setting("LANGFUSE_HOST", "where Langfuse's SDK sends", None)
    langfuse_base_url: str | None = _setting("LANGFUSE_BASE_URL", "its newer name", None)
    langfuse_public_key: str | None = _setting("LANGFUSE_PUBLIC_KEY", "its key pair, where that host is ours", None)
    langfuse_secret_key: str | None = _setting("LANGFUSE_SECRET_KEY", "the secret half", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings:
    """The keys of other tools, under their own names: `watchkeeper import` shows them there."""

    phoenix_api_key: str | None = _setting("PHOENIX_API_KEY", "key of the Phoenix that is imported from", None)
    mlflow_token: str | None = _setting("MLFLOW_TRACKING_TOKEN", "token of the MLflow that is imported from", None)
    mlflow_username: str | None = _setting("MLFLOW_TRACKING_USERNAME", "or a name there", None)
    mlflow_password: str | None = _setting("MLFLOW_TRACKING_PASSWORD", "and its password", None)
    langfuse_public_key: str | None = _setting("LANGFUSE_PUBLIC_KEY", "key pair of the Langfuse imported from", None)
    langfuse_secret_key: str | None = _setting("LANGFUSE_SECRET_KEY", "the secret half", None)


def read(kind: type[S], environ: Mapping[str, str] | None = None, **given: object) -> S:
    """Build settings: what was given (and is not None) wins over the environment, that over the default.

    Raises:
        ConfigError: a variable does not parse as its type; the message names it.
    """
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        chosen = given.get(item.name)
        name = item.metadata["env"]
        if chosen is None and source.get(name, "") != "":
            chosen = _parse(name, source[name], str(item.type))
        if chosen is not None:
            values[item.name] = chosen
    return kind(**values)


def names(kind: type[Any]) -> list[str]:
    """List the names of the settings, in the order of `describe`."""
    return [item.name for item in fields(kind)]


def describe(kind: type[Any]) -> list[tuple[str, str, str]]:
    """List (variable, help, default) of every setting, for the reference and `--help`."""
    return [
        (item.metadata["env"], item.metadata["help"], "" if item.default is None else str(item.default))
        for item in fields(kind)
    ]


def _parse(name: str, text: str, kind: str) -> object:
    if kind.startswith("int"):
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f"{name} is {text!r}, not a whole number", hint=f"unset {name} or give digits") from None
    if kind.startswith("float"):
        try:
            return float(text)
        except ValueError:
            raise ConfigError(f"{name} is {text!r}, not a number", hint=f"unset {name} or give a number") from None
    return Path(text) if kind.startswith("Path") else text
