/** What is so with a key pair, and what to paste where it is used. */

import { toMs } from "./time";

export interface KeyTimes {
  expires_at: string | null;
  revoked_at: string | null;
  replaced_by: string | null;
}

export type KeyState = "active" | "expiring" | "retiring" | "expired" | "revoked";

const SOON_MS = 14 * 24 * 3_600_000;

/** Revoked and expired keys let nobody in; a retiring one was rotated and works for the overlap. */
export function keyState(key: KeyTimes, nowMs: number): KeyState {
  if (key.revoked_at !== null) return "revoked";
  const left = key.expires_at === null ? Infinity : toMs(key.expires_at) - nowMs;
  if (left <= 0) return "expired";
  if (key.replaced_by !== null) return "retiring";
  return left < SOON_MS ? "expiring" : "active";
}

export function isLive(key: KeyTimes, nowMs: number): boolean {
  const state = keyState(key, nowMs);
  return state !== "revoked" && state !== "expired";
}

/** What each scope lets its holder do, in plain words. */
export const SCOPES = [
  { id: "ingest", name: "Send", meaning: "Send spans and scores. It reads nothing back: right for an app." },
  { id: "read", name: "Read", meaning: "Read traces, prompts and answers included, figures, and run queries." },
  { id: "admin", name: "Administer", meaning: "All of the above, and make and revoke keys, invite people and erase data." },
] as const;

export type ScopeId = (typeof SCOPES)[number]["id"];

/** `admin` holds the others; it is asked for alone. */
export function wantedScopes(picked: ReadonlySet<ScopeId>): ScopeId[] {
  return picked.has("admin") ? ["admin"] : SCOPES.map((scope) => scope.id).filter((id) => picked.has(id));
}

export interface KeyUse {
  id: string;
  name: string;
  text: string;
}

/** Ready-made settings of a new key for what it may be used for. */
export function keyUses(secret: string, scopes: readonly string[], endpoint: string): KeyUse[] {
  const may = (scope: string): boolean => scopes.includes(scope) || scopes.includes("admin");
  const send: KeyUse[] = [
    { id: "sdk", name: "Watchkeeper", text: `export WATCHKEEPER_ENDPOINT=${endpoint}\nexport WATCHKEEPER_API_KEY=${secret}` },
    {
      id: "otel",
      name: "OpenTelemetry",
      // A space in a header's value is %20 in this variable.
      text: `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20${secret}"`,
    },
  ];
  const read: KeyUse[] = [
    { id: "curl", name: "curl", text: `curl -H "Authorization: Bearer ${secret}" '${endpoint}/api/v1/traces?limit=5'` },
    { id: "prometheus", name: "Prometheus", text: `scrape_configs:\n  - job_name: watchkeeper\n${endpoint.startsWith("https:") ? "    scheme: https\n" : ""}    authorization: {credentials: ${secret}}\n    static_configs: [{targets: ["${hostOf(endpoint)}"]}]` },
  ];
  return [...(may("ingest") ? send : []), ...(may("read") ? read : [])];
}

/** Host and port of an address, as Prometheus names a target. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}
