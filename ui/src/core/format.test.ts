import { describe, expect, it } from "vitest";
import { compact, count, duration, DOLLARS, money, names, nanoToUnits, nsToMs, percent, shownMoney, size } from "./format";

describe("durations", () => {
  it("says nothing where nothing is known", () => {
    expect(duration(null)).toBe("–");
  });
  it.each([
    ["0", "0 ms"],
    ["840", "1 µs"],
    ["840000", "840 µs"],
    ["1500000", "1.5 ms"],
    ["12000000", "12 ms"],
    ["999600000", "1.00 s"],
    ["1240000000", "1.24 s"],
    ["45600000000", "45.6 s"],
    ["185000000000", "3 m 05 s"],
    ["7440000000000", "2 h 04 m"],
  ])("reads %s ns as %s", (ns, expected) => {
    expect(duration(ns)).toBe(expected);
  });
  it("does not lose digits beyond 2^53 ns", () => {
    expect(nsToMs("9007199254740993000")).toBe(9007199254740.993);
  });
});

describe("money", () => {
  it("is the word unpriced where there is no price, never $0", () => {
    expect(money(null)).toBe("unpriced");
  });
  it.each([
    ["0", "$0"],
    ["1", "$0.000000001"],
    ["123000", "$0.000123"],
    ["4499999", "$0.00450"],
    ["34100000", "$0.0341"],
    ["999999999", "$1.00"],
    ["1234567890", "$1.23"],
    ["12345678901234567890", "$12,345,678,901.23"],
    ["-270000", "-$0.000270"],
  ])("reads %s nano as %s", (nano, expected) => {
    expect(money(nano)).toBe(expected);
  });
  it("names other currencies", () => {
    expect([money("1500000000", "EUR"), money("1500000000", "CHF")]).toEqual(["€1.50", "1.50 CHF"]);
  });
  it("becomes units for charts", () => {
    expect(nanoToUnits("2500000000")).toBe(2.5);
  });
});

describe("counts", () => {
  it.each([
    [950, "950"],
    [9_999, "9,999"],
    [12_400, "12.4k"],
    [999_499, "999k"],
    [3_100_000, "3.1M"],
    [2_000_000_000, "2.0B"],
  ])("shortens %d to %s", (value, expected) => {
    expect(compact(value)).toBe(expected);
  });
  it("groups thousands", () => {
    expect(count(1_234_567)).toBe("1,234,567");
  });
  it.each([
    [0, 0, "0%"],
    [1, 1_000_000, "<0.01%"],
    [1, 200, "0.50%"],
    [1, 8, "12.5%"],
    [8, 8, "100%"],
  ])("%d of %d is %s", (part, whole, expected) => {
    expect(percent(part, whole)).toBe(expected);
  });
  it("says how large a text is", () => {
    expect([size(12), size(204_000), size(3_200_000)]).toEqual(["12 B", "204 kB", "3.2 MB"]);
  });
  it("names the first and counts the rest", () => {
    expect([names([]), names(["a"]), names(["a", "b", "c"])]).toEqual(["", "a", "a +2"]);
  });
});

describe("shownMoney", () => {
  const franc = { currency: "CHF", per_usd: "0.8", rate_day: "2026-10-30" };

  it("says unpriced where there is no amount, whatever the currency", () => {
    expect([shownMoney(null, DOLLARS), shownMoney(undefined, franc)]).toEqual(["unpriced", "unpriced"]);
  });

  it("leaves dollars as they are", () => {
    expect(shownMoney("12400000000", DOLLARS)).toBe("$12.40");
  });

  it("turns dollars into the currency by its rate, beyond 2^53 too", () => {
    expect(shownMoney("1500000000", franc)).toBe("1.20 CHF");
    expect(shownMoney("10000000000000000000", { currency: "EUR", per_usd: "0.5" })).toBe("€5,000,000,000.00");
  });
});
