/** The one place that speaks HTTP: same origin, typed answers, errors with the server's own words. */

import { currentProject } from "./project";
import type {
  Facets,
  Invitation,
  InvitationMade,
  Key,
  KeyMade,
  Link,
  Member,
  Overview,
  QueryAnswer,
  Role,
  Scope,
  Session,
  SessionRow,
  SignIn,
  SpanDetail,
  Status,
  TraceDetail,
  TracePage,
} from "./types";

/** The server answered, but not with what was asked. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
    /** When it may be asked again, in milliseconds since the epoch, where the server said so. */
    readonly retryAt: number | null = null,
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

const PROJECT = "X-Watchkeeper-Project";

async function ask<T>(path: string, parameters: Parameters, init: RequestInit, project = currentProject()): Promise<T> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== undefined) query.set(key, String(value));
  const tail = query.size === 0 ? "" : `?${query.toString()}`;
  const headers = new Headers(init.headers);
  if (project !== null) headers.set(PROJECT, project);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}${tail}`, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError();
  }
  if (!answer.ok) throw await problem(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Send a body, or none, to change something. */
function send<T = void>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  if (body === undefined) return ask<T>(path, {}, { method });
  return ask<T>(path, {}, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function problem(answer: Response): Promise<Error> {
  if (answer.status === 502 || answer.status === 504) return new OfflineError();
  const wait = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  const retryAt = Number.isFinite(wait) ? Date.now() + 1000 * wait : null;
  try {
    const body = (await answer.json()) as { error: { code: string; message: string; hint?: string | null } };
    return new ApiError(answer.status, body.error.code, body.error.message, body.error.hint ?? null, retryAt);
  } catch {
    return new ApiError(answer.status, "unreadable", `The server answered ${answer.status}.`, null, retryAt);
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
  projects: (signal?: AbortSignal) => ask<{ items: string[] }>("/projects", {}, signal === undefined ? {} : { signal }, null),
};

const part = encodeURIComponent;

/** Who is there, and what they may do. */
export const people = {
  session: (project: string | null, signal?: AbortSignal) =>
    ask<Session>("/session", {}, signal === undefined ? {} : { signal }, project),
  signIn: (who: SignIn) => send<Session>("POST", "/session", who),
  signOut: () => send("DELETE", "/session"),
  changePassword: (old: string, next: string) => send("PUT", "/session/password", { old, new: next }),
  sessions: (signal: AbortSignal) => ask<{ items: SessionRow[] }>("/sessions", {}, { signal }),
  endSession: (id: string) => send("DELETE", `/sessions/${part(id)}`),
  openLink: (token: string) => send<Link>("POST", "/links/open", { token }),
  acceptLink: (token: string, name: string | null, password: string) =>
    send<Session>("POST", "/links/accept", { token, name, password }),
  members: (signal: AbortSignal) => ask<{ items: Member[] }>("/members", {}, { signal }),
  setRole: (userId: string, role: Role) => send("PUT", `/members/${part(userId)}`, { role }),
  removeMember: (userId: string) => send("DELETE", `/members/${part(userId)}`),
  resetMember: (userId: string) => send<InvitationMade>("POST", `/members/${part(userId)}/reset`),
  invitations: (signal: AbortSignal) => ask<{ items: Invitation[] }>("/invitations", {}, { signal }),
  invite: (email: string, role: Role, expiresInHours: number) =>
    send<InvitationMade>("POST", "/invitations", { email, role, expires_in_hours: expiresInHours }),
  withdraw: (id: string) => send("DELETE", `/invitations/${part(id)}`),
};

export const keys = {
  list: (signal: AbortSignal) => ask<{ items: Key[] }>("/keys", {}, { signal }),
  create: (name: string, scopes: readonly Scope[], expiresInDays: number | null) =>
    send<KeyMade>("POST", "/keys", { name, scopes, expires_in_days: expiresInDays }),
  rotate: (publicId: string, overlapHours: number) =>
    send<KeyMade>("POST", `/keys/${part(publicId)}/rotate`, { overlap_hours: overlapHours }),
  revoke: (publicId: string) => send("DELETE", `/keys/${part(publicId)}`),
};
