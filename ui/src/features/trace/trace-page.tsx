/** `/traces/:traceId`: what happened, as a tree beside the selected span. */

import { getRouteApi, useNavigate, useRouter } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTrace } from "@/api/queries";
import type { SpanRow, TraceDetail } from "@/api/types";
import { Skeleton } from "@/components/basics";
import { Failure } from "@/components/failure";
import { Split } from "@/components/split";
import { useKeys } from "@/components/use-keys";
import { buildTree } from "@/core/tree";
import { SpanPane } from "./span-pane";
import { TraceHead } from "./trace-head";
import { TraceTree } from "./trace-tree";

const route = getRouteApi("/traces/$traceId");

export function TracePage() {
  const { traceId } = route.useParams();
  const found = useTrace(traceId);
  const router = useRouter();
  const navigate = useNavigate();
  useKeys({
    "[": () => (router.history.canGoBack() ? router.history.back() : void navigate({ to: "/traces" })),
    Escape: () => (router.history.canGoBack() ? router.history.back() : void navigate({ to: "/traces" })),
  });
  if (found.isPending) return <TraceSkeleton />;
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  return <Trace detail={found.data} />;
}

function Trace({ detail }: { detail: TraceDetail }) {
  const { span: wanted, tab } = route.useSearch();
  const navigate = useNavigate();
  const roots = useMemo(() => buildTree(detail.spans), [detail.spans]);
  const selected = detail.spans.find((span) => span.span_id === wanted) ?? firstToShow(detail.spans, roots[0]?.span);
  const select = (spanId: string): void =>
    void navigate({
      to: "/traces/$traceId",
      params: { traceId: detail.trace.trace_id },
      search: { span: spanId, ...(tab === undefined ? {} : { tab }) },
      replace: true,
    });
  return (
    <>
      <title>{`${detail.trace.name} · Watchkeeper`}</title>
      <TraceHead trace={detail.trace} scores={detail.scores} truncated={detail.truncated} />
      <Split
        left={<TraceTree roots={roots} total={detail.spans.length} selectedId={selected?.span_id} onSelect={select} />}
        right={
          selected === undefined ? null : (
            <SpanPane key={selected.trace_id} traceId={selected.trace_id} row={selected} scores={detail.scores} />
          )
        }
      />
    </>
  );
}

/** The root, unless it carries no content of its own and a model call under it does. */
function firstToShow(spans: readonly SpanRow[], root: SpanRow | undefined): SpanRow | undefined {
  if (root === undefined || root.input !== "" || root.output !== "" || root.status === "error") return root;
  return spans.find((span) => span.status === "error") ?? spans.find((span) => span.kind === "llm") ?? root;
}

function TraceSkeleton() {
  return (
    <div className="page" aria-busy="true" aria-label="Loading the trace" style={{ width: "100%" }}>
      <Skeleton height={22} width={320} />
      <Skeleton height={14} width="60%" />
      {[80, 60, 70, 50, 65].map((width, index) => (
        <Skeleton key={index} height={26} width={`${width}%`} />
      ))}
    </div>
  );
}
