import { expect, it } from "vitest";
import { agentWords, roleName, tokenOf, waitWords } from "./people";

it("names the browser and the system of an agent", () => {
  expect([
    agentWords("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    agentWords("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"),
    agentWords("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"),
    agentWords("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1"),
    agentWords("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"),
  ]).toEqual(["Firefox on Linux", "Safari on macOS", "Edge on Windows", "Chrome on iOS", "Chrome on Android"]);
});
it("shows the beginning of an agent it does not know, and says when there is none", () => {
  expect([agentWords("curl/8.14.1"), agentWords("x".repeat(500)).length, agentWords(null)]).toEqual(["curl/8.14.1", 40, "An unnamed program"]);
});
it("reads a token from the fragment alone", () => {
  expect([tokenOf("#abc"), tokenOf("abc"), tokenOf("#"), tokenOf("")]).toEqual(["abc", "abc", null, null]);
});
it("says a wait in seconds, then in minutes", () => {
  expect([0, 44.2, 90, 601].map(waitWords)).toEqual(["1 s", "45 s", "2 min", "11 min"]);
});
it("shows a role it does not know as it is", () => {
  expect([roleName("admin"), roleName("owner"), roleName("auditor"), roleName(null)]).toEqual(["Admin", "Owner", "auditor", "none"]);
});
