"""Anthropic's Messages API on loopback: JSON, its named SSE events, thinking, tools, cache usage, errors of both kinds."""

from __future__ import annotations

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests import fake_openai

MODEL = "claude-sonnet-5-20260901"
THOUGHT = "Bern is in Switzerland."
USAGE: dict[str, Any] = {
    "input_tokens": 10,
    "cache_read_input_tokens": 64,
    "cache_creation_input_tokens": 26,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 6},
    "output_tokens": 20,
    "output_tokens_details": {"thinking_tokens": 7},
    "service_tier": "standard",
}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Bern"}}


class Server(ThreadingHTTPServer):
    """Remembers the headers of the last request."""

    headers: dict[str, str]


class Handler(fake_openai.Handler):
    """One connection."""

    def do_POST(self) -> None:  # noqa: N802 - the base class names it
        """Answer a call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Server)
        self.server.headers = {name.lower(): value for name, value in self.headers.items()}
        if body.get("model") == "broken":
            self._json(500, _error("api_error", "the model is broken"))
        elif self.path.partition("?")[0].endswith("/count_tokens"):
            self._json(200, {"input_tokens": 100})
        elif body.get("stream"):
            self._sse(_events(body))
        else:
            self._json(200, message(blocks_for(body)))


def blocks_for(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the model says to a request."""
    answered = any(
        part.get("type") == "tool_result"
        for one in body["messages"]
        for part in (one["content"] if isinstance(one["content"], list) else ())
    )
    if body.get("tools") and not answered:
        # An MCP client offers the tool under its server's name too.
        named = [one["name"] for one in body["tools"] if str(one.get("name")).endswith(str(TOOL_USE["name"]))]
        return [{"type": "text", "text": "Let me look."}, TOOL_USE | ({"name": named[0]} if named else {})]
    thinking = [{"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}] if body.get("thinking") else []
    asked = (body.get("output_config") or {}).get("format")
    return [*thinking, {"type": "text", "text": '{"city": "Bern"}' if asked else fake_openai.ANSWER}]


def message(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a whole answer around blocks."""
    reason = "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn"
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": blocks, "stop_reason": reason,
        "stop_sequence": None, "usage": USAGE,
    }  # fmt: skip


def _events(body: dict[str, Any]) -> list[str]:
    whole = message(blocks_for(body))
    start = {**whole, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _pieces(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    if body.get("model") == "cut-off":
        events = [*events[:-1], _error("overloaded_error", "Overloaded")]
    else:
        told = {"output_tokens": USAGE["output_tokens"], "output_tokens_details": USAGE["output_tokens_details"]}
        delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        events += [{"type": "message_delta", "delta": delta, "usage": told}, {"type": "message_stop"}]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def _pieces(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "tool_use":
        text = json.dumps(block["input"])
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", text[:5], text[5:])]
        return {**block, "input": {}}, deltas
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": word} for word in (THOUGHT[:4], THOUGHT[4:])]
        return {**block, "thinking": "", "signature": ""}, [*deltas, {"type": "signature_delta", "signature": "c2ln"}]
    words = block["text"].split(" ")
    pieces = [word if n == 0 else " " + word for n, word in enumerate(words)]
    return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces]


def _error(kind: str, text: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}


def start() -> Server:
    """Serve on a free loopback port from a thread."""
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
