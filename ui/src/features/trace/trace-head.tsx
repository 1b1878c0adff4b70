import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Score, TraceRow } from "@/api/types";
import { Ago, CopyButton, StatusDot, useNow } from "@/components/basics";
import { Money } from "@/features/money";
import { count, duration } from "@/core/format";
import { exact } from "@/core/time";
import { ScoreTag } from "./scores";

export function TraceHead({ trace, scores, truncated }: { trace: TraceRow; scores: Score[]; truncated: boolean }) {
  const now = useNow();
  return (
    <section className="trace-head" aria-label="Trace">
      <h1>
        <Link to="/traces" className="muted" aria-label="Back to all traces">
          Traces
        </Link>
        <span className="muted">/</span>
        <StatusDot status={trace.status} calm />
        <span className="clip" title={trace.name}>{trace.name === "" ? "(no name)" : trace.name}</span>
        {trace.errors > 0 && <span className="tag bad">{trace.errors === 1 ? "1 failed span" : `${trace.errors} failed spans`}</span>}
        {scores.filter((score) => score.span_id === null || score.span_id === undefined).slice(0, 4).map((score) => (
          <ScoreTag key={score.id} score={score} />
        ))}
        <span className="grow" />
        <span className="mono muted hide-narrow">{trace.trace_id}</span>
        <CopyButton text={trace.trace_id} label="Copy trace id" />
      </h1>
      <dl className="facts">
        <Fact name="Start"><span title={trace.start_time}>{exact(trace.start_time)}</span> <span className="muted">(<Ago time={trace.start_time} now={now} />)</span></Fact>
        <Fact name="Latency">{duration(trace.duration_ns)}</Fact>
        <Fact name="Tokens">{count(trace.input_tokens)} in <span className="muted">/</span> {count(trace.output_tokens)} out</Fact>
        <Fact name="Cost"><TraceCost trace={trace} /></Fact>
        <Fact name="Model calls">{count(trace.calls)}</Fact>
        <Fact name="Service"><Link to="/traces" search={{ service: trace.service }}>{trace.service}</Link>{trace.environment !== null && <span className="muted"> · {trace.environment}</span>}</Fact>
        {trace.session_id !== null && <Fact name="Session"><Link to="/traces" search={{ session: trace.session_id, range: "all" }}>{trace.session_id}</Link></Fact>}
        {trace.user_id !== null && <Fact name="User"><Link to="/traces" search={{ user: trace.user_id }}>{trace.user_id}</Link></Fact>}
        {trace.tags.length > 0 && <Fact name="Tags">{trace.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}</Fact>}
        {truncated && <Fact name="Shown">the first 5,000 of {count(trace.spans)} spans</Fact>}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function TraceCost({ trace }: { trace: TraceRow }) {
  if (trace.calls === 0) return <span className="muted">no model calls</span>;
  const without = `${trace.unpriced} of ${trace.calls} ${trace.calls === 1 ? "call" : "calls"} unpriced`;
  if (trace.cost_nano_usd === null) return <span className="muted" title={without}>unpriced</span>;
  return (
    <>
      <Money nano={trace.cost_nano_usd} />
      {trace.unpriced > 0 && <span className="muted"> + {without}</span>}
    </>
  );
}
