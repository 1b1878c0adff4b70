import { expect, it } from "vitest";
import { fill, isLoopback } from "./snippet";

const text = "export URL={{endpoint}}/v1\nexport KEY={{secret}}\nexport ID={{public}}\n";
const pair = { publicId: "pk-1", secret: "sk-1" };

it("says where a key belongs while there is none and one is needed", () => {
  expect(fill(text, "https://wk.example", null, true)).toBe("export URL=https://wk.example/v1\nexport KEY=sk-…\nexport ID=pk-…");
});
it("leaves out the lines of a key that nobody needs", () => {
  expect(fill(text, "http://127.0.0.1:7070", null, false)).toBe("export URL=http://127.0.0.1:7070/v1");
});
it("puts a key in where there is one, needed or not", () => {
  const filled = [true, false].map((needsKey) => fill(text, "http://h", pair, needsKey));
  expect(filled).toEqual(Array(2).fill("export URL=http://h/v1\nexport KEY=sk-1\nexport ID=pk-1"));
});
it("takes only this machine's addresses for loopback", () => {
  const addresses = ["http://127.0.0.1.example:7070", "http://wk.example", "http://localhost.example", "http://127.0.0.1:7070", "http://[::1]:7070", "http://localhost"];
  expect(addresses.map(isLoopback)).toEqual([false, false, false, true, true, true]);
});
