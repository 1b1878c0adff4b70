"""What an application does with Langfuse's prompts, by its SDK of any generation; prints what it got.

Run in a client's own environment, with the settings that Langfuse's documentation names.
"""

from __future__ import annotations

import json
from typing import Any

from langfuse import Langfuse  # type: ignore[import-not-found]  # in the client's environment alone


def prompts(client: Any) -> dict[str, Any]:
    """Make, read, move and miss prompts."""
    made = client.create_prompt(
        name="folder/greet", prompt="Hi {{who}}", labels=["production"], tags=["t"], config={"model": "m"},
        commit_message="first",
    )  # fmt: skip
    client.create_prompt(name="folder/greet", prompt="Hello {{who}}", labels=["staging"])
    chat = [{"role": "system", "content": "Be {{how}}"}, {"type": "placeholder", "name": "history"}]
    client.create_prompt(name="talk", type="chat", prompt=chat, labels=["production"])
    told = {
        "made": made.version,
        "production": client.get_prompt("folder/greet").compile(who="you"),
        "config": client.get_prompt("folder/greet").config,
        "version": client.get_prompt("folder/greet", version=2).prompt,
        "staging": client.get_prompt("folder/greet", label="staging").version,
        "latest": client.get_prompt("folder/greet", label="latest").version,
        "chat": client.get_prompt("talk", type="chat").compile(
            how="kind", history=[{"role": "user", "content": "Weather?"}]
        ),
        "fallback": client.get_prompt("nowhere", fallback="plan b", max_retries=0).prompt,
    }
    client.update_prompt(name="folder/greet", version=2, new_labels=["production"])
    told["moved"] = client.get_prompt("folder/greet", cache_ttl_seconds=0).version
    told["listed"] = [one.name for one in client.api.prompts.list().data]
    client.api.prompts.delete("talk")
    told["left"] = [one.name for one in client.api.prompts.list().data]
    return told


if __name__ == "__main__":
    found = Langfuse()
    print(json.dumps({"prompts": prompts(found)}))  # noqa: T201 - the test reads it
    found.flush()
