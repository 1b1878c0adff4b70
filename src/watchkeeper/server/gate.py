"""Decides who is speaking: a key, a signed-in person, or the machine's own user; and for which project.

Answers of the control store are remembered for up to `TTL` seconds, since exporters ask many times a second.
A change made by this process is seen at once; one made by another process on the same store within `TTL`.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, cast

from watchkeeper.kit.clock import Clock, SystemClock
from watchkeeper.kit.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from watchkeeper.store.control.keys import SCOPES
from watchkeeper.store.control.secrets import hashed
from watchkeeper.store.factory import ControlStore

__all__ = ["ROLE_SCOPES", "TTL", "Caller", "Credentials", "Gate", "is_loopback"]

TTL = 5.0
"""Seconds for which an answer of the control store is remembered."""

_REMEMBERED = 4096

ROLE_SCOPES: dict[str, frozenset[str]] = {
    "viewer": frozenset({"read"}),
    "member": frozenset({"read", "ingest"}),
    "admin": SCOPES,
}
"""What each role may do in its project."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is speaking, for which project, and what they may do.

    Attributes:
        project: the one project that is read and written.
        kind: how they proved it.
        name: the key's public id, the person's address, or `local`.
        scopes: of `ingest`, `read`, `admin`; `admin` includes the others.
        is_owner: the one who runs the server: all projects, and the server's own figures.
        anonymous: on loopback, and proved nothing.
    """

    project: str
    kind: Literal["local", "key", "session"]
    name: str
    scopes: frozenset[str]
    is_owner: bool = False
    anonymous: bool = False
    user_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought.

    Attributes:
        local: it came from this machine, through nothing that passes on for others.
        secret: a key.
        session: a session cookie's token.
        proof: what only a reader of the data folder's lockfile can know.
        project: the project asked for, where the caller has several.
    """

    local: bool
    secret: str | None = None
    session: str | None = None
    proof: str | None = None
    project: str | None = None


def is_loopback(host: str) -> bool:
    """Say whether an address or name stands for this machine only."""
    bare = host.strip("[]").partition("%")[0].lower()
    if bare == "localhost":
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


class _Remembered(Generic[T]):
    """Answers by key, each for `TTL` seconds, the least recently used forgotten first."""

    def __init__(self, tick: Callable[[], float]) -> None:
        self._tick = tick
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._generation = 0

    def get(self, key: str) -> tuple[T] | None:
        """Return the answer in a tuple, None where there is none that is young enough."""
        with self._lock:
            found = self._answers.get(key)
            if found is None or found[0] <= self._tick():
                return None
            self._answers.move_to_end(key)
            return (found[1],)

    def look(self, key: str, ask: Callable[[], T]) -> T:
        """Ask and remember, unless something changed while the answer was on its way."""
        with self._lock:
            generation = self._generation
        answer = ask()
        with self._lock:
            if generation == self._generation:
                self._answers[key] = (self._tick() + TTL, answer)
                self._answers.move_to_end(key)
                if len(self._answers) > _REMEMBERED:
                    self._answers.popitem(last=False)
        return answer

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._answers.clear()
            self._generation += 1


