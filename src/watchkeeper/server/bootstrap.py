"""Headless set-up: a project, a key and an admin from the environment, made where they are missing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import cast

from watchkeeper.kit.errors import ConfigError, RequestError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server.passwords import Passwords, acceptable
from watchkeeper.store.control.keys import Scope
from watchkeeper.store.control.people import normal_email
from watchkeeper.store.factory import ControlStore

__all__ = ["bootstrap"]

_LEAST_SECRET = 32
_BY = "bootstrap"
_log = logging.getLogger("watchkeeper.access")


def bootstrap(control: ControlStore, settings: ServerSettings) -> None:
    """Make what the settings name; the same settings again change nothing.

    A key that is there gets the secret that is named now, so that a secret is rotated by a restart; one that was
    revoked stays revoked. An admin that is there keeps their password and is admin of the project.

    Raises:
        ConfigError: a setting is missing its partner, or is not good enough.
    """
    control.ensure_project("default")
    try:
        control.ensure_project(settings.bootstrap_project)
        _key(control, settings)
        _admin(control, settings)
    except RequestError as error:
        raise ConfigError(f"WATCHKEEPER_BOOTSTRAP_*: {error.message}", hint=error.hint) from error


def _key(control: ControlStore, settings: ServerSettings) -> None:
    public_id, secret = settings.bootstrap_public_key, _read(settings.bootstrap_secret_key)
    if public_id is None and secret is None:
        return
    if public_id is None or secret is None:
        raise RequestError("a key has a PUBLIC_KEY and a SECRET_KEY", hint="set both or neither")
    if not public_id.startswith("pk-") or not secret.startswith("sk-") or len(secret) < _LEAST_SECRET:
        raise RequestError(
            f"a public key begins with pk-, a secret one with sk- and has {_LEAST_SECRET} characters or more",
            hint="for example sk-$(openssl rand -hex 32)",
        )
    scopes = cast("tuple[Scope, ...]", tuple(part.strip() for part in settings.bootstrap_scopes.split(",")))
    there = control.keys.get(public_id)
    if there is None:
        control.keys.create(settings.bootstrap_project, scopes, name=_BY, by=_BY, pair=(public_id, secret))
        return
    if there.project != settings.bootstrap_project:
        raise RequestError(f"the key {public_id} is of the project {there.project}", hint="name another key")
    if there.revoked_at is not None:
        _log.warning("the key %s of WATCHKEEPER_BOOTSTRAP_PUBLIC_KEY was revoked and stays so", public_id)
    elif control.keys.replace_secret(public_id, secret):
        _log.info("the key %s has the secret of WATCHKEEPER_BOOTSTRAP_SECRET_KEY now", public_id)


def _admin(control: ControlStore, settings: ServerSettings) -> None:
    given, password = settings.bootstrap_admin_email, _read(settings.bootstrap_admin_password)
    if given is None and password is None:
        return
    if given is None or password is None:
        raise RequestError("an admin has an ADMIN_EMAIL and an ADMIN_PASSWORD", hint="set both or neither")
    email = normal_email(given)
    there = control.people.by_email(email)
    if there is None:
        hashed = Passwords().hash(acceptable(password, email=email))
        control.people.add(email, "", hashed, settings.bootstrap_project, "admin")
    elif there.roles.get(settings.bootstrap_project) != "admin":
        control.people.add_role(settings.bootstrap_project, there.id, "admin")


def _read(text: str | None) -> str | None:
    """Return a secret, from the file where it names one."""
    if text is None or not text.startswith("file:"):
        return text
    path = Path(text.removeprefix("file:"))
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"the secret's file {path} cannot be read: {error}") from error
