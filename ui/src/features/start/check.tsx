/** Waits for the first span, and says what it was. */

import { Link } from "@tanstack/react-router";
import { useFirstTrace, useSpan, useTrace } from "@/api/queries";
import { Icon } from "@/components/icons";
import type { TraceRow } from "@/api/types";

export function Check({ arrived }: { arrived: boolean }) {
  const first = useFirstTrace(arrived).data;
  return (
    <div className={`waiting ${arrived ? "arrived" : ""}`} role="status" data-testid="first-span">
      {arrived ? <span className="tick"><Icon name="check" /></span> : <span className="ring" />}
      <span className="grow">
        {arrived ? "The first span is here." : "Waiting for the first span…"}
        {first !== undefined && first !== null && <Arrived trace={first} />}
      </span>
      {first !== undefined && first !== null && (
        <Link className="button primary" to="/traces/$traceId" params={{ traceId: first.trace_id }}>
          Open the first trace
        </Link>
      )}
    </div>
  );
}

/** Whose it is and in whose words it came. */
function Arrived({ trace }: { trace: TraceRow }) {
  const spans = useTrace(trace.trace_id).data?.spans ?? [];
  const telling = spans.find((span) => span.kind === "llm") ?? spans[0];
  const dialects = useSpan(trace.trace_id, telling?.span_id).data?.dialects;
  if (telling === undefined) return null;
  const words = dialects === undefined ? "" : dialects.length === 0 ? ", in words that say nothing of a model" : `, in the words of ${dialects.join(" and ")}`;
  return <span className="muted"> <b dir="auto">{telling.name}</b> from <b dir="auto">{telling.service}</b>{words}.</span>;
}
