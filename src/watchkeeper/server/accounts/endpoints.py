"""`/api/v1/session`, `/sessions` and `/links`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from watchkeeper.server.accounts.schemas import (
    AcceptIn,
    LinkIn,
    LinkOut,
    PasswordIn,
    SessionIn,
    SessionList,
    SessionOut,
)
from watchkeeper.server.accounts.service import AccountService
from watchkeeper.server.cookies import ended, started
from watchkeeper.server.gate import Caller
from watchkeeper.server.request import caller, maybe_caller, services

__all__ = ["router"]

router = APIRouter(tags=["accounts"])

Who = Annotated[Caller, Depends(caller)]
Someone = Annotated[Caller | None, Depends(maybe_caller)]
Accounts = Annotated[AccountService, Depends(services(lambda parts: parts.accounts))]


@router.get("/session")
def read_session(someone: Someone, accounts: Accounts) -> SessionOut:
    """Say who is speaking and what they may do; answers everyone."""
    return accounts.whoami(someone)


@router.post("/session")
def sign_in(request: Request, response: Response, accounts: Accounts, body: SessionIn) -> SessionOut:
    """Sign in; the session is a cookie that no script can read."""
    token, found = accounts.sign_in(body, address=_address(request), agent=_agent(request))
    response.headers.append("Set-Cookie", started(request.scope, token))
    return found


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, who: Who, accounts: Accounts) -> None:
    """Sign this browser out."""
    accounts.sign_out(who)
    response.headers.append("Set-Cookie", ended(request.scope))


@router.put("/session/password", status_code=204)
def change_password(request: Request, who: Who, accounts: Accounts, body: PasswordIn) -> None:
    """Choose another password; every other session of the account ends."""
    accounts.change_password(who, body, address=_address(request))


@router.get("/sessions")
def list_sessions(who: Who, accounts: Accounts) -> SessionList:
    """List one's own live sessions, newest first."""
    return accounts.sessions(who)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(who: Who, accounts: Accounts, session_id: Annotated[str, Path(max_length=200)]) -> None:
    """End one of one's own sessions at once."""
    accounts.end_session(who, session_id)


@router.post("/links/open")
def open_link(accounts: Accounts, body: LinkIn) -> LinkOut:
    """Say what a link is for, without using it up."""
    return accounts.open_link(body.token)


@router.post("/links/accept")
def accept_link(request: Request, response: Response, accounts: Accounts, body: AcceptIn) -> SessionOut:
    """Use a link up: join the project, or choose a new password; and be signed in."""
    token, found = accounts.accept_link(body, address=_address(request), agent=_agent(request))
    response.headers.append("Set-Cookie", started(request.scope, token))
    return found


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
