/** A pretend server for `npm run dev` and `npm run preview`; never part of what ships. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import { makeTrace, toRow, type MadeTrace } from "./data.ts";
import { facets, overview } from "./figures.ts";
import { Gate } from "./people.ts";

const HOUR = 3_600_000;

function load(): MadeTrace[] {
  const now = Date.now();
  const size = Number(process.env["MOCK_TRACES"] ?? 900);
  // Thicker by day than by night, as real traffic is.
  return Array.from({ length: size }, (_, index) => {
    const share = index / size;
    return makeTrace(index, now - 24 * HOUR * (1 - share) ** 1.25 - 4000 * Math.abs(Math.sin(index)));
  });
}

export function mockApi(): Plugin {
  const traces = load();
  const gate = new Gate();
  let revision = 1;
  const grow = (): void => {
    if (traces.length < 50_000) traces.push(makeTrace(traces.length, Date.now() - 1500));
    revision += 1;
  };
  const handle: Connect.NextHandleFunction = (request, response, next) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith("/api/v1/")) {
      next();
      return;
    }
    void (async () => {
      const sent = request.method === "GET" ? "" : await body(request);
      const gated = gate.answer(request.method ?? "GET", url.pathname.slice("/api/v1/".length), parsed(sent));
      if (gated === undefined) send(response, answer(url, sent, traces, revision));
      else send(response, gated.body, gated.status);
    })();
  };
  const start = (server: { middlewares: Connect.Server; httpServer: { on(event: "close", act: () => void): unknown } | null }): void => {
    server.middlewares.use(handle);
    const timer = setInterval(grow, 4000).unref();
    server.httpServer?.on("close", () => clearInterval(timer));
  };
  return { name: "watchkeeper-mock", configureServer: start, configurePreviewServer: start };
}

function parsed(text: string): Record<string, unknown> {
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function send(response: ServerResponse, body: unknown, status = body === undefined ? 404 : 200): void {
  response.statusCode = status;
  if (status === 204) {
    response.end();
    return;
  }
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body ?? { error: { code: "not_found", message: "there is no such trace", hint: null } }));
}

function answer(url: URL, sent: string, traces: readonly MadeTrace[], revision: number): unknown {
  const [, , , what, traceId, , spanId] = url.pathname.split("/");
  const ask = url.searchParams;
  switch (what) {
    case "status":
      return {
        version: "0.1.0-mock", ready: true, endpoint: "http://127.0.0.1:7070", grpc_port: 4317, revision,
        spans: traces.length * 6, scores: 0, pending_logs: 0, queued_bytes: 0, disk_bytes: 0, format_version: 1, prices: {},
      };
    case "overview":
      return overview(traces, ask);
    case "facets":
      return facets(traces);
    case "query":
      return query(sent, traces);
    case "traces":
      return traceId === undefined ? page(traces, ask) : one(traces, traceId, spanId);
    default:
      return undefined;
  }
}

function page(traces: readonly MadeTrace[], ask: URLSearchParams): unknown {
  const holds = (value: string | null, key: string): boolean => ask.get(key) === null || ask.get(key) === value;
  const text = ask.get("q")?.toLowerCase();
  const found = traces
    .map((made) => made.trace)
    .filter((row) => holds(row.service, "service") && holds(row.user_id, "user") && holds(row.session_id, "session") && holds(row.status, "status"))
    .filter((row) => ask.get("model") === null || row.models.includes(ask.get("model") ?? ""))
    .filter((row) => text === undefined || `${row.name} ${row.input} ${row.output}`.toLowerCase().includes(text))
    .filter((row) => row.start_time >= (ask.get("since") ?? "") && row.start_time < (ask.get("until") ?? "9"))
    .sort((a, b) => (a.start_time < b.start_time ? 1 : -1));
  const from = Number(ask.get("cursor") ?? 0);
  const limit = Number(ask.get("limit") ?? 50);
  return { items: found.slice(from, from + limit), next_cursor: from + limit < found.length ? String(from + limit) : null };
}

function one(traces: readonly MadeTrace[], traceId: string, spanId: string | undefined): unknown {
  const made = traces.find((each) => each.trace.trace_id === traceId);
  if (made === undefined) return undefined;
  if (spanId !== undefined) return made.spans.find((span) => span.span_id === spanId);
  const spans = made.spans.map(toRow).sort((a, b) => (a.start_time < b.start_time ? -1 : 1));
  return { trace: made.trace, spans, truncated: false, scores: made.scores };
}

function query(sql: string, traces: readonly MadeTrace[]): unknown {
  if (sql.includes("min(start_time)")) return { columns: ["min"], rows: [[traces[0]?.trace.start_time ?? null]], truncated: false };
  const rows = traces.slice(-40).map(({ trace }) => [trace.start_time, trace.service, trace.name, trace.models[0] ?? null, Number(trace.duration_ns) / 1e9, trace.trace_id]);
  return { columns: ["start_time", "service", "name", "model", "seconds", "trace_id"], rows, truncated: false };
}

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
