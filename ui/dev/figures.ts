/** Figures over the made-up traces, worked out the slow way. */

import type { MadeTrace } from "./data.ts";

const BOUNDS = [10, 25, 50, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000, 3000, 4000, 6000, 10_000, 20_000, 60_000];

interface Call {
  at: number;
  ms: number;
  failed: boolean;
  model: string;
  provider: string;
  input: number;
  output: number;
  cost: number | null;
}

export function facets(traces: readonly MadeTrace[]): unknown {
  const unique = (values: (string | null)[]): (string | null)[] => [...new Set(values)].sort();
  return {
    services: unique(traces.map((made) => made.trace.service)),
    environments: ["production"],
    models: unique(traces.flatMap((made) => made.trace.models)),
    users: unique(traces.map((made) => made.trace.user_id)),
  };
}

export function overview(traces: readonly MadeTrace[], ask: URLSearchParams): unknown {
  const until = Date.parse(ask.get("until") ?? new Date().toISOString());
  const since = Date.parse(ask.get("since") ?? new Date(until - 86_400_000).toISOString());
  const buckets = Number(ask.get("buckets") ?? 60);
  const step = (until - since) / buckets;
  const within = traces.filter((made) => ask.get("service") === null || made.trace.service === ask.get("service"));
  const calls = within.flatMap(callsOf).filter((call) => call.at >= since && call.at < until);
  const models = [...new Set(calls.map((call) => call.model))].map((model) => {
    const own = calls.filter((call) => call.model === model);
    return { provider: own[0]?.provider ?? null, model, ...sums(own) };
  });
  return {
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    traces: within.filter((made) => Date.parse(made.trace.start_time) >= since).length,
    ...sums(calls),
    latency: {
      bounds: BOUNDS.map((ms) => String(ms * 1e6)),
      counts: [...BOUNDS, Infinity].map((high, index) => calls.filter((call) => call.ms <= high && call.ms > (BOUNDS[index - 1] ?? -1)).length),
    },
    models: models.sort((a, b) => Number(b.cost_nano_usd ?? -1) - Number(a.cost_nano_usd ?? -1)),
    buckets: Array.from({ length: buckets }, (_, index) => {
      const start = since + index * step;
      const own = calls.filter((call) => call.at >= start && call.at < start + step);
      const { cost_nano_usd, ...rest } = sums(own);
      return { start: new Date(start).toISOString(), ...rest, cost_nano_usd: cost_nano_usd ?? "0" };
    }),
    step_ns: String(Math.round(step * 1e6)),
  };
}

function callsOf(made: MadeTrace): Call[] {
  return made.spans
    .filter((span) => span.kind === "llm")
    .map((span) => ({
      at: Date.parse(span.start_time),
      ms: Number(span.duration_ns) / 1e6,
      failed: span.status === "error",
      model: span.model ?? "",
      provider: span.provider ?? "",
      input: span.usage.input_tokens ?? 0,
      output: span.usage.output_tokens ?? 0,
      cost: span.cost?.state === "computed" ? Number(span.cost.nano_usd) : null,
    }));
}

function sums(calls: readonly Call[]) {
  const sorted = calls.map((call) => call.ms).sort((a, b) => a - b);
  const rank = (share: number): string | null =>
    sorted.length === 0 ? null : String(Math.round((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) * 1e6));
  const priced = calls.flatMap((call) => (call.cost === null ? [] : [call.cost]));
  return {
    requests: calls.length,
    errors: calls.filter((call) => call.failed).length,
    unpriced: calls.length - priced.length,
    input_tokens: calls.reduce((sum, call) => sum + call.input, 0),
    output_tokens: calls.reduce((sum, call) => sum + call.output, 0),
    cost_nano_usd: priced.length === 0 ? null : String(priced.reduce((sum, cost) => sum + cost, 0)),
    p50_ns: rank(0.5),
    p95_ns: rank(0.95),
    p99_ns: rank(0.99),
  };
}
