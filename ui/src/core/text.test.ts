import { describe, expect, it } from "vitest";
import { parse, pretty, tokens } from "./json";
import { parseBlocks, parseInline } from "./markdown";
import { relative, toNs } from "./time";

describe("markdown-lite", () => {
  it("keeps HTML as text", () => {
    expect(parseBlocks("<img src=x onerror=alert(1)>")).toEqual([
      { kind: "paragraph", lines: [[{ kind: "text", text: "<img src=x onerror=alert(1)>" }]] },
    ]);
  });
  it("makes no links, whatever their scheme", () => {
    expect(parseInline("[x](javascript:alert(1))")).toEqual([{ kind: "text", text: "[x](javascript:alert(1))" }]);
  });
  it("ends an open code fence with the text", () => {
    expect(parseBlocks("```py\nx = 1")).toEqual([{ kind: "code", language: "py", text: "x = 1" }]);
  });
  it("leaves snake*case and lone stars alone", () => {
    expect(parseInline("a * b and 2*3*4")).toEqual([{ kind: "text", text: "a * b and 2*3*4" }]);
  });
  it("reads headings, lists and emphasis", () => {
    expect(parseBlocks("# T\n- **a**\n- `b`").map((block) => block.kind)).toEqual(["heading", "list"]);
  });
});

describe("json", () => {
  it("returns text that only looks like JSON", () => {
    expect([parse("[not"), pretty("hello")]).toEqual(["[not", "hello"]);
  });
  it("splits into tokens that join to the text again", () => {
    const text = pretty({ a: [1, -2.5e3, true, null], 'q"': 'x: "y"' });
    expect(tokens(text).map((token) => token.text).join("")).toBe(text);
    expect(tokens(text).filter((token) => token.kind === "key")).toHaveLength(2);
  });
});

describe("times", () => {
  it("keeps every nanosecond", () => {
    expect(toNs("2026-11-24T10:00:00.123456789Z") - toNs("2026-11-24T10:00:00Z")).toBe(123_456_789n);
  });
  it.each([
    [500, "now"],
    [12_000, "12 s ago"],
    [240_000, "4 m ago"],
    [3 * 3_600_000, "3 h ago"],
    [2 * 86_400_000, "2 d ago"],
  ])("says %d ms ago as %s", (ago, expected) => {
    expect(relative("2026-11-24T10:00:00Z", Date.parse("2026-11-24T10:00:00Z") + ago)).toBe(expected);
  });
});
