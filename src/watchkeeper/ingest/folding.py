"""A stream's pieces to the whole answer they make, in the shape that the same call gives without streaming."""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest.read import loads

__all__ = ["fold", "texts_joined"]

Piece = dict[str, Any]


def fold(pieces: list[Any]) -> dict[str, Any] | None:
    """Join the pieces of OpenAI's, Anthropic's or Gemini's stream; None where they are none of these."""
    told: list[Piece] = [one for one in pieces if isinstance(one, dict)]
    for one in reversed(told):
        if isinstance(whole := one.get("response"), dict):  # the Responses interface ends with the answer itself
            return whole
    if any(isinstance(one.get("choices"), list) for one in told):
        return _openai(told)
    if any(one.get("type") == "message_start" for one in told):
        return _anthropic(told)
    if any(isinstance(one.get("candidates"), list) for one in told):
        return _gemini(told)
    return None


def _openai(told: list[Piece]) -> Piece:
    whole: Piece = {}
    choices: dict[int, Piece] = {}
    for one in told:
        whole |= {key: value for key, value in one.items() if key != "choices" and value is not None}
        for part in _objects(one.get("choices")):
            _choice(choices.setdefault(_index(part), {"index": _index(part), "message": {}}), part)
    return {**whole, "choices": list(choices.values())}


def _choice(choice: Piece, part: Piece) -> None:
    delta, message = part.get("delta"), choice["message"]
    if isinstance(part.get("text"), str):
        delta = {"role": "assistant", "content": part["text"]}
    if part.get("finish_reason"):
        choice["finish_reason"] = part["finish_reason"]
    for key, value in delta.items() if isinstance(delta, dict) else ():
        if key == "tool_calls":
            for call in _objects(value):
                _call(message.setdefault("tool_calls", []), call)
        elif isinstance(value, str) and key != "role" and isinstance(message.get(key), str):
            message[key] += value
        elif value is not None:
            message.setdefault(key, value)


def _call(calls: list[Piece], piece: Piece) -> None:
    index, inner = _index(piece), _object(piece.get("function"))
    known = next((one for one in calls if one["index"] == index), None)
    if known is None:
        known = {**piece, "index": index, "function": {"name": "", "arguments": "", **inner}}
        calls.append(known)
    elif isinstance(more := inner.get("arguments"), str):
        known["function"]["arguments"] = f"{known['function']['arguments'] or ''}{more}"


def _anthropic(told: list[Piece]) -> Piece:
    whole: Piece = {}
    blocks: dict[int, Piece] = {}
    for one in told:
        kind, index = one.get("type"), _index(one)
        if kind == "message_start" and isinstance(one.get("message"), dict):
            whole = {**one["message"]}
        elif kind == "content_block_start" and isinstance(one.get("content_block"), dict):
            blocks[index] = {**one["content_block"]}
        elif kind == "content_block_delta" and isinstance(one.get("delta"), dict):
            _block(blocks.setdefault(index, {"type": "text"}), one["delta"])
        elif kind == "message_delta":
            whole |= one["delta"] if isinstance(one.get("delta"), dict) else {}
            whole["usage"] = {**_object(whole.get("usage")), **_object(one.get("usage"))}
    for block in blocks.values():
        if isinstance(block.get("pieces"), str):
            block["input"] = loads(block.pop("pieces"))
    return {**whole, "content": list(blocks.values())}


def _block(block: Piece, delta: Piece) -> None:
    for key in ("text", "thinking", "signature"):
        if isinstance(delta.get(key), str):
            block[key] = f"{block.get(key) or ''}{delta[key]}"
    if isinstance(delta.get("partial_json"), str):
        block["pieces"] = f"{block.get('pieces') or ''}{delta['partial_json']}"


def _gemini(told: list[Piece]) -> Piece:
    whole: Piece = {}
    candidates: dict[int, Piece] = {}
    for one in told:
        whole |= {key: value for key, value in one.items() if key != "candidates"}
        for part in _objects(one.get("candidates")):
            known = candidates.setdefault(_index(part), {"content": {"role": "model", "parts": []}})
            parts = _object(part.get("content")).get("parts")
            known["content"]["parts"] += parts if isinstance(parts, list) else []
            known |= {key: value for key, value in part.items() if key != "content"}
    for candidate in candidates.values():
        candidate["content"]["parts"] = texts_joined(candidate["content"]["parts"])
    return {**whole, "candidates": list(candidates.values())}


def texts_joined(parts: list[Any]) -> list[Any]:
    """Join the texts of Gemini's parts that follow each other."""
    found: list[Any] = []
    for part in parts:
        last = found[-1] if found else {}
        if _is_text(part) and _is_text(last) and part.get("thought") == last.get("thought"):
            found[-1] = {**last, "text": last["text"] + part["text"]}
        else:
            found.append(part)
    return found


def _is_text(part: Any) -> bool:  # noqa: ANN401 - JSON is any shape
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _object(value: Any) -> Piece:  # noqa: ANN401 - JSON is any shape
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Piece]:  # noqa: ANN401 - JSON is any shape
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _index(piece: Piece) -> int:
    index = piece.get("index")
    return index if isinstance(index, int) else 0
