"""The API against its own description: schemathesis makes the requests, hostile ones too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app

pytestmark = pytest.mark.slow

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Loopback:
    """Calls the app as a neighbour on this machine would."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(name, item) for name, item in scope["headers"] if name != b"host"]
            scope = {**scope, "client": ("127.0.0.1", 1), "headers": [*headers, (b"host", b"localhost")]}
        await self._app(scope, receive, send)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Assemble the services on a folder of the test's own."""
    built = assemble(ServerSettings(), tmp_path / "data")
    yield built
    built.close()


@pytest.mark.timeout(600)
def test_the_api_keeps_its_word(services: Services) -> None:
    """Whatever is sent, the answer is one the description names, in the shape it names, and never a crash."""
    found = schemathesis.openapi.from_asgi("/api/v1/openapi.json", Loopback(create_app(services)))
    operations = [
        result.ok() for result in found.include(path_regex="^/api/").get_all_operations() if isinstance(result, Ok)
    ]

    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=25, suppress_health_check=list(HealthCheck))
        def keeps_its_word(case: Case[Any]) -> None:
            case.call_and_validate(checks=CHECKS)

        keeps_its_word()

    assert len(operations) >= 9
