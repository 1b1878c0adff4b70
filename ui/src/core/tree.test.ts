import { describe, expect, it } from "vitest";
import { buildTree, filterTree, visibleRows, type TreeSpan } from "./tree";

const span = (id: string, parent: string | null, startMs: number, ms = 10): TreeSpan => ({
  span_id: id,
  parent_span_id: parent,
  start_time: `2026-11-24T10:00:00.${startMs.toString().padStart(3, "0")}000000Z`,
  duration_ns: `${ms * 1_000_000}`,
});
const ids = (spans: readonly TreeSpan[]): string[] => visibleRows(buildTree(spans), new Set()).map((row) => row.span.span_id);

describe("a tree of crooked spans", () => {
  it("shows an orphan at the root level, marked", () => {
    const rows = visibleRows(buildTree([span("a", null, 0), span("b", "gone", 5)]), new Set());
    expect(rows.map((row) => [row.span.span_id, row.depth, row.orphan])).toEqual([["a", 0, false], ["b", 0, true]]);
  });
  it("cuts a cycle at its earliest span and shows every span once", () => {
    expect(ids([span("c", "b", 7), span("b", "c", 3), span("a", null, 0)])).toEqual(["a", "b", "c"]);
  });
  it("shows a span that is its own parent once", () => {
    expect(ids([span("a", "a", 0)])).toEqual(["a"]);
  });
  it("shows a repeated span once", () => {
    expect(ids([span("a", null, 0), span("a", null, 0)])).toEqual(["a"]);
  });
  it("survives a chain of twenty thousand", () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => span(`s${index}`, index === 0 ? null : `s${index - 1}`, 0));
    expect(ids(chain)).toHaveLength(20_000);
  });
  it("is empty for no spans", () => {
    expect(buildTree([])).toEqual([]);
  });
});

describe("a tree of good spans", () => {
  const spans = [span("late", "root", 60, 40), span("root", null, 0, 100), span("early", "root", 10, 20), span("leaf", "early", 12, 2)];
  it("orders children by start, depth first", () => {
    expect(ids(spans)).toEqual(["root", "early", "leaf", "late"]);
  });
  it("places spans in the whole trace", () => {
    const late = visibleRows(buildTree(spans), new Set()).at(-1);
    expect([late?.offset, late?.width]).toEqual([0.6, 0.4]);
  });
  it("orders by the nanosecond", () => {
    const first = { ...span("x", "root", 10), start_time: "2026-11-24T10:00:00.010000001Z" };
    const second = { ...span("y", "root", 10), start_time: "2026-11-24T10:00:00.010000002Z" };
    expect(ids([second, first, span("root", null, 0)])).toEqual(["root", "x", "y"]);
  });
  it("leaves out what is folded", () => {
    expect(visibleRows(buildTree(spans), new Set(["early"])).map((row) => row.span.span_id)).toEqual(["root", "early", "late"]);
  });
  it("keeps the path to what matches", () => {
    const kept = filterTree(buildTree(spans), (each) => each.span_id === "leaf");
    expect(visibleRows(kept, new Set()).map((row) => row.span.span_id)).toEqual(["root", "early", "leaf"]);
  });
});
