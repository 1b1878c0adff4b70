"""`watchkeeper import`."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from watchkeeper.cli.options import DataDir, Json, Url
from watchkeeper.cli.progress import TerminalProgress
from watchkeeper.cli.remote import Server, server_of
from watchkeeper.cli.terminal import stdout
from watchkeeper.cli.times import moment
from watchkeeper.kit.clock import parse_rfc3339
from watchkeeper.kit.errors import ConfigError, UpstreamError
from watchkeeper.kit.settings import ImportSettings, ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.importers import Delivery, Source, Summary, Window

__all__ = ["application"]

application = typer.Typer(
    help="Bring history from other tools into a running server. (beta)", no_args_is_help=True,
    epilog="Interrupted, the same command goes on where it stopped; what is stored is never stored twice.",
)  # fmt: skip

_Since: TypeAlias = Annotated[str | None, typer.Option(help="From this time, day, or age on (7d). [default: all]")]
_Until: TypeAlias = Annotated[str | None, typer.Option(help="Up to this time.")]
_Limit: TypeAlias = Annotated[int | None, typer.Option(min=1, help="At most so many traces, to try it out.")]
_DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Read and convert all, send nothing.")]
_State: TypeAlias = Annotated[
    Path | None, typer.Option(help="File that keeps where it stands. [default: beside the data folder]")
]
_Project: TypeAlias = Annotated[
    str | None, typer.Option(help="Our project; with --url it is that of WATCHKEEPER_API_KEY.")
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every source's verb takes."""

    since: str | None
    until: str | None
    limit: int | None
    dry_run: bool
    state: Path | None
    project: str | None
    data_dir: Path | None
    url: str | None
    as_json: bool

    def window(self) -> Window:
        from watchkeeper.importers import Window

        told = (moment(self.since, "--since"), moment(self.until, "--until"))
        since, until = (None if one is None else parse_rfc3339(one) for one in told)
        return Window(since, until, self.limit)


