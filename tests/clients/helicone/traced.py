"""Helicone's asynchronous logger, which traces with OpenLLMetry, set up as its documentation says.

The address comes from HELICONE_ASYNC_URL, the key from HELICONE_API_KEY.
"""

from __future__ import annotations

import os

from helicone_async import HeliconeAsyncLogger
from openai import OpenAI

from tests.clients.conversation import ENVIRONMENT, METADATA, RELEASE, SESSION, USER, talk

if __name__ == "__main__":
    logger = HeliconeAsyncLogger(base_url=os.environ["HELICONE_ASYNC_URL"])
    logger.init()
    logger.set_properties(
        {
            "Helicone-Session-Id": SESSION,
            "Helicone-Session-Path": "/answer",
            "Helicone-User-Id": USER,
            "Helicone-Property-Team": METADATA["team"],
            "Helicone-Property-Environment": ENVIRONMENT,
            "Helicone-Property-Release": RELEASE,
        }
    )
    talk(OpenAI(max_retries=0))
