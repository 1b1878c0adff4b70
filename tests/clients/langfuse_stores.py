"""What an application does with Langfuse's prompts and datasets, by its SDK of any generation; prints what it got.

Run in a client's own environment, with the settings that Langfuse's documentation names.
"""

from __future__ import annotations

import json
import time
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


def datasets(client: Any) -> dict[str, Any]:
    """Make a dataset, run an experiment over it, and read what there is."""
    client.create_dataset(name="folder/cities", description="where it rains", metadata={"team": "weather"})
    for city, expected in (("Paris", "rain"), ("Rome", "sun")):
        client.create_dataset_item(
            dataset_name="folder/cities", id=city.lower(), input={"city": city}, expected_output=expected
        )
    client.create_dataset_item(dataset_name="folder/cities", id="rome", expected_output="heat")
    found = client.get_dataset("folder/cities")

    def task(*, item: Any, **_: Any) -> str:
        return "rain" if item.input["city"] == "Paris" else "snow"

    result = found.run_experiment(name="first try", run_name="try/1", task=task)
    client.flush()
    told = {
        "metadata": found.metadata,
        "items": sorted((one.id, one.input["city"], one.expected_output) for one in found.items),
        "outputs": sorted(one.output for one in result.item_results),
        "run": result.dataset_run_id,
    }
    if hasattr(client, "get_dataset_run"):
        run = client.get_dataset_run(dataset_name="folder/cities", run_name="try/1")
        told["read"] = [run.id, sorted(one.dataset_item_id for one in run.dataset_run_items)]
        told["runs"] = [one.name for one in client.get_dataset_runs(dataset_name="folder/cities").data]
    client.api.dataset_items.delete("rome")
    told["left"] = [one.id for one in client.get_dataset("folder/cities").items]
    return told


def sessions(client: Any) -> dict[str, Any] | None:
    """Send a session of two traces, and read it; None where the SDK has no calls for that."""
    if not hasattr(client.api, "sessions"):
        return None
    for number in (1, 2):
        with client.start_as_current_observation(
            name=f"turn {number}", as_type="span", input={"number": number}
        ) as span:
            if hasattr(span, "update_trace"):
                span.update_trace(session_id="talk/1", user_id="ada", input={"number": number})
            else:
                from langfuse import propagate_attributes

                with propagate_attributes(session_id="talk/1", user_id="ada"):
                    client.start_observation(name="inner", input={"number": number}).end()
    client.flush()
    listed: list[str] = []
    for _ in range(100):
        listed = [one.id for one in client.api.sessions.list(limit=10).data]
        found = client.api.sessions.get("talk/1") if listed else None
        if found is not None and len(found.traces) == 2:
            return {
                "listed": listed,
                "users": [one.user_id for one in found.traces],
                "told": sorted(map(_number, found.traces)),
            }
        time.sleep(0.2)
    return {"listed": listed}


def _number(trace: Any) -> int:
    return int(trace.input["number"])


if __name__ == "__main__":
    found = Langfuse()
    print(json.dumps({"prompts": prompts(found), "datasets": datasets(found), "sessions": sessions(found)}))  # noqa: T201 - the test reads it
    found.flush()
