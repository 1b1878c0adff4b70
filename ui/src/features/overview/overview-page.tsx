/** `/`: how the model calls are doing. */

import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useMemo, type ReactNode } from "react";
import { useDisplay, useFacets, useOverview } from "@/api/queries";
import type { Overview } from "@/api/types";
import { Pick, Skeleton } from "@/components/basics";
import { Chart } from "@/components/chart";
import { Failure } from "@/components/failure";
import { Histogram } from "@/components/histogram";
import { rateOf } from "@/features/money";
import { type Filters } from "@/core/filters";
import { compact, count, duration, durationMs, money, nanoToUnits, nsToMs, percent, shownMoney, shownNano, type Display } from "@/core/format";
import { toIso, toMs } from "@/core/time";
import { Start, useStart } from "@/features/start/start";
import { changed, RangePicker } from "@/features/traces/filter-line";
import { ModelTable } from "./model-table";

const route = getRouteApi("/");

export function OverviewPage() {
  return useStart() === "start" ? <Start /> : <Figures />;
}

function Figures() {
  const filters = route.useSearch();
  const navigate = useNavigate();
  const change = (next: Filters): void => void navigate({ to: "/", search: next });
  const found = useOverview(filters, 60, filters.until === undefined);
  const facets = useFacets(filters).data;
  return (
    <div className="scroll">
      <title>Overview · Watchkeeper</title>
      <div className="page">
        <header className="over-head">
          <h1>Overview</h1>
          <Pick label="Service" value={filters.service} options={facets?.services ?? []} onPick={(service) => change(changed(filters, { service }))} />
          <RangePicker filters={filters} onChange={change} />
        </header>
        {found.data !== undefined ? (
          <Body overview={found.data} filters={filters} onWindow={(since, until) => change(changed(filters, { range: undefined, since: toIso(since), until: toIso(until) }))} />
        ) : found.isError ? (
          <Failure error={found.error} onRetry={() => void found.refetch()} />
        ) : (
          <Loading />
        )}
      </div>
    </div>
  );
}

function Body({ overview, filters, onWindow }: { overview: Overview; filters: Filters; onWindow: (since: number, until: number) => void }) {
  const display = useDisplay();
  const series = useMemo(() => {
    const of = (pick: (bucket: Overview["buckets"][number]) => number): number[] => overview.buckets.map(pick);
    return {
      times: of((bucket) => toMs(bucket.start) / 1000),
      good: of((bucket) => bucket.requests - bucket.errors),
      bad: of((bucket) => bucket.errors),
      input: of((bucket) => bucket.input_tokens),
      output: of((bucket) => bucket.output_tokens),
      cost: of((bucket) => nanoToUnits(shownNano(bucket.cost_nano_usd, display))),
    };
  }, [overview, display]);
  const step = nsToMs(overview.step_ns) / 1000;
  return (
    <>
      <Tiles overview={overview} filters={filters} />
      <div className="charts">
        <Card title="Requests" note="model calls, failed ones on top">
          <Chart times={series.times} step={step} onWindow={onWindow} format={count} stacked series={[
            { name: "ok", values: series.good, colour: "--blue-fill" },
            { name: "failed", values: series.bad, colour: "--bad-fill" },
          ]} />
        </Card>
        <Card title="Latency" note="how many calls took how long">
          <Histogram
            bounds={overview.latency.bounds.map(nsToMs)}
            counts={overview.latency.counts}
            marks={([["p50", overview.p50_ns], ["p95", overview.p95_ns], ["p99", overview.p99_ns]] as const).flatMap(([name, ns]) => ns === null ? [] : [{ name, ms: nsToMs(ns) }])}
            format={durationMs}
          />
        </Card>
        <Card title="Tokens" note="input and output">
          <Chart times={series.times} step={step} onWindow={onWindow} format={compact} stacked series={[
            { name: "input", values: series.input, colour: "--teal-fill" },
            { name: "output", values: series.output, colour: "--violet-fill" },
          ]} />
        </Card>
        <Card title="Cost" note={overview.unpriced > 0 ? `priced calls only; ${count(overview.unpriced)} unpriced` : rateOf(display) ?? "US dollars"}>
          <Chart times={series.times} step={step} onWindow={onWindow} format={(value) => money(BigInt(Math.round(value * 1e9)).toString(), display.currency)} series={[
            { name: "cost", values: series.cost, colour: "--accent-fill" },
          ]} />
        </Card>
      </div>
      <section className="card" aria-label="By model">
        <header>
          <h2>By model</h2>
          <span className="muted">dearest first</span>
        </header>
        <div className="table-box"><ModelTable models={overview.models} filters={filters} /></div>
      </section>
    </>
  );
}

