import { expect, test } from "vitest";
import { masked, maskedInAll } from "./masked";

test("nothing masked says nothing", () => {
  expect(masked({})).toBeNull();
  expect(masked({ email: 0 })).toBeNull();
});

test("kinds are named and ordered by how many", () => {
  expect(masked({ key: 1, email: 2 })).toEqual({ title: "3 values masked", kinds: "e-mail 2, key 1" });
  expect(masked({ private_key: 1 })).toEqual({ title: "1 value masked", kinds: "private key 1" });
});

test("dropped content is not called masked", () => {
  expect(masked({ content: 5 })).toEqual({ title: "5 values dropped", kinds: "" });
  expect(masked({ content: 1, key: 1 })).toEqual({ title: "1 value masked, 1 value dropped", kinds: "key 1" });
});

test("a failure of masking is said", () => {
  expect(masked({ failed: 1 })?.title).toBe("content dropped: masking failed");
});

test("a kind nobody named yet is shown as it is", () => {
  expect(masked({ passport: 1200 })).toEqual({ title: "1,200 values masked", kinds: "passport 1,200" });
});

test("the mark in a list says the sum", () => {
  expect(maskedInAll(1)).toBe("1 value masked or dropped on arrival");
});
