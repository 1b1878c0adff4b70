/** The one place that speaks HTTP: same origin, typed answers, errors with the server's own words. */

import type { Facets, Overview, QueryAnswer, SpanDetail, Status, TraceDetail, TracePage } from "./types";

/** The server answered, but not with what was asked. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

/** No answer at all: the server is gone or the network is. */
export class OfflineError extends Error {
  constructor() {
    super("The Watchkeeper server does not answer.");
  }
}

type Parameters = Record<string, string | number | undefined>;

async function ask<T>(path: string, parameters: Parameters, init: RequestInit): Promise<T> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== undefined) query.set(key, String(value));
  const tail = query.size === 0 ? "" : `?${query.toString()}`;
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}${tail}`, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError();
  }
  if (!answer.ok) throw await problem(answer);
  return (await answer.json()) as T;
}

async function problem(answer: Response): Promise<Error> {
  if (answer.status === 502 || answer.status === 504) return new OfflineError();
  try {
    const body = (await answer.json()) as { error: { code: string; message: string; hint?: string | null } };
    return new ApiError(answer.status, body.error.code, body.error.message, body.error.hint ?? null);
  } catch {
    return new ApiError(answer.status, "unreadable", `The server answered ${answer.status}.`, null);
  }
}

export interface TraceQuery {
  service?: string | undefined;
  environment?: string | undefined;
  model?: string | undefined;
  status?: string | undefined;
  user?: string | undefined;
  session?: string | undefined;
  q?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

export interface Window {
  since?: string | undefined;
  until?: string | undefined;
}

export const api = {
  status: (signal: AbortSignal) => ask<Status>("/status", {}, { signal }),
  traces: (query: TraceQuery & { limit: number; cursor?: string | undefined }, signal: AbortSignal) =>
    ask<TracePage>("/traces", { ...query }, { signal }),
  trace: (traceId: string, signal: AbortSignal) =>
    ask<TraceDetail>(`/traces/${encodeURIComponent(traceId)}`, {}, { signal }),
  span: (traceId: string, spanId: string, signal: AbortSignal) =>
    ask<SpanDetail>(`/traces/${encodeURIComponent(traceId)}/spans/${encodeURIComponent(spanId)}`, {}, { signal }),
  overview: (query: Window & { service?: string | undefined; buckets: number }, signal: AbortSignal) =>
    ask<Overview>("/overview", { ...query }, { signal }),
  facets: (query: Window, signal: AbortSignal) => ask<Facets>("/facets", { ...query }, { signal }),
  query: (sql: string, signal?: AbortSignal) =>
    ask<QueryAnswer>("/query", {}, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sql }),
      ...(signal === undefined ? {} : { signal }),
    }),
};
