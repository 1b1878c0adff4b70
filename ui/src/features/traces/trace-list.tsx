/** The dense, virtualised list of traces. */

import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { TraceRow } from "@/api/types";
import { Ago, Skeleton, StatusDot } from "@/components/basics";
import { Icon } from "@/components/icons";
import { Money } from "@/features/money";
import { compact, count, duration, names, nsToMs } from "@/core/format";
import { maskedInAll } from "@/core/masked";

interface Props {
  rows: readonly TraceRow[];
  current: number;
  now: number;
  hasMore: boolean;
  isLoadingMore: boolean;
  onEnd: () => void;
  narrow: boolean;
}

const HEAD = ["", "Start", "Name", "Service", "Model", "Input → output", "User", "Tokens in / out", "Latency", "Cost"];
const RIGHT = new Set(["Tokens in / out", "Latency", "Cost"]);

export function TraceList({ rows, current, now, hasMore, isLoadingMore, onEnd, narrow }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const fresh = useFresh(rows);
  const height = narrow ? 64 : 34;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 12,
    getItemKey: (index) => rows[index]?.trace_id ?? index,
  });
  useEffect(() => virtual.measure(), [virtual, height]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && last >= rows.length - 15) onEnd();
  }, [hasMore, isLoadingMore, last, rows.length, onEnd]);
  useEffect(() => {
    if (current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [virtual, current]);
  const slowest = rows.reduce((most, row) => Math.max(most, nsToMs(row.duration_ns)), 0);
  return (
    <div className="list" ref={box} role="table" aria-label="Traces" aria-rowcount={hasMore ? -1 : rows.length + 1} aria-colcount={HEAD.length}>
      <div className="list-head" role="row" aria-rowindex={1}>
        {HEAD.map((title) => (
          <div key={title} role="columnheader" className={RIGHT.has(title) ? "right" : ""}>
            {title === "" ? <span className="sr">Status</span> : title}
          </div>
        ))}
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative", minWidth: narrow ? 0 : 1080 }}>
        {items.map((item) => {
          const row = rows[item.index];
          return row === undefined ? null : (
            <Row
              key={item.key}
              row={row}
              index={item.index}
              top={item.start}
              isCurrent={item.index === current}
              isEntry={item.index === Math.max(current, 0)}
              isFresh={fresh.has(row.trace_id)}
              now={now}
              slowest={slowest}
            />
          );
        })}
      </div>
      {isLoadingMore && <div className="list-foot">Loading older traces…</div>}
    </div>
  );
}

interface RowProps {
  row: TraceRow;
  index: number;
  top: number;
  isCurrent: boolean;
  /** The one row that Tab reaches; j, k and the arrows go on from there. */
  isEntry: boolean;
  isFresh: boolean;
  now: number;
  slowest: number;
}

function Row({ row, index, top, isCurrent, isEntry, isFresh, now, slowest }: RowProps) {
  const ms = nsToMs(row.duration_ns);
  const look = `list-row ${isCurrent ? "current" : ""} ${isFresh ? "fresh" : ""}`;
  return (
    <Link
      to="/traces/$traceId"
      params={{ traceId: row.trace_id }}
      role="row"
      aria-rowindex={index + 2}
      className={look}
      style={{ transform: `translateY(${top}px)` }}
      tabIndex={isEntry ? 0 : -1}
      data-trace={row.trace_id}
    >
      <span role="cell"><StatusDot status={row.status} calm /></span>
      <span role="cell" className="muted clip"><Ago time={row.start_time} now={now} /></span>
      <span role="cell" className="name clip" title={row.name}>
        {row.name === "" ? "(no name)" : row.name}
        {row.masked > 0 && <span className="masked-mark" role="img" aria-label={maskedInAll(row.masked)} title={maskedInAll(row.masked)}><Icon name="mask" /></span>}
      </span>
      <span role="cell" className="clip muted" title={row.service}>{row.service}</span>
      <span role="cell" className="clip" title={row.models.join(", ")}>{row.models.length === 0 ? <span className="muted">–</span> : names(row.models)}</span>
      <span role="cell" className="talk" title={row.input}>
        <span className="clip ask">{row.input}</span>
        {row.output !== "" && <><span className="arrow">→</span><span className="clip say">{row.output}</span></>}
        {row.errors > 0 && row.output === "" && <><span className="arrow">→</span><span className="clip say failed">{row.errors === 1 ? "failed" : `${row.errors} spans failed`}</span></>}
      </span>
      <span role="cell" className="clip muted" title={row.user_id ?? ""}>{row.user_id ?? ""}</span>
      <span role="cell" className="right" title={`${count(row.input_tokens)} in, ${count(row.output_tokens)} out`}>
        {row.calls === 0 ? <span className="muted">–</span> : <>{compact(row.input_tokens)} <span className="muted">/</span> {compact(row.output_tokens)}</>}
      </span>
      <span role="cell" className="lat">
        {duration(row.duration_ns)}
        <span className="track" aria-hidden="true"><i style={{ width: `${(ms / Math.max(slowest, 1)) * 100}%` }} /></span>
      </span>
      <CostCell row={row} />
    </Link>
  );
}

function CostCell({ row }: { row: TraceRow }) {
  if (row.calls === 0) return <span role="cell" className="right muted">–</span>;
  if (row.cost_nano_usd === null) {
    return <span role="cell" className="right muted" title="No price is known for these calls">unpriced</span>;
  }
  const partly = row.unpriced > 0;
  return (
    <span role="cell" className="right" title={partly ? `${row.unpriced} of ${row.calls} calls have no price` : undefined}>
      <Money nano={row.cost_nano_usd} />
      {partly && <span className="muted">+</span>}
    </span>
  );
}

/** Traces that were not there before, for a moment after they come. */
function useFresh(rows: readonly TraceRow[]): ReadonlySet<string> {
  const known = useRef<Set<string> | null>(null);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const before = known.current;
    known.current = new Set(rows.map((row) => row.trace_id));
    if (before === null || before.size === 0) return;
    const newest = rows.slice(0, 100).filter((row) => !before.has(row.trace_id));
    if (newest.length === 0 || newest.length === rows.length) return;
    setFresh(new Set(newest.map((row) => row.trace_id)));
  }, [rows]);
  return fresh;
}

export function ListSkeleton() {
  return (
    <div className="list" aria-busy="true" aria-label="Loading traces">
      {Array.from({ length: 14 }, (_, index) => (
        <div key={index} className="row" style={{ height: 34, padding: "0 14px", gap: 14 }}>
          <Skeleton width={8} height={8} />
          <Skeleton width={60} />
          <Skeleton width={150} />
          <Skeleton width={100} />
          <Skeleton width="40%" />
          <Skeleton width={80} />
        </div>
      ))}
    </div>
  );
}
