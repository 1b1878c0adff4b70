"""An OpenAI-compatible server on loopback that speaks the true protocol: JSON, SSE with usage, tools, embeddings, errors.

Run as a script it prints its port and serves until it is killed, so that clients in other environments can use it.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "gpt-4o-mini-2024-07-18"
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 0},
}
TOOL_CALL: dict[str, Any] = {
    "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Bern"}'},
}  # fmt: skip
ANSWER = "It is sunny in Bern."
JSON_ANSWER = '{"city": "Bern"}'
REFUSAL = "I would rather not."
IMAGE_USAGE = {
    "input_tokens": 50, "output_tokens": 272, "total_tokens": 322,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens_details": {"image_tokens": 272, "text_tokens": 0},
}  # fmt: skip
SOUND_USAGE = {
    "type": "tokens", "input_tokens": 30, "output_tokens": 8, "total_tokens": 38,
    "input_token_details": {"audio_tokens": 26, "text_tokens": 4},
}  # fmt: skip
SLOW_SECONDS = 0.2
"""How long the model called "slow" thinks before it sends anything."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def do_POST(self) -> None:
        """Answer a call."""
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if "/audio/" in self.path:
            self._audio(sent)
            return
        body = json.loads(sent)
        if body.get("model") == "slow":
            time.sleep(SLOW_SECONDS)
        if body.get("model") == "broken":
            error = {"message": "the model is broken", "type": "server_error", "code": "broken"}
            self._json(500, {"error": error})
        elif self.path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}
            usage = {"prompt_tokens": 5, "total_tokens": 5}
            self._json(200, {"object": "list", "data": [vector], "model": "text-embedding-3-small", "usage": usage})
        elif "/images/" in self.path:
            self._json(200, {"created": 1, "data": [{"b64_json": "QUJD"}], "usage": IMAGE_USAGE})
        elif self.path.endswith("/completions") and "prompt" in body:
            choice = {"index": 0, "text": ANSWER, "finish_reason": "stop", "logprobs": None}
            told = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": MODEL}
            self._json(200, {**told, "choices": [choice], "usage": USAGE})
        elif self.path.endswith("/responses"):
            self._responses(body)
        elif body.get("stream"):
            self._stream(body)
        else:
            self._json(200, completion(message_of(body)))

    def _audio(self, sent: bytes) -> None:
        if self.path.endswith("/speech"):
            self.send_response(200)
            self.send_header("Content-Type", "audio/mpeg")
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ID3")
            return
        by_time = b"whisper-1" in sent
        self._json(200, {"text": ANSWER, "usage": {"type": "duration", "seconds": 3.5} if by_time else SOUND_USAGE})

    def _responses(self, body: dict[str, Any]) -> None:
        asked = body.get("text") or {}
        answer = _response(JSON_ANSWER if (asked.get("format") or {}).get("type", "text") != "text" else ANSWER)
        given = body["input"] if isinstance(body["input"], list) else []
        if body.get("tools") and not any(one.get("type") == "function_call_output" for one in given):
            call = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": TOOL_CALL["id"]}
            answer["output"] = [{**call, **TOOL_CALL["function"]}]
        if not body.get("stream"):
            self._json(200, answer)
            return
        events: list[dict[str, Any]] = [
            {"type": "response.created", "sequence_number": 0, "response": {**answer, "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0,
             "item": {**answer["output"][0], "content": [], "status": "in_progress"}},
            {"type": "response.content_part.added", "sequence_number": 2, "item_id": "m1", "output_index": 0, "content_index": 0,
             "part": {"type": "output_text", "text": "", "annotations": []}},
            {"type": "response.output_text.delta", "sequence_number": 3, "item_id": "m1", "output_index": 0, "content_index": 0,
             "delta": ANSWER, "logprobs": []},
            {"type": "response.completed", "sequence_number": 4, "response": answer},
        ]  # fmt: skip
        self._sse([f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events])

    def _stream(self, body: dict[str, Any]) -> None:
        message = message_of(body)
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if message.get("tool_calls"):
            call = message["tool_calls"][0]
            text = call["function"]["arguments"]
            opening = {**call, "index": 0, "function": {"name": call["function"]["name"], "arguments": ""}}
            deltas.append({"tool_calls": [opening]})
            deltas += [
                {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in (text[:5], text[5:])
            ]
        else:
            text = message["content"] or ANSWER
            *words, last = text[:-1].split(" ")
            deltas += [{"content": piece} for piece in (*(f"{word} " for word in words), last, text[-1])]
        chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        reason = "tool_calls" if message.get("tool_calls") else "stop"
        chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": reason}]))
        if (body.get("stream_options") or {}).get("include_usage"):
            chunks.append({**_chunk([]), "usage": USAGE})
        self._sse([f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"])

    def _sse(self, events: list[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in events:
                self.wfile.write(event.encode())
                self.wfile.flush()
        except ConnectionError:  # the reader left early, as some tests do
            self.wfile = io.BytesIO()

    def _json(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


def message_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return what the model says to a request."""
    answered = any(one.get("role") == "tool" for one in body.get("messages", []))
    if body.get("tools") and not answered:
        return {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
    if body.get("model") == "refuses":
        return {"role": "assistant", "content": None, "refusal": REFUSAL}
    if body.get("modalities") == ["text", "audio"]:
        sound = {"id": "audio_1", "data": "QUJD", "expires_at": 1, "transcript": ANSWER}
        return {"role": "assistant", "content": None, "audio": sound}
    return {"role": "assistant", "content": JSON_ANSWER if body.get("response_format") else ANSWER}


def completion(message: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer around a message."""
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    sound = {
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 40},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 15},
    }  # fmt: skip
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice],
        "usage": {**USAGE, **(sound if message.get("audio") else {})}, "system_fingerprint": "fp_1",
    }  # fmt: skip


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": choices}


def _response(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": content}
    usage = {
        "input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 7},
    }  # fmt: skip
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": MODEL, "output": [message],
        "usage": usage, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None,
        "incomplete_details": None, "instructions": None, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
    }  # fmt: skip


def start() -> ThreadingHTTPServer:
    """Serve on a free loopback port from a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{running.server_address[1]}\n")
    sys.stdout.flush()
    running.serve_forever()
