import { describe, expect, it } from "vitest";
import { fromSearch, isNarrowed, readFilters, steadyNow, toSearch, windowOf } from "./filters";

describe("filters in the address", () => {
  it("drops what it does not know", () => {
    expect(readFilters({ status: "maybe", range: "9y", since: "yesterday", colour: "red", q: "" })).toEqual({});
  });
  it("drops an end before its beginning", () => {
    const since = "2026-11-24T10:00:00.000Z";
    expect(readFilters({ since, until: "2026-11-23T10:00:00Z" })).toEqual({ since });
  });
  it("lets a fixed window win over a sliding one", () => {
    expect(readFilters({ range: "7d", since: "2026-11-24T10:00:00Z" })).toEqual({ since: "2026-11-24T10:00:00.000Z" });
  });
  it("survives the way through the address, quotes and numbers included", () => {
    const filters = { q: '"42" & más', service: "a=b", user: "007", status: "error", range: "7d" } as const;
    expect(readFilters(fromSearch(toSearch(filters)))).toEqual(filters);
  });
  it("leaves defaults out", () => {
    expect(toSearch(readFilters({ range: "24h" }))).toBe("");
  });
});

describe("the window", () => {
  it("slides a day back unless told otherwise", () => {
    expect(windowOf({}, 100_000_000)).toEqual({ since: 13_600_000 });
  });
  it("slides in steps where figures are asked for", () => {
    expect([steadyNow({}, 250_000), steadyNow({ range: "1h" }, 9_999), steadyNow({ range: "all" }, 7)]).toEqual([240_000, 5_000, 7]);
  });
  it("has no edge for all", () => {
    expect(windowOf({ range: "all" }, 1)).toEqual({});
  });
  it("is fixed by its edges", () => {
    expect(windowOf({ since: "1970-01-01T00:00:01Z", until: "1970-01-01T00:00:02Z" }, 9)).toEqual({ since: 1000, until: 2000 });
  });
  it("does not count as narrowing", () => {
    expect([isNarrowed({ range: "1h", live: "off" }), isNarrowed({ user: "ada" })]).toEqual([false, true]);
  });
});
