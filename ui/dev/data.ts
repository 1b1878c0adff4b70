/** Made-up traces of a support bot, for working on the pages without a server. */

import type { Score, SpanDetail, SpanRow, TraceRow } from "../src/api/types.ts";
import { conversation, QUESTIONS } from "./talk.ts";

export interface MadeTrace {
  trace: TraceRow;
  spans: SpanDetail[];
  scores: Score[];
}

interface Model {
  provider: string;
  model: string;
  /** nano-USD a token, null where no price is known. */
  input: number | null;
  output: number;
  speed: number;
}

const MODELS: readonly [Model, Model, Model, Model] = [
  { provider: "openai", model: "gpt-4o-mini", input: 150, output: 600, speed: 1 },
  { provider: "mistral_ai", model: "mistral-large-2512", input: 2000, output: 6000, speed: 1.7 },
  { provider: "anthropic", model: "claude-haiku-4-5", input: 1000, output: 5000, speed: 1.3 },
  { provider: "local", model: "SmolLM2-135M-Instruct", input: null, output: 0, speed: 3.1 },
];
const SERVICES = ["support-bot", "support-bot", "search-api", "mail-triage"] as const;

/** A small seeded generator: the same trace number gives the same trace. */
function dice(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const hex = (roll: () => number, length: number): string =>
  Array.from({ length }, () => Math.floor(roll() * 16).toString(16)).join("");
const nine = (ms: number): string => new Date(ms).toISOString().replace("Z", "417253Z");
const ns = (ms: number): string => Math.round(ms * 1e6).toString();

export function makeTrace(number: number, startMs: number): MadeTrace {
  const roll = dice(number + 1);
  const model = MODELS[Math.floor(roll() ** 1.8 * 4)] ?? MODELS[0];
  const service = SERVICES[Math.floor(roll() * 4)] ?? "support-bot";
  const fails = roll() < 0.07;
  const question = QUESTIONS[Math.floor(roll() * QUESTIONS.length)] ?? QUESTIONS[0];
  const traceId = hex(roll, 32);
  const base = blank(traceId, service, `user-${100 + Math.floor(roll() * 40)}`, `sess-${hex(roll, 8)}`);
  const pace = model.speed * (0.5 + roll() ** 3 * 5);
  const ids = Array.from({ length: 7 }, () => hex(roll, 16));
  let clock = startMs;
  const child = (index: number, ms: number, fields: Partial<SpanDetail>, parent = ids[0] ?? ""): SpanDetail => {
    const span = { ...base, span_id: ids[index] ?? "", parent_span_id: parent, start_time: nine(clock), duration_ns: ns(ms), ...fields };
    clock += ms + 3;
    return span;
  };
  const talk = conversation(question, fails);
  const call = (tokensIn: number, tokensOut: number, first: number): Partial<SpanDetail> => ({
    kind: "llm", operation: "chat", name: `chat ${model.model}`, provider: model.provider, model: model.model,
    request_model: model.model, response_model: model.model, response_id: `chatcmpl-${hex(roll, 12)}`,
    usage: { input_tokens: tokensIn, output_tokens: tokensOut, cache_read_tokens: Math.floor(tokensIn / 2) },
    cost: cost(model, tokensIn, tokensOut), time_to_first_token_ns: ns(first), streaming: true,
    parameters: { temperature: 0.2, max_tokens: 800 }, endpoint_host: "api.example.net", dialects: ["otel-genai"],
  });
  const spans: SpanDetail[] = [
    child(1, 18 + roll() * 60, { kind: "retriever", name: "retrieve help-centre", input: plain(question.ask), output: talk.documents }),
    child(2, 320 * pace, { ...call(412 + Math.floor(roll() * 900), 28, 140 * pace), finish_reasons: ["tool_calls"], input: talk.first, output: talk.callOut, tools: talk.tools }),
    child(3, 40 + roll() * 220, { kind: "tool", name: "execute_tool look_up_order", tool_name: "look_up_order", input: plain('{"order": "A-1042"}'), output: plain('{"status": "shipped", "carrier": "DHL", "eta": "2026-11-26"}') }),
  ];
  spans.push(
    child(4, 700 * pace, fails
      ? { ...call(980, 0, 0), usage: { input_tokens: 980 }, time_to_first_token_ns: null, status: "error", error_type: "RateLimitError", status_message: "Error code: 429 - rate limit reached for requests per minute: limit 500, used 500, requested 1. Please try again in 120ms.", input: talk.second }
      : { ...call(980 + Math.floor(roll() * 1400), 120 + Math.floor(roll() * 420), 190 * pace), finish_reasons: ["stop"], input: talk.second, output: talk.answer }),
    child(5, 9 + roll() * 10, { kind: "guardrail", name: "guard output", input: plain("secrets, exfiltration"), output: plain('{"passed": true}') }),
  );
  if (number % 9 === 0) spans.push(child(6, 30, { name: "POST /webhook", kind: "span" }, "00000000deadbeef"));
  const root = child(0, clock - startMs, {
    kind: "agent", name: "answer question", agent_name: "support", start_time: nine(startMs), parent_span_id: null,
    duration_ns: ns(clock - startMs), input: plain(question.ask), output: fails ? null : plain(question.answer), status: fails ? "error" : "ok",
    ...(fails ? { error_type: "RateLimitError", status_message: "Error code: 429 - rate limit reached" } : {}),
  });
  const all = [root, ...spans];
  return { trace: summary(all, root), spans: all, scores: number % 4 === 0 ? [score(root, roll())] : [] };
}

function plain(text: string): SpanDetail["input"] {
  return { messages: [], documents: [], text, mime_type: "text/plain" };
}

function cost(model: Model, input: number, output: number): SpanDetail["cost"] {
  if (model.input === null) {
    return { state: "unpriced", currency: "USD", detail: {}, reason: `no price is known for ${model.provider}/${model.model}` };
  }
  const cached = Math.floor(input / 2) * (model.input / 2);
  const fresh = (input - Math.floor(input / 2)) * model.input;
  const nano = (cached + fresh + output * model.output).toString();
  const detail = { input: fresh.toString(), cache_read: cached.toString(), output: (output * model.output).toString() };
  return { state: "computed", nano, nano_usd: nano, currency: "USD", source: "genai-prices", version: "2026-11-18", detail, reason: null };
}

function blank(traceId: string, service: string, user: string, session: string): SpanDetail {
  return {
    project: "default", trace_id: traceId, span_id: "", parent_span_id: null, service, environment: "production", release: "2.14.0",
    kind: "span", name: "", operation: null, start_time: "", duration_ns: "0", status: "ok", status_message: null, error_type: null,
    session_id: session, user_id: user, tags: ["beta-testers"], provider: null, model: null, request_model: null, response_model: null,
    response_id: null, usage: {}, cost: null, time_to_first_token_ns: null, streaming: null, finish_reasons: [], parameters: {},
    input: null, output: null, tools: [], tool_name: null, agent_name: null, prompt_name: null, prompt_version: null,
    endpoint_host: null, region: null, operator: null, model_digest: null, duplicate_of: null, dialects: [], mapper: 1, received_at: nine(Date.now()), masked: {}, notes: [],
    raw: { attributes: { "service.name": service, "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 412 }, resource: { "telemetry.sdk.language": "python" }, scope: { name: "watchkeeper", version: "0.1.0" }, events: [], links: [], logs: [] },
  };
}

function summary(spans: readonly SpanDetail[], root: SpanDetail): TraceRow {
  const calls = spans.filter((span) => span.kind === "llm");
  const priced = calls.filter((span) => span.cost?.state === "computed");
  const sum = (pick: (span: SpanDetail) => number): number => calls.reduce((total, span) => total + pick(span), 0);
  const { trace_id, name, service, environment, session_id, user_id, tags, start_time, duration_ns, status } = root;
  return {
    trace_id, name, service, environment, session_id, user_id, tags, start_time, duration_ns, status,
    spans: spans.length, calls: calls.length, errors: spans.filter((span) => span.status === "error").length,
    unpriced: calls.length - priced.length, masked: spans.reduce((total, span) => total + Object.values(span.masked).reduce((a, b) => a + b, 0), 0), models: [...new Set(calls.map((span) => span.model ?? ""))],
    input_tokens: sum((span) => span.usage.input_tokens ?? 0), output_tokens: sum((span) => span.usage.output_tokens ?? 0),
    cost_nano_usd: priced.length === 0 ? null : sum((span) => Number(span.cost?.nano_usd ?? 0)).toString(),
    input: root.input?.text ?? "", output: root.output?.text ?? "",
  };
}

function score(root: SpanDetail, value: number): Score {
  return {
    id: `score-${root.span_id}`, project: "default", name: "faithfulness", trace_id: root.trace_id, span_id: null, value: 0.6 + value * 0.4,
    source: "judge", evaluator: "faithfulness-judge", evaluator_version: "3", comment: "Every claim stands in a retrieved document.", time: root.start_time,
  };
}

export function toRow(span: SpanDetail): SpanRow {
  const { trace_id, span_id, parent_span_id, service, environment, kind, name, start_time, duration_ns, status, status_message } = span;
  const { error_type, session_id, user_id, provider, model, time_to_first_token_ns, tool_name, agent_name, duplicate_of } = span;
  return {
    trace_id, span_id, parent_span_id, service, environment, kind, name, start_time, duration_ns, status, status_message, error_type,
    session_id, user_id, provider, model, time_to_first_token_ns, tool_name, agent_name, duplicate_of,
    input_tokens: span.usage.input_tokens ?? null, output_tokens: span.usage.output_tokens ?? null,
    cost_state: span.cost?.state ?? null, cost_nano_usd: span.cost?.nano_usd ?? null,
    input: span.input?.text ?? (span.input === null ? "" : "…"), output: span.output?.text ?? (span.output === null ? "" : "…"),
  };
}
