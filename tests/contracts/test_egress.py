"""Nothing leaves the machine: two observers watch the whole product at work, and both are shown to see a stray.

strace sees every `connect` and `sendto` of every process and its children, native code included; a Python audit hook
sees names before they are looked up. A third run has no network at all but loopback, where the container allows that.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.contracts.egress_scenario import STRAY_ADDRESS, STRAY_NAME
from tests.otlp import TRACE, request, span
from tests.serving import serving

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src/watchkeeper/server/static/index.html"
_HOOK = """
import json, os, sys

_log = os.open(os.environ["EGRESS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def _hook(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        target = args[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        target = args[0]
    else:
        return
    if isinstance(target, tuple):
        target = target[0]
    if isinstance(target, bytes):
        target = target.decode("utf-8", "replace")
    os.write(_log, (json.dumps([event, target]) + "\\n").encode())

sys.addaudithook(_hook)
"""
# Chromium itself looks for updates whatever it is told; our pages have no business there, and `foreign` would show it.
_BROWSERS_OWN = re.compile(r"^(https?://)?[a-z0-9.-]+\.(google|googleapis|gvt1|gstatic)\.com[:/]")
_CALL = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(")
_ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')


def _environment(folder: Path) -> dict[str, str]:
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_HOOK)
    path = os.pathsep.join([str(hooks), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    # NO_PROXY and friends must not decide where we connect to.
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**clean, "PYTHONPATH": path, "EGRESS_LOG": str(folder / "audit.log"), "HOME": str(folder)}


def _scenario(folder: Path, *prefix: str, words: tuple[str, ...] = (), **environ: str) -> None:
    command = [*prefix, sys.executable, "-m", "tests.contracts.egress_scenario", str(folder), *words]
    done = subprocess.run(
        command, env=_environment(folder) | environ, cwd=folder, capture_output=True, timeout=280, check=False
    )
    assert done.returncode == 0, (done.stdout[-3_000:].decode(), done.stderr[-3_000:].decode())


def _is_loopback(host: str | None) -> bool:
    if host in {None, "", "localhost"} or str(host).startswith(("/", "\0")):  # a path is a Unix socket
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or address.is_unspecified or bool(mapped and mapped.is_loopback)


def _traced(log: Path) -> tuple[int, list[str]]:
    """Return how many Internet addresses strace saw, and the lines of those beyond loopback or of a name server."""
    count, strays = 0, []
    for line in log.read_text(errors="replace").splitlines():
        found = _ADDRESS.search(line) if _CALL.search(line) else None
        if found is None:
            continue
        count += 1
        if not _is_loopback(found[1] or found[2]) or "sin_port=htons(53)" in line or "sin6_port=htons(53)" in line:
            strays.append(line)
    return count, strays


def _audited(log: Path) -> tuple[int, list[str]]:
    """Return how many targets Python code had, and those beyond loopback."""
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    return len(seen), [f"{event} {target}" for event, target in seen if not _is_loopback(target)]


def _strace(folder: Path) -> tuple[str, ...]:
    found = shutil.which("strace")
    if found is None:
        pytest.fail("strace is not installed: apt-get install --no-install-recommends strace")
    return (
        found,
        "-f",
        "--seccomp-bpf",  # stops a process at these calls alone, and not at each
        "-qq",
        "-s",
        "64",
        "-e",
        "trace=connect,sendto,sendmsg,sendmmsg",
        "-o",
        str(folder / "strace.log"),
    )


@pytest.mark.slow
def test_nothing_leaves_the_machine(tmp_path: Path) -> None:
    """Server, a traced app, every verb: no process connects or sends to an address beyond loopback, nor asks for a name."""
    _scenario(tmp_path, *_strace(tmp_path))
    traced, strays = _traced(tmp_path / "strace.log")
    audited, named = _audited(tmp_path / "audit.log")

    assert (strays, named) == ([], [])
    assert traced > 20  # the observers did see the loopback traffic
    assert audited > 20


@pytest.mark.slow
def test_the_observers_see_a_stray(tmp_path: Path) -> None:
    """The same server and app, and one stray connection, datagram and look-up: each observer by itself catches them."""
    _scenario(tmp_path, *_strace(tmp_path), words=("stray",))
    _, strays = _traced(tmp_path / "strace.log")
    _, named = _audited(tmp_path / "audit.log")

    assert any(STRAY_ADDRESS in line and "connect(" in line for line in strays)
    assert any(STRAY_ADDRESS in line and "sendto(" in line for line in strays)
    assert named == [
        f"socket.connect {STRAY_ADDRESS}", f"socket.sendto {STRAY_ADDRESS}", f"socket.getaddrinfo {STRAY_NAME}",
    ]  # fmt: skip


@pytest.mark.slow
def test_it_all_works_without_a_network(tmp_path: Path) -> None:
    """In a network namespace that holds nothing but loopback everything works as before."""
    unshare = shutil.which("unshare")
    allowed = unshare and subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0
    if not allowed:
        pytest.skip("this container allows no network namespace; strace and the audit hook have watched already")
    _scenario(tmp_path, str(unshare), "-rn", EGRESS_LO="1")

    assert _audited(tmp_path / "audit.log")[1] == []


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Refuses everything and remembers what was asked for."""

    asked: list[str]

    def _refuse(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    do_GET = do_POST = do_CONNECT = do_HEAD = _refuse  # noqa: N815 - http.server names them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


@contextmanager
def _proxy() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Proxy", (_Proxy,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_pages_ask_nobody_else(tmp_path: Path) -> None:
    """Every page of the dashboard loads and runs with nothing asked of another host; a page that does ask is caught."""
    chromium = shutil.which("chromium") or pytest.fail("chromium is not installed: apt-get install chromium")
    if not STATIC.is_file():
        pytest.fail("the page is not built: python hatch_build.py")
    with serving(tmp_path) as served, _proxy() as (proxy, asked), sync_playwright() as playwright:
        served.export(request(span()))
        browser = playwright.chromium.launch(
            executable_path=chromium, proxy={"server": proxy, "bypass": "127.0.0.1"},
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                  "--disable-sync", "--disable-features=OptimizationHints,MediaRouter,CertificateTransparencyComponentUpdater"],
        )  # fmt: skip
        page = browser.new_page()
        foreign: list[str] = []
        page.on("request", lambda one: None if one.url.startswith((served.url, "data:")) else foreign.append(one.url))
        for path in ("/", "/traces", f"/traces/{TRACE}", "/query", "/api/v1/status"):
            page.goto(served.url + path)
            page.wait_for_load_state("networkidle")
            assert page.locator("body").inner_text() != ""
        assert (foreign, [one for one in asked if not _BROWSERS_OWN.search(one)]) == ([], [])

        page.goto("about:blank")
        with pytest.raises(Error, match=r"net::ERR_"):
            page.goto(f"https://{STRAY_NAME}/", timeout=10_000)
        browser.close()

    assert any(STRAY_NAME in one for one in asked)
    assert foreign
