"""The one exception tree.

::

    WatchkeeperError                 500 internal
    ├── ConfigError                  a setting, file or flag is wrong (CLI exit code 2)
    ├── MissingExtraError            an optional part is not installed; says the install line
    ├── RequestError                 400 bad_request: the caller sent something we cannot take
    │   ├── UnauthenticatedError     401 unauthenticated
    │   ├── ForbiddenError           403 forbidden
    │   ├── NotFoundError            404 not_found
    │   ├── BodyTooLargeError        413 body_too_large
    │   ├── MediaTypeError           415 media_type
    │   ├── OverloadedError          429 overloaded, with Retry-After
    │   ├── NotServedError           501 not_served: a call of another tool's API that we do not answer
    │   └── QueryRefusedError        400 query_refused: not the one SELECT that is allowed
    │       └── QueryComplexError    400 query_complex: too long, too deep or too hard to plan
    ├── UpstreamError                503 unavailable: something we depend on did not answer
    └── StoreError                   500 store
        ├── StoreLockedError         another process holds the data folder
        ├── StoreFormatError         the data folder is of a newer release, or damaged
        ├── StoreForeignError        a part of the data folder belongs to another store
        ├── StoreFullError           507 store_full: no space left on the device, with Retry-After
        ├── QueryTimeoutError        504 query_timeout
        └── CapabilityError          501 not_supported: this backend cannot answer that

An error that crosses HTTP carries its `status` and a stable `code`; the `hint` says how to mend it.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BodyTooLargeError",
    "CapabilityError",
    "ConfigError",
    "ForbiddenError",
    "MediaTypeError",
    "MissingExtraError",
    "NotFoundError",
    "NotServedError",
    "OverloadedError",
    "QueryComplexError",
    "QueryRefusedError",
    "QueryTimeoutError",
    "RequestError",
    "StoreError",
    "StoreForeignError",
    "StoreFormatError",
    "StoreFullError",
    "StoreLockedError",
    "UnauthenticatedError",
    "UpstreamError",
    "WatchkeeperError",
]


class WatchkeeperError(Exception):
    """The root: everything Watchkeeper raises on purpose.

    Args:
        message: what happened and where, for a person.
        hint: how to mend it, or None when there is nothing to do.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(WatchkeeperError):
    """A setting, a file or a flag is wrong."""

    code = "config"


class MissingExtraError(WatchkeeperError):
    """An optional part of the package is not installed."""

    code = "missing_extra"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed",
            hint=f'pip install "watchkeeper[{extra}]"',
        )


class RequestError(WatchkeeperError):
    """The caller sent something that cannot be taken."""

    status = 400
    code = "bad_request"


class UnauthenticatedError(RequestError):
    """No key, or one that is not known."""

    status = 401
    code = "unauthenticated"


class ForbiddenError(RequestError):
    """The caller is known, or not asked for, and may not do this."""

    status = 403
    code = "forbidden"


class NotFoundError(RequestError):
    """What was asked for is not here, or not in this project."""

    status = 404
    code = "not_found"


class BodyTooLargeError(RequestError):
    """The body, as sent or once decompressed, is over the limit."""

    status = 413
    code = "body_too_large"


class MediaTypeError(RequestError):
    """The content type or encoding is not one we read."""

    status = 415
    code = "media_type"


class OverloadedError(RequestError):
    """The queue is full; nothing was taken. Try again after `retry_after` seconds."""

    status = 429
    code = "overloaded"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message, hint=f"retry after {retry_after} s")
        self.retry_after = retry_after


class NotServedError(RequestError):
    """A call of an API that we answer in part, and not this part of it."""

    status = 501
    code = "not_served"


class QueryRefusedError(RequestError):
    """The SQL is not one SELECT over the documented tables and functions."""

    code = "query_refused"


class QueryComplexError(QueryRefusedError):
    """The SQL is longer, deeper or harder to plan than the limits allow; what it asks for may be fine in parts."""

    code = "query_complex"


class UpstreamError(WatchkeeperError):
    """Something we depend on did not answer, or answered nonsense."""

    status = 503
    code = "unavailable"


class StoreError(WatchkeeperError):
    """The store could not do what was asked; nothing was acknowledged."""

    code = "store"


class StoreLockedError(StoreError):
    """Another process holds the data folder."""

    code = "store_locked"


class StoreFormatError(StoreError):
    """The data folder was written by a newer release, or is not one of ours."""

    code = "store_format"


class StoreForeignError(StoreError):
    """A part of the data folder, such as the journal, belongs to another store than the rest."""

    code = "store_foreign"


class StoreFullError(StoreError):
    """The device has no space left, or too little. Try again after `retry_after` seconds."""

    status = 507
    code = "store_full"
    retry_after: ClassVar[int] = 30


class QueryTimeoutError(StoreError):
    """The query ran past its time limit and was stopped."""

    status = 504
    code = "query_timeout"


class CapabilityError(StoreError):
    """This backend cannot answer that, and refuses rather than approximates."""

    status = 501
    code = "not_supported"
