"""All of the product on loopback: server, an app with a wrapped client, the command line. Run under observation.

`python -m tests.contracts.egress_scenario FOLDER` exits 0 when everything worked. With `stray` as a second word
it ends after the app, which then also tries to reach a documentation address (RFC 5737), by TCP, by UDP and by name: what an
observer must catch.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from tests import fake_openai
from tests.serving import Served, serving
from watchkeeper.cli.verbs import application

_LO_UP = (0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS with IFF_UP | IFF_RUNNING

STRAY_ADDRESS, STRAY_NAME = "192.0.2.1", "stray.invalid"

_APP = """
import sys
from openai import OpenAI
import watchkeeper as wk

wk.init("egress", endpoint=sys.argv[1])
client = wk.wrap(OpenAI(base_url=sys.argv[2], api_key="none", max_retries=0))

@wk.observe(kind="tool")
def look_up():
    return "sunny"

with wk.session("s", user="ada"):
    look_up()
    messages = [{"role": "user", "content": "Weather in Bern?"}]
    client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    for _ in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True):
        pass
    client.embeddings.create(model="text-embedding-3-small", input="x")
    try:
        client.chat.completions.create(model="broken", messages=messages)
    except Exception:
        pass
wk.flush()
wk.shutdown()
"""

_STRAY = """
import socket
with socket.socket() as one:
    one.settimeout(0.2)
    try:
        one.connect(("%s", 443))
    except OSError:
        pass
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
    try:
        two.sendto(b"x", ("%s", 53))
    except OSError:
        pass
try:
    socket.getaddrinfo("%s", 443)
except OSError:
    pass
"""


def main(folder: Path, *, stray: bool) -> int:
    """Run it all; return 0 when it worked."""
    if os.environ.get("EGRESS_LO") == "1":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, *_LO_UP)
    models = fake_openai.start()
    base_url = f"http://127.0.0.1:{models.server_address[1]}/v1"
    with serving(folder, grpc=True) as served:
        _run(sys.executable, "-c", _APP, served.url, base_url)
        if stray:
            _run(sys.executable, "-c", _STRAY % (STRAY_ADDRESS, STRAY_ADDRESS, STRAY_NAME))
            return 0
        _browse(served)
        _command_line(folder, served)
    _cli("sql", "select count(*) from spans", "--data-dir", str(folder / "data"))  # opens the folder by itself
    return 0


def _browse(served: Served) -> None:
    for path in ("/", "/metrics", "/api/v1/status", "/api/v1/traces", "/api/v1/openapi.json", "/healthz"):
        status, body, _ = served.call(path)
        assert status in {200, 404}, (path, status, body[:500])
    status, answer = served.sql("select count(*) from spans where service = 'egress'")
    assert (status, answer["rows"]) == (200, [[5]]), answer


def _command_line(folder: Path, served: Served) -> None:
    for verb in getattr(get_command(application), "commands", {}):
        _cli(verb, "--help")
    _cli("version", "--json")
    _cli("sql", "select name from spans", "--data-dir", str(folder / "data"))
    _cli("sql", "select name from spans", "--url", served.url, "--json")
    _cli("erase", "--user", "ada", "--yes", "--url", served.url)
    _cli("doctor", "--data-dir", str(folder / "data"), "--url", served.url, "--send")
    _cli("doctor", "--data-dir", str(folder / "data"), "--url", "https://watchkeeper.example")  # is not asked


def _cli(*words: str) -> None:
    _run(sys.executable, "-m", "watchkeeper.cli", *words)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, (command[:6], done.stdout[-2_000:], done.stderr[-2_000:])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), stray="stray" in sys.argv[2:]))
