/** `/traces`: the filter line, the traffic, the list, the keys. */

import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";
import { useOverview, useTraces } from "@/api/queries";
import { Notice, useNow } from "@/components/basics";
import { Failure } from "@/components/failure";
import { Traffic } from "@/components/traffic";
import { useKeys } from "@/components/use-keys";
import { useNarrow } from "@/components/use-narrow";
import { isNarrowed, type Filters } from "@/core/filters";
import { nsToMs } from "@/core/format";
import { toIso, toMs } from "@/core/time";
import { Start, useStart } from "@/features/start/start";
import { changed, FilterLine, timeOnly } from "./filter-line";
import { ListSkeleton, TraceList } from "./trace-list";

const route = getRouteApi("/traces");

export function TracesPage() {
  return useStart() === "start" ? <Start /> : <Traces />;
}

function Traces() {
  const filters = route.useSearch();
  const navigate = useNavigate();
  const narrow = useNarrow();
  const now = useNow();
  const live = filters.live !== "off" && filters.until === undefined;
  const { list, rows } = useTraces(filters, live);
  const overview = useOverview(filters, narrow ? 40 : 90, live).data;
  const searchBox = useRef<HTMLInputElement>(null);
  const [currentId, setCurrentId] = useState<string | null>(null);
  const change = useCallback((next: Filters) => void navigate({ to: "/traces", search: next }), [navigate]);
  const current = rows.findIndex((row) => row.trace_id === currentId);
  const move = (by: number): void => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, current + by))];
    if (next !== undefined) setCurrentId(next.trace_id);
  };
  useKeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    PageDown: () => move(20),
    PageUp: () => move(-20),
    Enter: () => currentId !== null && void navigate({ to: "/traces/$traceId", params: { traceId: currentId } }),
    "/": () => searchBox.current?.focus(),
    Escape: () => (current >= 0 ? setCurrentId(null) : change(timeOnly(filters))),
  });
  const more = useCallback(() => void list.fetchNextPage(), [list]);
  const pickWindow = (since: number, until: number): void =>
    change(changed(filters, { range: undefined, since: toIso(since), until: toIso(until) }));
  return (
    <>
      <title>Traces · Watchkeeper</title>
      <h1 className="sr">Traces</h1>
      <FilterLine filters={filters} onChange={change} searchBox={searchBox} live={live} />
      <Traffic
        bars={(overview?.buckets ?? []).map((bucket) => ({ startMs: toMs(bucket.start), requests: bucket.requests, errors: bucket.errors }))}
        stepMs={overview === undefined ? 60_000 : nsToMs(overview.step_ns)}
        onPick={pickWindow}
      />
      {list.isPending ? (
        <ListSkeleton />
      ) : list.isError && rows.length === 0 ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : rows.length === 0 ? (
        <NothingFound filters={filters} onChange={change} />
      ) : (
        <TraceList
          rows={rows}
          current={current}
          now={now}
          hasMore={list.hasNextPage}
          isLoadingMore={list.isFetchingNextPage}
          onEnd={more}
          narrow={narrow}
        />
      )}
    </>
  );
}

function NothingFound({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  return (
    <Notice icon="search" title="No traces here">
      <p>{isNarrowed(filters) ? "Nothing in this window matches the filters." : "Nothing arrived in this window."}</p>
      <div className="row">
        {isNarrowed(filters) && (
          <button type="button" className="button" onClick={() => onChange(timeOnly(filters))}>
            Clear filters
          </button>
        )}
        {filters.range !== "all" && (
          <button type="button" className="button" onClick={() => onChange(changed(filters, { since: undefined, until: undefined, range: "all" }))}>
            Look at all time
          </button>
        )}
      </div>
    </Notice>
  );
}
