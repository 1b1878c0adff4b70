/** `/query` (beta): one SELECT over `spans` and `scores`. */

import { Link } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { useSql } from "@/api/queries";
import type { QueryAnswer } from "@/api/types";
import { DataTable, type Column } from "@/components/data-table";
import { Icon } from "@/components/icons";
import { count } from "@/core/format";
import { recall, remember } from "@/components/memory";
import { EXAMPLES } from "./examples";

export function QueryPage() {
  const [sql, setSql] = useState(() => recall("sql") ?? EXAMPLES[0]?.sql ?? "");
  const run = useSql();
  const box = useRef<HTMLTextAreaElement>(null);
  const ask = (text: string): void => {
    remember("sql", text);
    run.mutate(text);
  };
  return (
    <div className="scroll">
      <title>Query · Watchkeeper</title>
      <div className="page query">
        <header className="over-head">
          <h1>Query <span className="beta">beta</span></h1>
          <span className="muted">One SELECT over <code>spans</code> and <code>scores</code></span>
        </header>
        <div className="examples">
          {EXAMPLES.map((example) => (
            <button key={example.name} type="button" className="button small" onClick={() => { setSql(example.sql); ask(example.sql); }}>
              {example.name}
            </button>
          ))}
        </div>
        <textarea
          ref={box}
          aria-label="SQL"
          value={sql}
          spellCheck={false}
          onChange={(event) => setSql(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(sql);
          }}
        />
        <div className="row">
          <button type="button" className="button primary" disabled={run.isPending || sql.trim() === ""} onClick={() => ask(sql)}>
            {run.isPending ? "Running…" : "Run"}
          </button>
          <span className="muted hide-narrow"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span>
          <span className="grow" />
          {run.data !== undefined && (
            <span className="muted" role="status">
              {count(run.data.rows.length)} {run.data.rows.length === 1 ? "row" : "rows"}{run.data.truncated ? ", cut at the limit" : ""} in {Math.round(run.data.tookMs)} ms
            </span>
          )}
        </div>
        {run.isError && (
          <div className="fault" role="alert">
            <Icon name="warning" />
            <div className="grow"><strong>The query was not run</strong><pre>{run.error.message}</pre></div>
          </div>
        )}
        {run.data !== undefined && <Answer answer={run.data} />}
      </div>
    </div>
  );
}

const SHOWN = 500;

function Answer({ answer }: { answer: QueryAnswer }) {
  const columns = useMemo(
    () => answer.columns.map((title, index): Column<unknown[]> => ({
      id: `${index}`,
      title,
      value: (row) => sortable(row[index]),
      cell: (row) => <Cell value={row[index]} isTrace={title === "trace_id"} />,
      isNumber: answer.rows.some((row) => typeof row[index] === "number"),
    })),
    [answer],
  );
  const rows = useMemo(() => answer.rows.slice(0, SHOWN), [answer]);
  return (
    <section className="card table-box" aria-label="Result">
      <DataTable rows={rows} columns={columns} label="Result" />
      {answer.rows.length > SHOWN && <p className="muted" style={{ padding: 10 }}>The first {SHOWN} of {count(answer.rows.length)} rows are shown.</p>}
    </section>
  );
}

function sortable(value: unknown): string | number | null {
  if (typeof value === "number" || typeof value === "string") return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}

function Cell({ value, isTrace }: { value: unknown; isTrace: boolean }) {
  if (value === null || value === undefined) return <span className="muted">null</span>;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (isTrace && /^[0-9a-f]{32}$/.test(text)) return <Link to="/traces/$traceId" params={{ traceId: text }} className="mono">{text}</Link>;
  return <span title={text.length > 60 ? text.slice(0, 1000) : undefined}>{text.length > 300 ? `${text.slice(0, 300)}…` : text}</span>;
}
