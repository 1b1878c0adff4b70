"""What an application does with media by Langfuse's SDK of any generation; prints what it got.

Run in a client's own environment, with the settings that Langfuse's documentation names.
"""

from __future__ import annotations

import base64
import json

import httpx
from langfuse import Langfuse  # type: ignore[import-not-found]  # in the client's environment alone
from langfuse.media import LangfuseMedia  # type: ignore[import-not-found]

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
URI = "data:image/png;base64," + base64.b64encode(PIXEL).decode()
PAGE = b"%PDF-1.7 a page"


if __name__ == "__main__":
    client = Langfuse()
    told = {}
    with (
        client.start_as_current_span(name="look")
        if hasattr(client, "start_as_current_span")
        else (client.start_as_current_observation(name="look", as_type="span")) as span
    ):
        told["trace"] = client.get_current_trace_id()
        image = {"type": "image_url", "image_url": {"url": URI}}
        span.update(
            input=[{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}],
            output={"file": LangfuseMedia(content_bytes=PAGE, content_type="application/pdf")},
        )
    client.flush()
    media = LangfuseMedia(base64_data_uri=URI)
    found = client.api.media.get(media._media_id)
    told["same"] = httpx.get(found.url).content == PIXEL
    told["about"] = [found.content_type, found.content_length]
    told["page"] = client.api.media.get(
        LangfuseMedia(content_bytes=PAGE, content_type="application/pdf")._media_id
    ).media_id
    told["reference"] = media._reference_string
    # Langfuse's own function reads the reference back as the text it was made from.
    whole = LangfuseMedia.resolve_media_references(
        obj={"a": [told["reference"]]}, langfuse_client=client, resolve_with="base64_data_uri"
    )
    told["resolved"] = whole == {"a": [URI]}
    print(json.dumps(told))  # noqa: T201 - the test reads it
