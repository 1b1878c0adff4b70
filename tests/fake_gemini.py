"""Gemini's generateContent on loopback: whole, streamed as SSE, with a function call, thoughts and cached tokens; errors."""

from __future__ import annotations

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests import fake_openai

USAGE = {
    "promptTokenCount": 100, "cachedContentTokenCount": 64, "candidatesTokenCount": 13, "thoughtsTokenCount": 7,
    "totalTokenCount": 120,
}  # fmt: skip
ARGUMENTS = {"city": "Bern"}
CALL_ID = "call_1"


class Handler(fake_openai.Handler):
    """One connection."""

    def do_POST(self) -> None:  # noqa: N802 - the base class names it
        """Answer a call: `/v1beta/models/MODEL:METHOD`."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model, _, method = self.path.partition("?")[0].rpartition("/")[2].partition(":")
        if model == "broken":
            self._json(500, {"error": {"code": 500, "message": "the model is broken", "status": "INTERNAL"}})
        elif method == "countTokens":
            self._json(200, {"totalTokens": 100})
        elif method == "streamGenerateContent":
            pieces = _pieces(parts_of(body))
            answers = [answer(model, parts) for parts in pieces[:-1]]
            answers.append({**answer(model, pieces[-1], "STOP"), "usageMetadata": USAGE})
            self._sse([f"data: {json.dumps(one)}\r\n\r\n" for one in answers])
        else:
            self._json(200, {**answer(model, parts_of(body), "STOP"), "usageMetadata": USAGE})


def parts_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the model says to a request: a call for the weather once it is offered, else the answer."""
    answered = any("functionResponse" in part for one in body["contents"] for part in one.get("parts", ()))
    offered = [
        declared["name"] for tool in body.get("tools", ()) for declared in tool.get("functionDeclarations", ())
        if declared["name"].endswith("get_weather")
    ]  # fmt: skip
    if offered and not answered:
        return [{"functionCall": {"id": CALL_ID, "name": offered[0], "args": ARGUMENTS}}]
    return [{"text": fake_openai.ANSWER}]


def answer(model: str, parts: list[dict[str, Any]], reason: str | None = None) -> dict[str, Any]:
    """Return an answer, or a piece of one, around parts."""
    candidate = {"index": 0, "content": {"role": "model", "parts": parts}} | (
        {"finishReason": reason} if reason else {}
    )
    return {"candidates": [candidate], "modelVersion": model, "responseId": "response-1"}


def _pieces(parts: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    if "text" not in parts[0]:
        return [parts]
    words = parts[0]["text"].split(" ")
    return [[{"text": word if n == 0 else f" {word}"}] for n, word in enumerate(words)]


def start() -> ThreadingHTTPServer:
    """Serve on a free loopback port from a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
