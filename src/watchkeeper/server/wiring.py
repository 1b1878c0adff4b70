"""The one place that joins ingest, pricing, store and the API."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.guard import Masker, Pseudonyms
from watchkeeper.ingest import map_span
from watchkeeper.kit.clock import Clock, SystemClock
from watchkeeper.kit.errors import ConfigError, WatchkeeperError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.manifest import ManifestFile, currency_code, default_policy
from watchkeeper.model import RawSpan, Span
from watchkeeper.pricing import IMPORTED, Pricer
from watchkeeper.server.accounts.service import AccountService
from watchkeeper.server.backup.exchange import settle
from watchkeeper.server.backup.service import BackupService
from watchkeeper.server.bootstrap import bootstrap
from watchkeeper.server.capture import Capture
from watchkeeper.server.erasure.audit import ErasureAudit
from watchkeeper.server.erasure.service import ErasureService
from watchkeeper.server.gate import Gate
from watchkeeper.server.journal.service import JournalService
from watchkeeper.server.keys.service import KeyService
from watchkeeper.server.mapping.service import MappingService
from watchkeeper.server.media import MediaFiles, MediaService
from watchkeeper.server.media.service import MediaLimits
from watchkeeper.server.media.sweep import House
from watchkeeper.server.members.service import MemberService
from watchkeeper.server.metrics import Metrics
from watchkeeper.server.otlp.service import IngestService
from watchkeeper.server.otlp.workers import WorkerPool, WorkerSettings
from watchkeeper.server.overview.service import OverviewService
from watchkeeper.server.prices.display import Display
from watchkeeper.server.prices.keeper import HourKeeper
from watchkeeper.server.prices.service import PriceService
from watchkeeper.server.retention import Housekeeper
from watchkeeper.server.scores.service import ScoreService
from watchkeeper.server.sql.service import QueryService
from watchkeeper.server.status.service import StatusService
from watchkeeper.server.traces.service import TraceService
from watchkeeper.server.version import version
from watchkeeper.store.api import SpanStore
from watchkeeper.store.factory import ControlStore, open_control_store, open_span_store
from watchkeeper.store.room import Room

__all__ = ["Services", "assemble"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that is alive while the server runs."""

    store: SpanStore
    control: ControlStore
    gate: Gate
    metrics: Metrics
    ingest: IngestService
    traces: TraceService
    scores: ScoreService
    overview: OverviewService
    queries: QueryService
    status: StatusService
    erasure: ErasureService
    journal: JournalService
    prices: PriceService
    mapping: MappingService
    hours: HourKeeper
    backups: BackupService
    keeper: Housekeeper
    manifest: ManifestFile
    keys: KeyService
    accounts: AccountService
    members: MemberService
    media: MediaService
    max_body: int

    def close(self) -> None:
        """Drain and close, the store last."""
        self.backups.close()
        self.media.close()
        self.keeper.close()
        self.hours.close()
        self.ingest.close()
        self.store.close()
        self.control.close()
        self.media.clear()


