"""Every recogniser, one file each, in the order in which they win where they overlap."""

from __future__ import annotations

from watchkeeper.guard.recognizer import Recognizer
from watchkeeper.guard.rules.authorization import Authorization
from watchkeeper.guard.rules.card import Card
from watchkeeper.guard.rules.cloud_keys import CloudKeys
from watchkeeper.guard.rules.connection_string import ConnectionString
from watchkeeper.guard.rules.email import Email
from watchkeeper.guard.rules.forge_tokens import ForgeTokens
from watchkeeper.guard.rules.iban import Iban
from watchkeeper.guard.rules.json_web_token import JsonWebToken
from watchkeeper.guard.rules.loose_secret import LooseSecret
from watchkeeper.guard.rules.named_secret import NamedSecret
from watchkeeper.guard.rules.phone import Phone
from watchkeeper.guard.rules.private_key import PrivateKey
from watchkeeper.guard.rules.provider_keys import ProviderKeys
from watchkeeper.guard.rules.service_tokens import ServiceTokens
from watchkeeper.kit.registry import Registry

__all__ = ["recognizers"]


def recognizers() -> Registry[Recognizer]:
    """Return a new registry of every recogniser, by code."""
    table: Registry[Recognizer] = Registry("recogniser")
    for one in (
        PrivateKey(), ProviderKeys(), CloudKeys(), ForgeTokens(), ServiceTokens(), JsonWebToken(), Authorization(),
        ConnectionString(), NamedSecret(), LooseSecret(), Email(), Iban(), Card(), Phone(),
    ):  # fmt: skip
        table.add(one.code, one)
    return table
