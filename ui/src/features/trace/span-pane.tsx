/** The selected span: conversation, details, raw. */

import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useSpan } from "@/api/queries";
import type { Score, SpanDetail, SpanRow } from "@/api/types";
import { CopyButton, Skeleton, StatusDot, Tabs } from "@/components/basics";
import { Failure } from "@/components/failure";
import { Icon, kindIcon } from "@/components/icons";
import { Json } from "@/components/text";
import { Money } from "@/features/money";
import { compact, duration } from "@/core/format";
import { masked, WHY } from "@/core/masked";
import { Conversation } from "./conversation";
import { Details } from "./details";

const route = getRouteApi("/traces/$traceId");

export type SpanTab = "conversation" | "details" | "raw";

export function SpanPane({ traceId, row, scores }: { traceId: string; row: SpanRow; scores: readonly Score[] }) {
  const { tab = "conversation" } = route.useSearch();
  const navigate = useNavigate();
  const found = useSpan(traceId, row.span_id);
  const pick = (next: SpanTab): void =>
    void navigate({ to: "/traces/$traceId", params: { traceId }, search: { span: row.span_id, tab: next }, replace: true });
  const isChat = row.kind === "llm" || row.kind === "agent";
  return (
    <section className="pane" style={{ flex: 1 }} aria-label="Span">
      <div className="span-head">
        <h2>
          <span className={`kind k-${row.kind}`} title={row.kind}><Icon name={kindIcon(row.kind)} /></span>
          <span className="clip" title={row.name}>{row.name === "" ? "(no name)" : row.name}</span>
          <span className="grow" />
          <CopyButton text={row.span_id} label="Copy span id" />
        </h2>
        <div className="row wrap muted">
          <StatusDot status={row.status} />
          <span>{row.kind}</span>
          <span>{duration(row.duration_ns)}</span>
          {row.time_to_first_token_ns !== null && <span>first token {duration(row.time_to_first_token_ns)}</span>}
          {row.model !== null && <span className="tag">{row.provider === null ? row.model : `${row.provider} · ${row.model}`}</span>}
          {(row.input_tokens !== null || row.output_tokens !== null) && <span>{compact(row.input_tokens ?? 0)} in / {compact(row.output_tokens ?? 0)} out</span>}
          {row.cost_state !== null && <Money nano={row.cost_nano_usd} />}
          {found.data !== undefined && !found.isPlaceholderData && <MaskedBadge counts={found.data.masked} />}
        </div>
        <Tabs
          label="Span"
          value={tab}
          onPick={pick}
          options={[
            { id: "conversation", name: isChat ? "Conversation" : "Input & output" },
            { id: "details", name: "Details" },
            { id: "raw", name: "Raw" },
          ]}
        />
      </div>
      {found.isError ? (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <div className={`span-body ${found.isPlaceholderData ? "stale" : ""}`} role="tabpanel" tabIndex={0} aria-label={tab}>
          {row.status === "error" && <Fault row={row} />}
          {found.data !== undefined && !found.isPlaceholderData && <Notes notes={found.data.notes} />}
          {found.data === undefined ? <PaneSkeleton /> : <Tab tab={tab} span={found.data} scores={scores} />}
        </div>
      )}
    </section>
  );
}

function Tab({ tab, span, scores }: { tab: SpanTab; span: SpanDetail; scores: readonly Score[] }) {
  switch (tab) {
    case "conversation":
      return <Conversation key={span.span_id} span={span} />;
    case "details":
      return <Details span={span} scores={scores.filter((score) => score.span_id === span.span_id)} />;
    case "raw":
      return <Json value={span.raw} />;
  }
}

function MaskedBadge({ counts }: { counts: SpanDetail["masked"] }) {
  const told = masked(counts);
  if (told === null) return null;
  const text = told.kinds === "" ? told.title : `${told.title}: ${told.kinds}`;
  return (
    <span className="tag masked" role="note" aria-label={`${text}. ${WHY}`} title={WHY} tabIndex={0}>
      <Icon name="mask" />
      {text}
    </span>
  );
}

/** What was odd about the span as it came, and what was made of it. */
function Notes({ notes }: { notes: SpanDetail["notes"] }) {
  if (notes.length === 0) return null;
  return (
    <ul className="span-notes" aria-label="Notes">
      {notes.map((note) => (
        <li key={`${note.code} ${note.text}`} data-code={note.code}>
          <Icon name="warning" />
          <span dir="auto">{note.text}</span>
        </li>
      ))}
    </ul>
  );
}

function Fault({ row }: { row: SpanRow }) {
  return (
    <div className="fault" role="note" aria-label="Error">
      <Icon name="warning" />
      <div className="grow">
        <strong>{row.error_type ?? "Failed"}</strong>
        <pre dir="auto">{row.status_message ?? "The span ended with an error and said no more."}</pre>
      </div>
    </div>
  );
}

function PaneSkeleton() {
  return (
    <div className="section" aria-busy="true">
      <Skeleton height={60} />
      <Skeleton height={90} />
      <Skeleton height={40} width="70%" />
    </div>
  );
}
