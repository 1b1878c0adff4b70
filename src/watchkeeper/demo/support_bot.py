"""A small support bot, instrumented with the public SDK alone: read it as an example.

`python -m watchkeeper.demo.support_bot ENDPOINT MODEL_URL` talks to the local model: one round of
conversations at once, then one every so often, until it is stopped. The first trace's id is its first line of output.
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from openai import BadRequestError, OpenAI
from opentelemetry import trace

import watchkeeper as wk

__all__ = ["Bot", "main"]

MODEL = "smollm2-135m-instruct"
PAUSE_SECONDS = 20

DOCUMENTS = (
    {"id": "returns", "content": "Returns are free within 30 days. Send the parcel back with the label from your order page."},
    {"id": "shipping", "content": "Orders placed before noon leave our warehouse the same day and arrive within 2 to 4 days."},
    {"id": "warranty", "content": "Every lamp has a warranty of two years. A broken switch is replaced at no cost."},
    {"id": "payment", "content": "We take cards, bank transfer and invoice. Invoices are due within 14 days."},
    {"id": "account", "content": "A forgotten password is reset on the sign-in page with the link we send by e-mail."},
)  # fmt: skip
ORDERS = {"A-1001": "shipped yesterday", "A-1002": "waiting for payment"}
QUESTIONS = (
    ("ada", "How do I send back a lamp I bought last week?"),
    ("grace", "When will order A-1001 arrive?"),
    ("alan", "The switch of my lamp is broken. What can I do?"),
    ("edsger", "Can I pay by invoice?"),
    ("barbara", "Where is my order A-9999?"),
)


class Bot:
    """Answers questions about an imaginary lamp shop."""

    def __init__(self, client: OpenAI) -> None:
        self._client = client
        self.trace_id = ""
        self.streams = False

    @wk.observe(name="POST /ask", kind="workflow")
    def ask(self, question: str) -> str:
        """Take a question as a web handler would: what fails inside becomes a polite answer."""
        context = trace.get_current_span().get_span_context()
        self.trace_id = f"{context.trace_id:032x}"
        try:
            return self.answer(question)
        except LookupError as error:
            return f"Sorry: {error.args[0]}."

    @wk.observe(name="support-bot", kind="agent")
    def answer(self, question: str) -> str:
        """Look things up, ask the model, and say what it said."""
        documents = self.retrieve(question)
        facts = "\n".join(one["content"] for one in documents)
        number = next((word.strip("?.,") for word in question.split() if word.startswith("A-")), None)
        if number is not None:
            facts += f"\nOrder {number} is {self.look_up_order(number)}."
        messages = [
            {
                "role": "system",
                "content": f"You are the support of a lamp shop. Answer in one short sentence.\n{facts}",
            },
            {"role": "user", "content": question},
        ]
        said = "".join(self._streamed(messages)) if self.streams else self._whole(messages)
        wk.score("answered", bool(said.strip()), source="code", evaluator="demo", comment="the model said something")
        return said

    @wk.observe(kind="retriever")
    def retrieve(self, query: str) -> list[dict[str, Any]]:
        """Return the two documents that share most words with the question."""
        words = {word.strip("?.,").lower() for word in query.split() if len(word) > 3}  # noqa: PLR2004 - skips the, a, how

        def shared(document: dict[str, str]) -> int:
            return len(words & {word.strip("?.,").lower() for word in document["content"].split()})

        best = sorted(DOCUMENTS, key=shared, reverse=True)[:2]
        return [{**one, "score": shared(one) / (len(words) or 1)} for one in best]

    @wk.observe(kind="tool")
    def look_up_order(self, number: str) -> str:
        """Return an order's state; an unknown number is an error, and is traced as one."""
        try:
            return ORDERS[number]
        except KeyError:
            raise LookupError(f"there is no order {number}") from None

    def _whole(self, messages: list[Any]) -> str:
        answer = self._client.chat.completions.create(model=MODEL, messages=messages, max_tokens=48, temperature=0.2)
        return answer.choices[0].message.content or ""

    def _streamed(self, messages: list[Any]) -> Iterator[str]:
        stream = self._client.chat.completions.create(
            model=MODEL, messages=messages, max_tokens=48, temperature=0.2, stream=True
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    @wk.observe(name="summarise-everything", kind="agent")
    def summarise(self, task: str) -> str:
        """Ask for more than the model's context holds: the call fails, and the failure is worth a look."""
        everything = " ".join(one["content"] for one in DOCUMENTS) * 200
        return self._whole([{"role": "user", "content": f"{task}: {everything}"}])


def main(endpoint: str, model_url: str) -> None:
    """Hold conversations until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wk.init(service="support-bot", endpoint=endpoint, environment="demo", release="1.0")
    bot = Bot(wk.wrap(OpenAI(base_url=model_url, api_key="none", max_retries=0)))
    for number, (user, question) in enumerate(itertools.cycle(QUESTIONS)):
        with wk.session(f"{user}-{number // len(QUESTIONS)}", user=user, tags=["demo"]):
            bot.streams = number % 2 == 1
            bot.ask(question)
        if number == len(QUESTIONS) - 1:
            with wk.session("nightly", user="cron", tags=["demo", "batch"]):
                _fail(bot)
        wk.flush()
        sys.stdout.write(json.dumps({"trace_id": bot.trace_id, "round": number // len(QUESTIONS)}) + "\n")
        sys.stdout.flush()
        if number >= len(QUESTIONS) - 1:
            stop.wait(PAUSE_SECONDS)
        if stop.is_set():
            break
    wk.shutdown()


def _fail(bot: Bot) -> None:
    try:
        bot.summarise("Summarise every document")
    except BadRequestError as error:
        sys.stderr.write(f"as intended: {error.message[:100]}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
