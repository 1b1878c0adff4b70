"""A folder of an earlier format, written by the code of its day, opens today and reads as it did then.

`formats/*.tar.xz` are data folders; the JSON beside them is what that code read from them (`read_all`).
`1-killed` was left behind by a kill, its log not yet in the file. `2` is `1` after the second format's
code stored more in it (both dialects, recorded clients, texts full of escapes) and erased a trace. `3-killed` is `2`
after the third format's code accepted more, left behind by a kill with most of that in the journal alone. `4-killed` is
`3-killed` after the fourth format's code did the same with calls that two instrumentations told.
"""

from __future__ import annotations

import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble
from watchkeeper.store.api import Selector, SpanFilter, TraceFilter
from watchkeeper.store.conformance.samples import Maker, stored
from watchkeeper.store.control.secrets import hashed
from watchkeeper.store.factory import SPANS_FILE

FORMATS = Path(__file__).parent / "formats"
PROJECTS = ("default", "other")
SINCE, UNTIL = 1_779_000_000_000_000_000, 1_790_000_000_000_000_000


def read_all(services: Services) -> dict[str, Any]:
    """Read everything there is, as JSON (bytes as base64)."""
    store = services.store
    found = {
        project: {
            "spans": list(store.scan_spans(project, SpanFilter())),
            "rows": store.list_spans(project, SpanFilter(), limit=500).items,
            "traces": store.list_traces(project, TraceFilter(), limit=500).items,
            "scores": store.list_scores(project, limit=500).items,
            "overview": store.overview(project, since=SINCE, until=UNTIL),
            "facets": store.facets(project, since=SINCE, until=UNTIL),
        }
        for project in PROJECTS
    }
    counts = store.stats()
    control = services.control
    secrets = ("sk-fixture-0123456789abcdef", "sk-old-0123456789abcdef")
    whole = msgspec.to_builtins(found) | {
        "counts": [counts.spans, counts.scores, counts.pending_logs],
        "projects": list(control.projects()),
        "keys": [bool(control.keys.find(hashed(one))) for one in secrets],
    }
    return dict(json.loads(json.dumps(whole)))


@pytest.fixture(params=["1", "1-killed", "2", "3-killed", "4-killed"])
def name(request: pytest.FixtureRequest) -> str:
    """Every folder in turn."""
    return str(request.param)


@pytest.fixture
def folder(name: str, tmp_path: Path) -> Path:
    """Unpack a folder of an earlier format."""
    with tarfile.open(FORMATS / f"{name}.tar.xz") as packed:
        packed.extractall(tmp_path)  # our own archive; Python 3.11.0 to 3.11.3 know no filter
    return tmp_path


def known(expected: Any, found: Any) -> Any:
    """Return what was found, less the fields that a later release added."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: known(value, found.get(key)) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [known(*pair) for pair in zip(expected, found, strict=True)]
    return found


def settled(name: str, found: Any) -> Any:
    """Return what was found, less what the start decides: a journal that is replayed is read by today's mapper."""
    if name not in {"3-killed", "4-killed"}:
        return found
    if isinstance(found, dict):
        return {key: settled(name, value) for key, value in found.items() if key != "mapper"}
    return [settled(name, one) for one in found] if isinstance(found, list) else found


def read_then(name: str) -> Any:
    """Return what the code of its day read from a folder."""
    if name[0] in "234":
        return json.loads(lzma.decompress((FORMATS / f"{name[0]}.json.xz").read_bytes()))
    return json.loads((FORMATS / "1.json").read_text())


def test_an_earlier_format_reads_as_it_did(name: str, folder: Path) -> None:
    """Spans, raw attributes, traces, scores, figures and keys are those its own release read; and once more after."""
    expected = read_then(name)
    for _ in range(2):
        services = assemble(ServerSettings(), folder)
        found = read_all(services)
        services.close()

        assert json.dumps(settled(name, expected)) == json.dumps(settled(name, known(expected, found)))


def test_it_is_brought_up_to_date(folder: Path) -> None:
    """It takes new spans, erases old ones, joins the log that waited, and knows what it stored before."""
    services = assemble(ServerSettings(), folder)
    old = next(iter(services.store.scan_spans("default", SpanFilter())))
    make = Maker()

    assert stored(services.store, make.span(77, 1)).outcomes == ("inserted",)
    assert stored(services.store, old).outcomes == ("unchanged",)
    assert services.store.erase("default", Selector(users=("user-1",))).traces > 0
    assert services.store.stats().format_version >= 5
    services.close()


def test_what_it_cannot_know_is_refused_and_left(folder: Path) -> None:
    """The file says its format, so that an older release refuses what this one has written."""
    assemble(ServerSettings(), folder).close()
    with duckdb.connect(str(folder / SPANS_FILE)) as raw:
        assert raw.execute("SELECT list(version ORDER BY version) FROM format").fetchall()[0][0][:5] == [1, 2, 3, 4, 5]
