"""WKD3xx: keys that a real server takes, does not know, has revoked."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import run
from tests.doctor.conftest import bad, bending, found, look
from tests.serving import Served, serving
from watchkeeper.store.factory import open_control_store

WRONG = "sk-nobody-0123456789abcdef"


def test_an_unknown_key_fails(served: tuple[Served, Path]) -> None:
    """A key the server does not know fails, by the name of its variable, and is not shown."""
    server, folder = served
    report = look(folder, {"WATCHKEEPER_API_KEY": WRONG}, url=server.url)

    assert found(report, "WKD302").where == "WATCHKEEPER_API_KEY"
    assert report.exit_code == 2
    assert WRONG not in repr(report)


def test_a_revoked_key_is_told_from_an_unknown_one(tmp_path: Path) -> None:
    """Where the data folder is here, a key that was revoked is called so."""
    with serving(tmp_path, projects=("shop",)) as server:
        secret = server.keys["shop"]
    with sqlite3.connect(tmp_path / "data" / "control.sqlite") as file:
        file.execute("UPDATE api_keys SET revoked_at = ?", (datetime.now(UTC).replace(tzinfo=None).isoformat(" "),))
    file.close()
    with serving(tmp_path) as server:
        report = look(tmp_path / "data", {"WATCHKEEPER_API_KEY": secret}, url=server.url)

    assert found(report, "WKD303").what == "the key has been revoked"


def test_the_other_half_of_a_pair_is_known_as_such(served: tuple[Served, Path]) -> None:
    """A public key where the secret belongs fails without being tried."""
    server, folder = served

    assert found(look(folder, {"WATCHKEEPER_API_KEY": "pk-shop"}, url=server.url), "WKD305")


def test_otel_headers_are_tried_and_read_closely(served: tuple[Served, Path]) -> None:
    """OTel's own headers are tried like our key; a part with a colon for the equals sign is named, its value not."""
    server, folder = served
    good = {"OTEL_EXPORTER_OTLP_HEADERS": f"x-other=1,Authorization=Bearer%20{server.keys['shop']}"}
    colon = {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization: Bearer {server.keys['shop']}"}

    assert found(look(folder, good, url=server.url), "WKD300").where == "OTEL_EXPORTER_OTLP_HEADERS"
    assert "'Authorization'" in found(look(folder, colon, url=server.url), "WKD307").what
    assert server.keys["shop"] not in repr(look(folder, colon, url=server.url))


def test_two_keys_are_a_contradiction(served: tuple[Served, Path]) -> None:
    """Two variables with different keys are named together, and each is tried."""
    server, folder = served
    told = {
        "WATCHKEEPER_API_KEY": server.keys["shop"],
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {WRONG}",
    }

    assert {"WKD302", "WKD306"} <= bad(look(folder, told, url=server.url))


def test_a_placeholder_is_no_key(served: tuple[Served, Path]) -> None:
    """What works only because loopback needs no key is a warning: elsewhere it would not."""
    server, folder = served

    assert bad(look(folder, {"WATCHKEEPER_API_KEY": "changeme"}, url=server.url)) == {"WKD308"}


def test_langfuse_keys_count_where_its_host_is_ours(served: tuple[Served, Path]) -> None:
    """Langfuse's pair is tried if its host names this server, and left alone if it names another."""
    server, folder = served
    pair = {"LANGFUSE_PUBLIC_KEY": "pk-shop", "LANGFUSE_SECRET_KEY": WRONG}
    ours = look(folder, {**pair, "LANGFUSE_HOST": server.url}, url=server.url)
    theirs = look(folder, {**pair, "LANGFUSE_HOST": "https://langfuse.example"}, url=server.url)

    assert found(ours, "WKD302").where == "LANGFUSE_SECRET_KEY"
    assert bad(theirs) == set()


def test_without_a_server_a_key_cannot_be_tried(tmp_path: Path) -> None:
    """A key that nobody is there to try is said to be untried, not good."""
    report = look(tmp_path / "new", {"WATCHKEEPER_API_KEY": WRONG}, url="http://127.0.0.1:9")

    assert {"WKD309", "WKD401"} <= bad(report)


def test_a_server_that_wants_a_key_says_so(served: tuple[Served, Path], tmp_path: Path) -> None:
    """Through a reverse proxy, which makes us callers from beyond loopback, no key is a failure and a good one is not."""
    server, _ = served
    with bending(server.url, lambda _path, _headers, body: body, X_Forwarded_For="198.51.100.7") as url:
        without = look(tmp_path / "new", url=url)
        with_key = look(tmp_path / "new", {"WATCHKEEPER_API_KEY": server.keys["shop"]}, url=url)

    assert found(without, "WKD301")
    assert bad(with_key) == set()


def test_a_key_that_may_do_only_half_is_told(tmp_path: Path) -> None:
    """A key for reading alone fails for sending; one for sending alone sends the doctor's span, and cannot read it."""
    control = open_control_store(tmp_path / "data")
    control.ensure_project("default")
    for scope in ("read", "ingest"):
        control.keys.create("default", (scope,), pair=(f"pk-{scope}", f"sk-{scope}-0123456789abcdef"))
    control.close()
    with serving(tmp_path) as server:
        reads = look(tmp_path / "data", {"WATCHKEEPER_API_KEY": "sk-read-0123456789abcdef"}, url=server.url)
        words = ("doctor", "--send", "--json", "--data-dir", str(tmp_path / "data"), "--url", server.url)
        sends = json.loads(run(*words, WATCHKEEPER_API_KEY="sk-ingest-0123456789abcdef").stdout)
        rows = server.sql("select count(*) from spans where service = 'watchkeeper-doctor'")[1]["rows"]

    assert "ingest" in str(found(reads, "WKD304").mend)
    assert reads.exit_code == 2
    assert {"WKD012"} <= {one["id"] for one in sends["findings"]}
    assert rows == [[1]]
