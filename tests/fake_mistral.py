"""Mistral's API on loopback, where it differs from OpenAI's: usage unasked in the last chunk, whole tool calls, thinking."""

from __future__ import annotations

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests import fake_openai

MODEL = "mistral-medium-2508"
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "num_cached_tokens": 64}
TOOL_CALL = {"id": "D681PevKs", "function": {"name": "get_weather", "arguments": '{"city": "Bern"}'}, "index": 0}
THOUGHT = "Bern is in Switzerland."


class Handler(fake_openai.Handler):
    """One connection."""

    def do_POST(self) -> None:  # noqa: N802 - the base class names it
        """Answer a call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body.get("model") or body.get("agent_id")
        if model == "broken":
            self._json(500, {"object": "error", "message": "the model is broken", "type": "internal", "code": "3000"})
        elif model == "invalid":
            problem = {"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": None}
            self._json(422, {"detail": [problem]})
        elif self.path.endswith("/embeddings"):
            vectors = [
                {"object": "embedding", "index": n, "embedding": [0.1, 0.2, 0.3]} for n, _ in enumerate(body["input"])
            ]
            usage = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}
            self._json(
                200, {"id": "emb-1", "object": "list", "data": vectors, "model": "mistral-embed", "usage": usage}
            )
        elif body.get("stream"):
            self._stream(body)
        else:
            self._json(200, completion(answer_to(body)))

    def _stream(self, body: dict[str, Any]) -> None:
        message = answer_to(body)
        content = message["content"]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if message.get("tool_calls"):
            deltas.append({"content": "", "tool_calls": message["tool_calls"]})
        elif isinstance(content, list):
            deltas += [{"content": [part]} for part in content]
        else:
            deltas += [{"content": word + " "} for word in content.split()]
        chunks = [chunk(delta, None) for delta in deltas[:-1]]
        chunks.append({**chunk(deltas[-1], "tool_calls" if message.get("tool_calls") else "stop"), "usage": USAGE})
        if body.get("model") == "cut-off":
            self._sse([f"data: {json.dumps(one)}\n\n" for one in chunks[:-1]] + ["data: {not json}\n\n"])
        else:
            self._sse([f"data: {json.dumps(one)}\n\n" for one in chunks] + ["data: [DONE]\n\n"])


def answer_to(body: dict[str, Any]) -> dict[str, Any]:
    """Return what the model says to a request."""
    if body.get("tools") and not any(one["role"] == "tool" for one in body["messages"]):
        return {"role": "assistant", "content": "", "tool_calls": [TOOL_CALL], "prefix": False}
    if body.get("response_format", {}).get("type") == "json_schema":
        return {"role": "assistant", "content": '{"city": "Bern"}'}
    if body.get("model") == "magistral":
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}
        return {"role": "assistant", "content": [thinking, {"type": "text", "text": fake_openai.ANSWER}]}
    return {"role": "assistant", "content": fake_openai.ANSWER}


def completion(message: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer around a message."""
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {
        "id": "cmpl-1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice], "usage": USAGE,
    }  # fmt: skip


def chunk(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    """Return one chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "cmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}


def start() -> ThreadingHTTPServer:
    """Serve on a free loopback port from a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
