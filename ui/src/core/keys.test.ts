import { expect, it } from "vitest";
import { isLive, keyState, keyUses, wantedScopes } from "./keys";

const now = Date.parse("2026-11-25T12:00:00Z");
const key = (fields: object) => ({ expires_at: null, revoked_at: null, replaced_by: null, ...fields });

it("calls a revoked key revoked, whatever else is so", () => {
  expect(keyState(key({ revoked_at: "2026-11-25T11:00:00Z", expires_at: "2026-11-25T11:30:00Z", replaced_by: "pk-2" }), now)).toBe("revoked");
});
it("lets an expired key in no more, rotated or not", () => {
  const gone = key({ expires_at: "2026-11-25T12:00:00.000000000Z", replaced_by: "pk-2" });
  expect([keyState(gone, now), isLive(gone, now)]).toEqual(["expired", false]);
});
it("calls a rotated key retiring while the overlap lasts", () => {
  const old = key({ expires_at: "2026-11-26T12:00:00Z", replaced_by: "pk-2" });
  expect([keyState(old, now), isLive(old, now)]).toEqual(["retiring", true]);
});
it("warns of an expiry within two weeks and not before", () => {
  const found = ["2026-12-09T11:59:59Z", "2026-12-09T12:00:00Z"].map((time) => keyState(key({ expires_at: time }), now));
  expect(found).toEqual(["expiring", "active"]);
});
it("asks for admin alone, since it holds the others", () => {
  expect([wantedScopes(new Set(["read", "admin"] as const)), wantedScopes(new Set(["read", "ingest"] as const))]).toEqual([["admin"], ["ingest", "read"]]);
});
it("offers what the scopes allow and nothing more", () => {
  const ids = (...scopes: string[]) => keyUses("sk-1", scopes, "http://h").map((use) => use.id);
  expect([ids("read"), ids("ingest"), ids("admin")]).toEqual([["curl", "prometheus"], ["sdk", "otel"], ["sdk", "otel", "curl", "prometheus"]]);
});
it("writes the space of an OTLP header as OpenTelemetry reads it", () => {
  const otel = keyUses("sk-1", ["ingest"], "http://h").find((use) => use.id === "otel");
  expect(otel?.text).toContain('OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20sk-1"');
});
