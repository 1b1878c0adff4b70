"""A packing process: `python -m watchkeeper.server.otlp.worker READ_FD WRITE_FD SETTINGS`. See `workers`."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from watchkeeper.guard import Masker, Pseudonyms
from watchkeeper.ingest import map_span
from watchkeeper.manifest import ManifestFile, default_policy
from watchkeeper.model import RawSpan, Span
from watchkeeper.pricing import IMPORTED, Pricer
from watchkeeper.server.capture import Capture
from watchkeeper.server.otlp.packing import Export, Packer
from watchkeeper.server.otlp.workers import Answer, WorkerSettings
from watchkeeper.store.factory import packed_bytes

_log = logging.getLogger(__name__)


def main(read: int, write: int, settings: WorkerSettings) -> None:
    """Answer exports until the pipe closes."""
    # Ctrl-C goes to the whole group; the server says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    requests, answers = Connection(read, writable=False), Connection(write, readable=False)
    rates = Path(settings.folder) / IMPORTED if settings.folder else None
    pricer = Pricer(Path(settings.prices) if settings.prices else None, rates)
    named = Path(settings.manifest) if settings.manifest else None
    manifest = ManifestFile(named, default_policy(settings.capture, settings.retention))
    masked: Counter[str] = Counter()
    capture = Capture(
        manifest, Masker(Pseudonyms.of(Path(settings.folder))), lambda kind, count: masked.update({kind: count})
    )

    def refine(project: str, raw: RawSpan, received_at: int) -> Span:
        return pricer.price(map_span(project, raw, received_at))

    packer = Packer(refine, capture.spans, packed_bytes)
    decoder, encoder = msgspec.msgpack.Decoder(Export), msgspec.msgpack.Encoder()
    gc.freeze()
    answers.send_bytes(b"ready")
    while True:
        try:
            export, body = decoder.decode(requests.recv_bytes()), requests.recv_bytes()
        except (EOFError, OSError):
            return
        masked.clear()
        try:
            packed = packer.body(export, body)
        except Exception:  # noqa: BLE001 - the server packs it again and meets the same error where it can answer it
            _log.debug("an export could not be packed", exc_info=True)
            answers.send_bytes(encoder.encode(Answer(packed=False)))
            continue
        answers.send_bytes(
            encoder.encode(Answer(True, packed.rejected, packed.reason, list(packed.figures), dict(masked)))  # noqa: FBT003
        )
        answers.send_bytes(packed.parcel)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), msgspec.json.decode(sys.argv[3], type=WorkerSettings))
