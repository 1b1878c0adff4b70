"""What OpenTelemetry itself says of any span: who sent it, how it ended, and for whom it ran."""

from __future__ import annotations

import msgspec

from watchkeeper.ingest.read import strings, text
from watchkeeper.ingest.region import host_of
from watchkeeper.model import Attributes, AttributeValue, RawSpan, Status, semconv

__all__ = ["Generic", "generic", "service_of"]

_STATUS: dict[int, Status] = {1: "ok", 2: "error"}
_UNKNOWN = "unknown_service"
_SCRUBBED = "[Scrubbed due to "
"""Begins what Logfire writes in place of a value whose key or text looks like a secret."""


class Generic(msgspec.Struct, frozen=True, kw_only=True):
    """The fields no dialect is needed for."""

    service: str
    environment: str | None
    release: str | None
    status: Status
    status_message: str | None
    error_type: str | None
    session_id: str | None
    user_id: str | None
    tags: tuple[str, ...]
    endpoint_host: str | None


def generic(raw: RawSpan) -> Generic:
    """Read them."""
    own, resource = raw.attributes, raw.resource
    status = _STATUS.get(raw.status_code, "unset")
    message, error = raw.status_message or None, text(own.get(semconv.ERROR_TYPE))
    if status == "error" and not (message and error):
        message = message or _exception(raw, "exception.message")
        error = error or _exception(raw, "exception.type")
    return Generic(
        service=service_of(resource),
        environment=text(resource.get(semconv.ENVIRONMENT)) or text(resource.get("deployment.environment")),
        release=text(resource.get(semconv.SERVICE_VERSION)),
        status=status,
        status_message=message,
        error_type=error,
        session_id=_id(own.get(semconv.SESSION_ID)),
        user_id=_id(own.get(semconv.USER_ID)) or _id(own.get("enduser.id")),
        tags=strings(own["tags"]) if "tags" in own else (),
        endpoint_host=host_of(own),
    )


def service_of(resource: Attributes) -> str:
    """Return the name of the service that a resource is of."""
    name, project = text(resource.get(semconv.SERVICE_NAME)), text(resource.get("openinference.project.name"))
    # Phoenix's `register(project_name=…)` leaves service.name at OTel's default, which says nothing.
    if name is None or name == _UNKNOWN or name.startswith(f"{_UNKNOWN}:"):
        return project or name or _UNKNOWN
    return name


def _id(value: AttributeValue) -> str | None:
    """Return an id. What a scrubber left in place of one would put strangers under one name."""
    found = text(value)
    return None if found is None or found.startswith(_SCRUBBED) else found


def _exception(raw: RawSpan, key: str) -> str | None:
    found = [text(event.attributes.get(key)) for event in raw.events if event.name == "exception"]
    return next((one for one in found if one), None)
