import { expect, it } from "vitest";
import { ahead } from "./time";

const now = Date.parse("2026-11-25T12:00:00Z");
const after = (seconds: number): string => ahead(new Date(now + 1000 * seconds).toISOString(), now);

it("says what is due as now and what is far as a date", () => {
  expect([after(-5), after(0), after(200 * 86_400).slice(0, 8)]).toEqual(["now", "now", "on 2027-"]);
});
it("says how long it is until then in one unit", () => {
  expect([after(30), after(600), after(24 * 3600), after(7 * 86_400)]).toEqual(["in 30 s", "in 10 m", "in 24 h", "in 7 d"]);
});
