import { expect, it } from "vitest";
import { layOver } from "./pages";

const row = (id: string, second: number, note = "") => ({ trace_id: id, start_time: `2026-11-24T10:00:${second.toString().padStart(2, "0")}Z`, note });

it("asks for a new read when a full page does not meet the list", () => {
  expect(layOver([row("z", 9)], [row("a", 1)], true)).toBeNull();
});
it("does not mind a short page that does not meet the list", () => {
  expect(layOver([row("z", 9)], [row("a", 1)], false)?.map((each) => each.trace_id)).toEqual(["z", "a"]);
});
it("puts new rows on top, renews known ones and repeats none", () => {
  const merged = layOver([row("c", 3), row("b", 2, "renewed")], [row("b", 2), row("a", 1)], true);
  expect(merged?.map((each) => each.trace_id + each.note)).toEqual(["c", "brenewed", "a"]);
});
it("sorts a late trace where its start belongs", () => {
  expect(layOver([row("late", 1)], [row("b", 2), row("a", 0)], false)?.map((each) => each.trace_id)).toEqual(["b", "late", "a"]);
});
