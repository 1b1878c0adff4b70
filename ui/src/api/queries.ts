/** Server state, each question once. Components use these hooks and never `api` itself. */

import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from "@tanstack/react-query";
import { useEffect } from "react";
import { steadyNow, windowOf, type Filters } from "@/core/filters";
import { DOLLARS, type Display } from "@/core/format";
import { layOver } from "@/core/pages";
import { toIso, toMs } from "@/core/time";
import { api, ApiError, type TraceQuery, type Window } from "./client";
import { scoped } from "./project";
import type { TracePage, TraceRow } from "./types";

const PAGE = 100;
const POLL_MS = 2000;

/** The server's own state; asked every two seconds while the tab is seen. */
export function useStatus() {
  return useQuery({
    queryKey: scoped("status"),
    queryFn: ({ signal }) => api.status(signal),
    refetchInterval: POLL_MS,
    retry: false,
    staleTime: 1000,
  });
}

/** The currency that amounts are shown in; dollars until the server has answered. */
export function useDisplay(): Display {
  const { data } = useQuery({
    queryKey: scoped("status"),
    queryFn: ({ signal }) => api.status(signal),
    retry: false,
    staleTime: 60_000,
    select: (status) => status.display,
  });
  return data ?? DOLLARS;
}

/** When the first span started, for the window "all"; null when that cannot be told. */
function useBeginning(wanted: boolean) {
  return useQuery({
    queryKey: scoped("beginning"),
    enabled: wanted,
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const answer = await api.query("select min(start_time) from spans", signal);
      const first = answer.rows[0]?.[0];
      return typeof first === "string" ? toMs(first.includes("T") ? first : first.replace(" ", "T")) : null;
    },
  });
}

/** The newest trace, once there is one. */
export function useFirstTrace(wanted: boolean) {
  return useQuery({
    queryKey: scoped("first-trace"),
    enabled: wanted,
    queryFn: async ({ signal }) => (await api.traces({ limit: 1 }, signal)).items[0] ?? null,
  });
}

function traceQuery(filters: Filters): TraceQuery {
  const { service, environment, model, status, user, session, q } = filters;
  return { service, environment, model, status, user, session, q, ...isoWindow(filters, Date.now()) };
}

function isoWindow(filters: Filters, now: number, beginning?: number | null): Window {
  const { since = beginning ?? undefined, until } = windowOf(filters, now);
  return {
    since: since === undefined ? undefined : toIso(since),
    until: until === undefined ? undefined : toIso(until),
  };
}

function keyOf(filters: Filters): Filters {
  const key = { ...filters };
  delete key.live;
  return key;
}

/** Traces, page after page; while `live`, newer ones are laid over the list whenever the store has grown. */
export function useTraces(filters: Filters, live: boolean) {
  const client = useQueryClient();
  const key = scoped("traces", keyOf(filters));
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => api.traces({ ...traceQuery(filters), limit: PAGE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: TracePage) => page.next_cursor ?? undefined,
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const revision = useStatus().data?.revision;
  const head = useQuery({
    queryKey: scoped("traces-head", keyOf(filters), revision),
    enabled: live && list.isSuccess,
    gcTime: 0,
    queryFn: ({ signal }) => api.traces({ ...traceQuery(filters), limit: PAGE }, signal),
  });
  const fresh = head.data;
  useEffect(() => {
    if (fresh === undefined) return;
    const known = client.getQueryData<InfiniteData<TracePage, string | undefined>>(key);
    if (known === undefined) return;
    const rows = known.pages.flatMap((page) => page.items);
    const merged = layOver(fresh.items, rows, fresh.next_cursor !== null);
    const pages = merged === null ? [fresh] : [{ items: merged, next_cursor: known.pages.at(-1)?.next_cursor ?? null }];
    client.setQueryData(key, { pages, pageParams: [undefined] });
    // Only a new answer is laid over; the key is the filters' and changes with them.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [fresh]);
  const rows: TraceRow[] = list.data?.pages.flatMap((page) => page.items) ?? [];
  return { list, rows };
}

/** Figures of a window; sliding windows follow the store's revision, at most one question a second or so. */
export function useOverview(filters: Filters, buckets: number, live: boolean) {
  const all = filters.range === "all";
  const beginning = useBeginning(all);
  const revision = useStatus().data?.revision;
  return useQuery({
    queryKey: scoped("overview", filters.service, filters.range, filters.since, filters.until, buckets, live ? revision : null),
    enabled: !all || beginning.isFetched,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
    queryFn: ({ signal }) =>
      api.overview({ service: filters.service, buckets, ...isoWindow(filters, steadyNow(filters, Date.now()), beginning.data) }, signal),
  });
}

/** What there is to filter by in the window. */
export function useFacets(filters: Filters) {
  const all = filters.range === "all";
  const beginning = useBeginning(all);
  return useQuery({
    queryKey: scoped("facets", filters.range, filters.since, filters.until),
    enabled: !all || beginning.isFetched,
    placeholderData: keepPreviousData,
    refetchInterval: 20_000,
    queryFn: ({ signal }) => api.facets(isoWindow(filters, Date.now(), beginning.data), signal),
  });
}

/** One trace; a young one is read again while the store grows, since its spans may still arrive. */
export function useTrace(traceId: string) {
  const revision = useStatus().data?.revision;
  const client = useQueryClient();
  const found = useQuery({
    queryKey: scoped("trace", traceId),
    queryFn: ({ signal }) => api.trace(traceId, signal),
    retry: (times, error) => !(error instanceof ApiError) && times < 2,
  });
  const start = found.data?.trace.start_time;
  useEffect(() => {
    if (start === undefined || Date.now() - toMs(start) > 10 * 60_000) return;
    void client.invalidateQueries({ queryKey: scoped("trace", traceId) });
  }, [client, revision, start, traceId]);
  return found;
}

export function useSpan(traceId: string, spanId: string | undefined) {
  return useQuery({
    queryKey: scoped("trace", traceId, "span", spanId),
    enabled: spanId !== undefined,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.span(traceId, spanId ?? "", signal),
    retry: (times, error) => !(error instanceof ApiError) && times < 2,
  });
}

export function useSql() {
  return useMutation({
    mutationFn: async (sql: string) => {
      const started = performance.now();
      const answer = await api.query(sql);
      return { ...answer, tookMs: performance.now() - started };
    },
  });
}