class Gate:
    """Turns credentials into a caller, or refuses.

    Args:
        control: where keys, people and sessions are.
        operator_key: the key of whoever runs the server, from its settings.
        required: whether loopback must prove itself too.
        proof: what the lockfile holds; None where there is no lockfile.
        clock: for expiry.
        tick: monotonic seconds, for what is remembered.
    """

    def __init__(
        self, control: ControlStore, *, operator_key: str | None = None, required: bool = False,
        proof: str | None = None, clock: Clock | None = None, tick: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._control = control
        self._operator_key = operator_key
        self._required = required
        self._proof = proof
        self._clock = clock or SystemClock()
        self._found = _Remembered[object](tick)
        control.on_change(self._found.forget)

    async def admit(self, brought: Credentials) -> Caller:
        """Return the caller.

        Raises:
            UnauthenticatedError: nothing that is known was brought from where something is needed.
            ForbiddenError: another project than the caller's was asked for.
            NotFoundError: the owner asked for a project that is not there.
        """
        if brought.secret is not None:
            found = await self._by_key(brought.secret, brought.project)
            if found is not None:
                return found
            # A loopback caller is the machine's own user; foreign SDKs insist on sending some placeholder for a key.
            if not brought.local or brought.secret.startswith("sk-"):
                raise _unauthenticated("the key is not known, has expired, or was revoked")
        elif brought.session is not None:
            person = await self._by_session(brought.session, brought.project)
            if person is not None:
                return person
        return await self._machine(brought)

    async def is_alone(self) -> bool:
        """Say whether the server holds one project only, so that its figures are that project's."""
        return await self._ask("projects", lambda: len(self._control.projects())) <= 1

    async def has_users(self) -> bool:
        """Say whether there are accounts, disabled ones too."""
        return await self._ask("users", self._control.people.any_account)

    async def _by_key(self, secret: str, wanted: str | None) -> Caller | None:
        if self._operator_key is not None and hmac.compare_digest(secret.encode(), self._operator_key.encode()):
            return Caller(await self._owned(wanted), "key", "operator", SCOPES, is_owner=True)
        digest = hashed(secret)
        key = await self._ask("key " + digest, lambda: self._control.keys.find(digest))
        if key is None or not key.alive(self._clock.now_ns()):
            return None
        if wanted not in {None, key.project}:
            raise ForbiddenError(f"this key is not of the project {wanted!r}")
        return Caller(key.project, "key", key.public_id, _widened(frozenset(key.scopes)))

    async def _by_session(self, token: str, wanted: str | None) -> Caller | None:
        digest = hashed(token)
        found = await self._ask("session " + digest, lambda: self._control.sessions.find(digest))
        if found is None:
            return None
        project = wanted or next(iter(found.roles), None)
        if project is None or project not in found.roles:
            raise ForbiddenError("you are not a member of this project", hint="ask one of its admins")
        return Caller(
            project, "session", found.email, ROLE_SCOPES[found.roles[project]], user_id=found.user_id,
            session_id=found.id,
        )  # fmt: skip

    async def _machine(self, brought: Credentials) -> Caller:
        if not brought.local:
            raise _unauthenticated("a key or a login is needed from beyond loopback")
        if brought.proof is not None:
            if self._proof is None or not hmac.compare_digest(brought.proof.encode(), self._proof.encode()):
                raise _unauthenticated("the proof is not this server's")
            return Caller(await self._owned(brought.project), "local", "local", SCOPES, is_owner=True)
        if self._required:
            raise _unauthenticated("a key or a login is needed, on loopback too")
        if await self.has_users():
            # Who may read is settled by accounts now; what runs here may still send.
            return Caller("default", "local", "local", frozenset({"ingest"}), anonymous=True)
        project = await self._owned(brought.project)
        return Caller(project, "local", "local", SCOPES, is_owner=True, anonymous=True)

    async def _owned(self, wanted: str | None) -> str:
        if wanted is None or wanted == "default":
            return "default"
        if wanted not in await self._ask("project ids", self._control.projects):
            raise NotFoundError(f"there is no project {wanted!r}")
        return wanted

    async def _ask(self, key: str, ask: Callable[[], T]) -> T:
        known = self._found.get(key)
        if known is None:
            known = (await asyncio.to_thread(self._found.look, key, ask),)
        return cast("T", known[0])  # each key is asked for one type only


def _widened(scopes: frozenset[str]) -> frozenset[str]:
    return SCOPES if "admin" in scopes else scopes


def _unauthenticated(message: str) -> UnauthenticatedError:
    return UnauthenticatedError(message, hint="send 'Authorization: Bearer sk-...', or sign in")
