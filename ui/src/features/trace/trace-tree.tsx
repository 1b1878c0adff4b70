/** The spans as a tree with their waterfall, virtualised. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties } from "react";
import type { SpanRow } from "@/api/types";
import { Icon, kindIcon } from "@/components/icons";
import { Money } from "@/features/money";
import { compact, count, duration } from "@/core/format";
import { filterTree, visibleRows, type Node } from "@/core/tree";

interface Props {
  roots: readonly Node<SpanRow>[];
  total: number;
  selectedId: string | undefined;
  onSelect: (spanId: string) => void;
}

const ROW = 40;

export function TraceTree({ roots, total, selectedId, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const kept = useMemo(
    () => (wanted === "" ? roots : filterTree(roots, (span) => matches(span, wanted))),
    [roots, wanted],
  );
  const rows = useMemo(() => visibleRows(kept, collapsed), [kept, collapsed]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 15,
  });
  const at = rows.findIndex((row) => row.span.span_id === selectedId);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [virtual, at]);
  // Whoever opens a trace can walk its spans at once.
  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  const fold = useCallback((id: string, closed: boolean) => {
    setCollapsed((before) => {
      const next = new Set(before);
      if (closed) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  const go = (index: number): void => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (next !== undefined) onSelect(next.span.span_id);
  };
  const press = (key: string): boolean => {
    const row = rows[at];
    if (key === "ArrowDown" || key === "j") go(at + 1);
    else if (key === "ArrowUp" || key === "k") go(at - 1);
    else if (key === "Home") go(0);
    else if (key === "End") go(rows.length - 1);
    else if (row === undefined) return false;
    else if (key === "ArrowLeft") {
      if (row.children.length > 0 && !collapsed.has(row.span.span_id)) fold(row.span.span_id, true);
      else go(parentIndex(rows, at));
    } else if (key === "ArrowRight") {
      if (collapsed.has(row.span.span_id)) fold(row.span.span_id, false);
      else if (row.children.length > 0) go(at + 1);
    } else return false;
    return true;
  };
  return (
    <>
      <div className="tree-tools">
        <input className="field" aria-label="Filter spans" placeholder="Filter spans by name, kind or model" value={text} spellCheck={false} onChange={(event) => setText(event.target.value)} />
        <span className="muted">{wanted === "" ? count(total) : `${count(rows.length)} of ${count(total)}`} {total === 1 ? "span" : "spans"}</span>
        <button type="button" className="button small quiet" onClick={() => setCollapsed(collapsed.size > 0 ? new Set() : parents(roots))}>
          {collapsed.size > 0 ? "Unfold all" : "Fold all"}
        </button>
      </div>
      <div
        className="tree"
        ref={box}
        role="tree"
        aria-label="Spans"
        tabIndex={0}
        aria-activedescendant={selectedId === undefined ? undefined : `span-${selectedId}`}
        onKeyDown={(event) => {
          if (!event.ctrlKey && !event.metaKey && !event.altKey && press(event.key)) event.preventDefault();
        }}
      >
        <div role="none" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <TreeRow
                key={row.span.span_id}
                node={row}
                top={item.start}
                isSelected={item.index === at}
                isCollapsed={collapsed.has(row.span.span_id)}
                onSelect={onSelect}
                onFold={fold}
              />
            );
          })}
        </div>
      </div>
    </>
  );
}

function TreeRow({ node, top, isSelected, isCollapsed, onSelect, onFold }: {
  node: Node<SpanRow>;
  top: number;
  isSelected: boolean;
  isCollapsed: boolean;
  onSelect: (id: string) => void;
  onFold: (id: string, closed: boolean) => void;
}) {
  const { span } = node;
  const hasChildren = node.children.length > 0;
  const title = span.tool_name ?? span.name;
  return (
    <div
      id={`span-${span.span_id}`}
      className={`tree-row k-${span.kind}`}
      role="treeitem"
      aria-selected={isSelected}
      aria-level={node.depth + 1}
      aria-expanded={hasChildren ? !isCollapsed : undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(span.span_id)}
    >
      <div className="what" style={{ paddingLeft: `min(${node.depth * 14}px, 45%)` }}>
        {hasChildren ? (
          <button
            type="button"
            className={`fold ${isCollapsed ? "" : "open"}`}
            tabIndex={-1}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onFold(span.span_id, !isCollapsed);
            }}
          >
            <Icon name="chevron" />
          </button>
        ) : (
          <span className="fold" />
        )}
        <span className={`kind k-${span.kind}`} role="img" aria-label={span.kind} title={span.kind}><Icon name={kindIcon(span.kind)} /></span>
        <div className="words">
          <div className="title">
            <span className="clip" title={span.name}>{title === "" ? "(no name)" : title}</span>
            {span.status === "error" && <span className="dot error" title={span.error_type ?? "failed"} />}
            {node.orphan && <span className="tag" title={`Its parent ${span.parent_span_id ?? ""} is not in this trace`}>orphan</span>}
            {span.duplicate_of !== null && <span className="tag" title={`Span ${span.duplicate_of} tells the same call and is counted`}>seen twice</span>}
          </div>
          <Under span={span} />
        </div>
      </div>
      <Bar node={node} />
    </div>
  );
}

function Under({ span }: { span: SpanRow }) {
  return (
    <div className="under">
      <span>{duration(span.duration_ns)}</span>
      {span.model !== null && <span className="clip">{span.model}</span>}
      {(span.input_tokens !== null || span.output_tokens !== null) && (
        <span>{compact(span.input_tokens ?? 0)} → {compact(span.output_tokens ?? 0)} tok</span>
      )}
      {span.cost_state !== null && <Money nano={span.cost_nano_usd} />}
    </div>
  );
}

function Bar({ node }: { node: Node<SpanRow> }) {
  const { span, offset, width } = node;
  const first = span.time_to_first_token_ns;
  const share = first === null || span.duration_ns === "0" ? 0 : Math.min(1, Number(first) / Number(span.duration_ns));
  const place = (from: number, wide: number): CSSProperties => ({ left: `${from * 100}%`, width: `${wide * 100}%` });
  const label = duration(span.duration_ns);
  const side: CSSProperties =
    width > 0.3 ? { right: `${(1 - offset - width) * 100}%` } : offset + width < 0.7 ? { left: `${(offset + width) * 100}%` } : { right: `${(1 - offset) * 100}%` };
  return (
    <div className="when" title={first === null ? label : `${label}, first token after ${duration(first)}`}>
      <i style={place(offset, width)} />
      {share > 0.02 && <i className="first" style={place(offset, width * share)} />}
      <b className={width > 0.3 ? "inside" : ""} style={side}>{label}</b>
    </div>
  );
}

function matches(span: SpanRow, wanted: string): boolean {
  return [span.name, span.kind, span.model, span.tool_name, span.agent_name, span.service, span.status].some(
    (field) => field !== null && field.toLowerCase().includes(wanted),
  );
}

function parents(roots: readonly Node<SpanRow>[]): Set<string> {
  return new Set(visibleRows(roots, new Set()).filter((row) => row.children.length > 0).map((row) => row.span.span_id));
}

function parentIndex(rows: readonly Node<SpanRow>[], at: number): number {
  const depth = rows[at]?.depth ?? 0;
  for (let index = at - 1; index >= 0; index -= 1) if ((rows[index]?.depth ?? 0) < depth) return index;
  return at;
}
