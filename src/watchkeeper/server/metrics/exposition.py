"""The two text formats Prometheus reads: OpenMetrics 1.0, with exemplars, and the classic 0.0.4.

prometheus-client writes about 100 lines a millisecond, holding the interpreter, and has to be asked for one child
a label set; here a label set's text is written once and a line is one f-string (ADR 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["CLASSIC", "OPENMETRICS", "Exemplar", "Kind", "Page", "wants_openmetrics"]

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CLASSIC = "text/plain; version=0.0.4; charset=utf-8"

Kind: TypeAlias = Literal["counter", "gauge", "histogram", "info"]


class Exemplar(NamedTuple):
    """A trace that fell into a bucket. `value` in the metric's unit, `at` in seconds since the epoch.

    The names and values of its labels are 63 characters, of the 128 that OpenMetrics allows.
    """

    trace_id: str
    span_id: str
    value: float
    at: float


def wants_openmetrics(accept: str) -> bool:
    """Say whether a scraper asks for OpenMetrics; without an Accept, or with any other, it gets the classic text."""
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media == "application/openmetrics-text":
            return not any(one.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for one in parameters)
    return False


class Page:
    """Writes families one after another, each whole before the next, as both formats demand."""

    def __init__(self, *, openmetrics: bool) -> None:
        self._open = openmetrics
        self._lines: list[str] = []
        self._name = ""

    def family(self, name: str, kind: Kind, text: str) -> None:
        """Begin a family. A counter's name is given without `_total`, an info's without `_info`."""
        self._name = name
        shown = name
        if not self._open:
            shown += {"counter": "_total", "info": "_info"}.get(kind, "")
            kind = "gauge" if kind == "info" else kind
        self._lines.append(f"# HELP {shown} {text}")
        self._lines.append(f"# TYPE {shown} {kind}")
        unit = name.rpartition("_")[2]
        if self._open and unit in {"seconds", "bytes"}:
            self._lines.append(f"# UNIT {shown} {unit}")

    def sample(self, labels: str, value: float, suffix: str = "") -> None:
        """Write one sample of the family; `suffix` is `_total` for a counter, `_info` for an info."""
        braced = f"{{{labels}}}" if labels else ""
        self._lines.append(f"{self._name}{suffix}{braced} {_number(value)}")

    def samples(self, found: Iterable[tuple[str, float]], suffix: str = "") -> None:
        """Write samples, a pair of labels and value each."""
        for labels, value in found:
            self.sample(labels, value, suffix)

    def histogram(
        self, labels: str, bounds: Sequence[str], counts: Sequence[int], total: float,
        exemplars: Sequence[Exemplar | None] = (),
    ) -> None:  # fmt: skip
        """Write a histogram. `bounds` are upper bounds as text, the last `+Inf`; `counts` are not yet cumulated."""
        lines, name = self._lines, self._name
        before = f"{labels}," if labels else ""
        seen = 0
        shown = self._open and any(exemplars)
        for index, bound in enumerate(bounds):
            seen += counts[index]
            one = exemplars[index] if shown else None
            tail = _exemplar(one) if one is not None else ""
            lines.append(f'{name}_bucket{{{before}le="{bound}"}} {seen}{tail}')
        braced = f"{{{labels}}}" if labels else ""
        lines.extend((f"{name}_sum{braced} {_number(total)}", f"{name}_count{braced} {seen}"))

    def encode(self) -> tuple[bytes, str]:
        """Return the body and its content type."""
        if self._open:
            self._lines.append("# EOF")
        body = "\n".join([*self._lines, ""]).encode()
        return body, OPENMETRICS if self._open else CLASSIC


def _exemplar(one: Exemplar) -> str:
    return f' # {{trace_id="{one.trace_id}",span_id="{one.span_id}"}} {_number(one.value)} {one.at:.3f}'


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