def assemble(
    settings: ServerSettings, folder: Path | None, clock: Clock | None = None, *, proof: str | None = None
) -> Services:
    """Open the stores in the folder (None keeps everything in memory) and build the services on them.

    `proof` is what the folder's lockfile holds, for the command line to show.

    Raises:
        ConfigError: a setting about access is wrong.
        StoreError: a store cannot be opened.
    """
    if folder is not None and folder.is_dir():
        settle(folder)
    now = clock or SystemClock()
    pricer = Pricer(settings.prices, folder / IMPORTED if folder is not None else None)
    manifest = ManifestFile(settings.manifest_path(), default_policy(settings.capture, settings.retention))

    chosen = currency_code(settings.currency, "WATCHKEEPER_CURRENCY") if settings.currency else None
    display = Display(pricer, lambda: chosen or manifest.current().currency or "USD", now)

    def refine(project: str, raw: RawSpan, received_at: int) -> Span:
        return pricer.price(map_span(project, raw, received_at))

    control = _control(settings, folder, now)
    store = open_span_store(
        folder, refine=refine, memory_mib=settings.memory_mib, queue_bytes=settings.queue_mib * MIB,
        min_free=settings.min_free_mib * MIB,
    )  # fmt: skip
    media = _media(settings, folder, control, store, manifest, now)
    keeper = Housekeeper(
        store,
        lambda service: manifest.current().policy(service).retention_days,
        now,
        period=60.0 * max(1, settings.retention_minutes),
        kept=lambda: _kept_days(settings, manifest),
        media=media.sweep,
    )
    prices = PriceService(store, pricer, now, display)
    metrics = Metrics(store, version(), settings.metrics_label_values)
    capture = Capture(manifest, Masker(Pseudonyms.of(folder)), _masked(metrics))
    return Services(
        store=store,
        control=control,
        gate=Gate(
            control,
            operator_key=settings.secret_key,
            required=settings.auth == "required" or bool(settings.trusted_proxies),
            proof=proof,
            clock=now,
        ),
        keys=KeyService(control),
        accounts=AccountService(control),
        members=MemberService(control),
        media=media,
        metrics=metrics,
        ingest=IngestService(
            store,
            refine,
            capture,
            metrics,
            now,
            in_flight_bytes=2 * settings.queue_mib * MIB,
            max_body=settings.max_body_mib * MIB,
            workers=WorkerPool(
                _processes(settings) if folder is not None else 0,
                _told(settings, manifest, folder),
            ),
        ),
        traces=TraceService(store, display),
        scores=ScoreService(store, now, capture),
        overview=OverviewService(store, now, prices.idle_nano_usd, display),
        queries=QueryService(store),
        erasure=ErasureService(
            store,
            ErasureAudit(folder),
            now,
            capture.pseudonym,
            datasets=control.datasets,
            media=media,
            after=keeper.look,
        ),
        journal=JournalService(store, lambda: _kept_days(settings, manifest)),
        prices=prices,
        mapping=MappingService(store, pricer, display),
        hours=HourKeeper(prices.hours, now),
        backups=BackupService(store, control, folder, now, version()),
        keeper=keeper,
        status=StatusService(store, pricer, manifest, version(), lambda: keeper.report, display.now),
        manifest=manifest,
        max_body=settings.max_body_mib * MIB,
    )


def _control(settings: ServerSettings, folder: Path | None, clock: Clock) -> ControlStore:
    if settings.auth not in {"auto", "required"}:
        raise ConfigError(f"WATCHKEEPER_AUTH is {settings.auth!r}", hint="it is auto or required")
    control = open_control_store(folder, clock)
    try:
        bootstrap(control, settings)
    except WatchkeeperError:
        control.close()
        raise
    return control


def _media(
    settings: ServerSettings, folder: Path | None, control: ControlStore, store: SpanStore, manifest: ManifestFile,
    clock: Clock,
) -> MediaService:  # fmt: skip
    house = House(
        facts=control.media, files=MediaFiles(folder), spans=store, datasets=control.datasets,
        is_off=lambda service: manifest.current().policy(service).content == "off",
    )  # fmt: skip
    return MediaService(
        house, clock, MediaLimits(one=settings.media_mib * MIB, whole=settings.media_total_mib * MIB),
        keeps=lambda: manifest.current().default.content != "off",
        room=None if folder is None else Room(folder, settings.min_free_mib * MIB),
    )  # fmt: skip


def _processes(settings: ServerSettings) -> int:
    if settings.ingest_processes is not None:
        return settings.ingest_processes
    return 0 if sys.platform == "win32" else min(4, os.cpu_count() or 1)


def _kept_days(settings: ServerSettings, manifest: ManifestFile) -> int:
    """Return how long what was set aside is kept: nobody looks into it, so no service's data may outlive its retention."""
    found = manifest.current()
    ages = (policy.retention_days for policy in (found.default, *found.services.values()))
    return min([max(0, settings.kept_days), *(age for age in ages if age is not None)])


def _told(settings: ServerSettings, manifest: ManifestFile, folder: Path | None) -> WorkerSettings:
    prices, named = (str(path) if path is not None else None for path in (settings.prices, manifest.path))
    return WorkerSettings(prices, named, settings.capture, settings.retention, str(folder or ""))


def _masked(metrics: Metrics) -> Callable[[str, int], None]:
    tally = metrics.tally("watchkeeper_masked", "Secrets and personal data masked on arrival, by kind", "kind")
    return lambda kind, count: metrics.add(tally, kind, count=count)
