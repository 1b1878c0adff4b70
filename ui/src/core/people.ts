/** Roles, scopes and sessions in plain words. */

export const ROLES = [
  { id: "viewer", name: "Viewer", meaning: "Reads everything in the project, prompts and answers included." },
  { id: "member", name: "Member", meaning: "Reads, and sends spans and scores." },
  { id: "admin", name: "Admin", meaning: "Everything: keys, members and erasure too." },
] as const;

export type RoleId = (typeof ROLES)[number]["id"];

/** The server takes no shorter one. */
export const PASSWORD_LEAST = 12;
export const PASSWORD_HINT = "12 characters or more: a few words that nobody else would put together.";

/** The name of a role as it is shown; an unknown one as it is. */
export function roleName(role: string | null): string {
  if (role === "owner") return "Owner";
  return ROLES.find((each) => each.id === role)?.name ?? role ?? "none";
}

const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\bChromium\//, "Chromium"],
  [/\b(?:HeadlessChrome|Chrome|CriOS)\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/\b(?:iPhone|iPad)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/** "Firefox on Linux" of a User-Agent header; its beginning where that cannot be told. */
export function agentWords(agent: string | null): string {
  if (agent === null || agent.trim() === "") return "An unnamed program";
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (browser === undefined) return agent.slice(0, 40);
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** A link's token: the address's fragment without its mark, null where there is none. */
export function tokenOf(hash: string): string | null {
  const token = hash.replace(/^#/, "").trim();
  return token === "" ? null : token;
}

/** "45 s", then "3 min": how long to wait. */
export function waitWords(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole < 90 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}