@application.command("otlp-json")
def otlp_json(
    path: Annotated[Path, typer.Argument(help="A file (.json, .jsonl, also .gz), or a folder of them.")],
    since: _Since = None,
    until: _Until = None,
    limit: _Limit = None,
    dry_run: _DryRun = False,
    state: _State = None,
    project: _Project = None,
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Import OTLP/JSON files, such as the OpenTelemetry Collector's file exporter writes. (beta)

    Example: watchkeeper import otlp-json traces.jsonl --dry-run
    """
    from watchkeeper.importers import OtlpJson

    asked = _Asked(since, until, limit, dry_run, state, project, data_dir, url, as_json)
    window = asked.window()
    _run(OtlpJson(path.absolute(), window), str(path.absolute()), window, asked)


@application.command("phoenix")
def phoenix(
    place: Annotated[str, typer.Argument(metavar="PATH_OR_URL", help="Phoenix's address, or a file of its spans.")],
    source_project: Annotated[
        str | None, typer.Option(help="This project of Phoenix alone; for a file, the service its spans are of.")
    ] = None,
    since: _Since = None,
    until: _Until = None,
    limit: _Limit = None,
    dry_run: _DryRun = False,
    state: _State = None,
    project: _Project = None,
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Import traces and annotations from Arize Phoenix: its API, or a file that its client wrote. (beta)

    A key for Phoenix is taken from PHOENIX_API_KEY. Example: watchkeeper import phoenix http://127.0.0.1:6006 --since 30d
    """
    from watchkeeper.importers import Client, Phoenix, PhoenixFiles

    asked = _Asked(since, until, limit, dry_run, state, project, data_dir, url, as_json)
    window = asked.window()
    if _is_url(place):
        key = read(ImportSettings).phoenix_api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = Client(place, headers, whose="Phoenix", key_hint="set PHOENIX_API_KEY to a key made in its settings")
        _run(Phoenix(client, window, source_project), f"{place} {source_project or ''}", window, asked)
        return
    if source_project is None:
        raise ConfigError("a file does not tell whose spans they are", hint="name the service with --source-project")
    path = Path(place).absolute()
    _run(PhoenixFiles(path, window, source_project), f"{path} {source_project}", window, asked)


@application.command("mlflow")
def mlflow(
    place: Annotated[
        str, typer.Argument(metavar="PATH_OR_URL", help="The tracking server's address, or a file of traces.")
    ],
    experiment: Annotated[
        str | None, typer.Option(help="This experiment alone; for a file, the service its traces are of.")
    ] = None,
    since: _Since = None,
    until: _Until = None,
    limit: _Limit = None,
    dry_run: _DryRun = False,
    state: _State = None,
    project: _Project = None,
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Import traces and assessments from MLflow: its tracking server, or files of Trace.to_json. (beta)

    Its MLFLOW_TRACKING_TOKEN, or _USERNAME and _PASSWORD, are shown. Example: watchkeeper import mlflow http://127.0.0.1:5000
    """
    from watchkeeper.importers import Client, MLflow, MLflowFiles

    asked = _Asked(since, until, limit, dry_run, state, project, data_dir, url, as_json)
    window = asked.window()
    if _is_url(place):
        keys = read(ImportSettings)
        headers = {"Authorization": f"Bearer {keys.mlflow_token}"} if keys.mlflow_token else {}
        if keys.mlflow_username and not keys.mlflow_token:
            headers = _basic(keys.mlflow_username, keys.mlflow_password or "")
        client = Client(
            place, headers, whose="MLflow",
            key_hint="set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        )  # fmt: skip
        _run(MLflow(client, window, experiment), f"{place} {experiment or ''}", window, asked)
        return
    if experiment is None:
        raise ConfigError("a file does not tell whose traces they are", hint="name the service with --experiment")
    path = Path(place).absolute()
    _run(MLflowFiles(path, window, experiment), f"{path} {experiment}", window, asked)


@application.command("langfuse")
def langfuse(
    place: Annotated[str, typer.Argument(metavar="PATH_OR_URL", help="Langfuse's address, or what it has exported.")],
    service: Annotated[
        str | None, typer.Option(help="The service, where a span does not tell it. [default: the project's name there]")
    ] = None,
    since: _Since = None,
    until: _Until = None,
    limit: _Limit = None,
    dry_run: _DryRun = False,
    state: _State = None,
    project: _Project = None,
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Import traces and scores from Langfuse: its API, or files (JSON, JSON lines, CSV) that it exported. (beta)

    Its LANGFUSE_PUBLIC_KEY and _SECRET_KEY decide the project. Example: watchkeeper import langfuse https://cloud.langfuse.com
    """
    from watchkeeper.importers import Client, Langfuse, LangfuseFiles

    asked = _Asked(since, until, limit, dry_run, state, project, data_dir, url, as_json)
    window = asked.window()
    if _is_url(place):
        keys = read(ImportSettings)
        hint = "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY to a pair of the project's settings"
        headers = _basic(keys.langfuse_public_key or "", keys.langfuse_secret_key or "")
        client = Client(place, headers, whose="Langfuse", key_hint=hint)
        where = f"{place} {keys.langfuse_public_key} {service or ''}"
        _run(Langfuse(client, window, service), where, window, asked)
        return
    path = Path(place).absolute()
    _run(LangfuseFiles(path, window, service or "langfuse"), f"{path} {service or ''}", window, asked)


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _run(source: Source, place: str, window: Window, asked: _Asked) -> None:
    from watchkeeper.importers import DryRun, State, run

    settings = read(ServerSettings, data_dir=asked.data_dir)
    what: dict[str, Any] = {
        "source": source.name, "from": place, "since": asked.since, "until": asked.until, "limit": asked.limit,
        "project": asked.project,
    }  # fmt: skip
    if asked.dry_run:
        state = State(None, what)
        delivery: Delivery = DryRun(source.name)
    else:
        what["to"] = asked.url or str(settings.folder().absolute())
        delivery, state = _delivery(settings, source.name, asked), State(asked.state or _file(settings, what), what)
    with TerminalProgress(rows=source.unit != "bytes") as bar:
        if state.summary.resumed:
            bar.step(f"going on: {state.summary.spans:,} spans are here already")
        done = run(source, delivery, state, window, lambda at, of: bar.progress(f"from {source.name}", at, of or 0))
    _say(done, asked)


def _delivery(settings: ServerSettings, name: str, asked: _Asked) -> Delivery:
    from watchkeeper.importers import Client
    from watchkeeper.importers import Server as Delivered

    server: Server | None = server_of(settings, asked.url, asked.project)
    if server is None:
        raise UpstreamError(
            f"no server holds the data folder {settings.folder()}",
            hint="start watchkeeper serve, or name one with --url",
        )
    client = Client(
        server.url, server.headers, whose="Watchkeeper", context=server.trust(),
        key_hint="WATCHKEEPER_API_KEY must be a secret key (sk-...) with the scope ingest: watchkeeper keys create",
    )  # fmt: skip
    return Delivered(client, name)


def _file(settings: ServerSettings, what: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    folder = settings.folder()
    return folder.with_name(f"{folder.name}-imports") / f"{what['source']}-{digest}.json"


def _say(done: Summary, asked: _Asked) -> None:
    skipped = [{"reason": reason, **asdict(one)} for reason, one in done.skipped.items()]
    if asked.as_json:
        told = {**asdict(done), "skipped": skipped, "dry_run": asked.dry_run}
        stdout().print(json.dumps(told), markup=False)
        return
    counts = [(done.traces, "traces"), (done.spans, "spans"), (done.scores, "scores"), (done.logs, "log records")]
    text = ", ".join(f"{count:,} {name}" for count, name in counts if count or name != "log records")
    stdout().print(f"{'would import' if asked.dry_run else 'imported'} {text}")
    for one in skipped:
        stdout().print(f"left out {one['count']:,}: {one['reason']} (first: {one['first']})", markup=False)