function Card({ title, note, children }: { title: string; note: string; children: ReactNode }) {
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="muted clip">{note}</span>
      </header>
      <div className="body">{children}</div>
    </section>
  );
}

function Tiles({ overview, filters }: { overview: Overview; filters: Filters }) {
  const none = overview.requests === 0;
  const display = useDisplay();
  const failing: Filters = changed(filters, { status: "error" });
  return (
    <div className="tiles">
      <Tile label="Requests" figure={count(overview.requests)} note={`in ${count(overview.traces)} ${overview.traces === 1 ? "trace" : "traces"}`} />
      <Tile
        label="Error rate"
        figure={none ? "–" : percent(overview.errors, overview.requests)}
        note={overview.errors === 0 ? "none failed" : <Link to="/traces" search={failing}>{count(overview.errors)} failed</Link>}
        alarm={overview.errors > 0}
      />
      <Tile label="Latency p50" figure={duration(overview.p50_ns)} note="half are slower" />
      <Tile label="Latency p95" figure={duration(overview.p95_ns)} note="1 in 20 is slower" />
      <Tile label="Latency p99" figure={duration(overview.p99_ns)} note="1 in 100 is slower" />
      <Tile
        label="Tokens"
        figure={compact(overview.input_tokens + overview.output_tokens)}
        note={`${compact(overview.input_tokens)} in, ${compact(overview.output_tokens)} out`}
      />
      <Tile
        label="Cost"
        figure={none ? "–" : overview.cost_shown === null ? "unpriced" : money(overview.cost_shown.nano, overview.cost_shown.currency)}
        title={overview.cost_shown?.rate_day ? `At the rate of ${overview.cost_shown.rate_day}` : undefined}
        note={costNote(overview, display)}
      />
      <Tile
        label="Unpriced calls"
        figure={count(overview.unpriced)}
        note={overview.unpriced === 0 ? "every call has a price" : "not in the cost"}
        title="Calls whose model is not in the price table, or that reported no tokens. They are left out of the cost instead of counting as $0."
      />
    </div>
  );
}

/** What a call costs, and what machines of one's own stood idle for, which is not in the figure. */
function costNote(overview: Overview, display: Display): string {
  const idle = overview.idle_shown === null || overview.idle_shown.nano === "0" ? "" : `${money(overview.idle_shown.nano, overview.idle_shown.currency)} idle beside it`;
  if (overview.cost_nano_usd === null || overview.requests === 0) return idle || "no call has a price";
  return [`${shownMoney(perCall(overview), display)} a call`, idle].filter(Boolean).join(", ");
}

function perCall(overview: Overview): string {
  const priced = BigInt(Math.max(1, overview.requests - overview.unpriced));
  return (BigInt(overview.cost_nano_usd ?? "0") / priced).toString();
}

function Tile({ label, figure, note, alarm = false, title }: { label: string; figure: string; note: ReactNode; alarm?: boolean; title?: string | undefined }) {
  return (
    <div className={`card tile ${alarm ? "alarm" : ""}`} title={title} data-tile={label}>
      <span className="label">{label}</span>
      <span className="figure">{figure}</span>
      <span className="note">{note}</span>
    </div>
  );
}

function Loading() {
  return (
    <div aria-busy="true" aria-label="Loading figures" className="tiles">
      {Array.from({ length: 8 }, (_, index) => <div key={index} className="card tile"><Skeleton width="50%" /><Skeleton height={22} width="70%" /><Skeleton width="60%" /></div>)}
    </div>
  );
}
