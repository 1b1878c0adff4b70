import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { ModelRow } from "@/api/types";
import { DataTable, type Column } from "@/components/data-table";
import { Money } from "@/features/money";
import type { Filters } from "@/core/filters";
import { compact, count, duration, percent } from "@/core/format";
import { changed } from "@/features/traces/filter-line";

export function ModelTable({ models, filters }: { models: readonly ModelRow[]; filters: Filters }) {
  const columns = useMemo((): Column<ModelRow>[] => [
    {
      id: "model",
      title: "Model",
      value: (row) => row.model,
      cell: (row) => row.model === null ? <span className="muted">not reported</span> : <Link to="/traces" search={changed(filters, { model: row.model })}>{row.model}</Link>,
    },
    { id: "provider", title: "Provider", value: (row) => row.provider, cell: (row) => <span className="muted">{row.provider ?? "–"}</span> },
    { id: "requests", title: "Requests", value: (row) => row.requests, cell: (row) => count(row.requests), isNumber: true },
    { id: "errors", title: "Errors", value: (row) => row.errors / Math.max(1, row.requests), cell: (row) => <span className={row.errors > 0 ? "bad" : "muted"}>{percent(row.errors, row.requests)}</span>, isNumber: true },
    { id: "p50", title: "p50", value: (row) => BigInt(row.p50_ns), cell: (row) => duration(row.p50_ns), isNumber: true },
    { id: "p95", title: "p95", value: (row) => BigInt(row.p95_ns), cell: (row) => duration(row.p95_ns), isNumber: true },
    { id: "p99", title: "p99", value: (row) => BigInt(row.p99_ns), cell: (row) => duration(row.p99_ns), isNumber: true },
    { id: "input", title: "Tokens in", value: (row) => row.input_tokens, cell: (row) => compact(row.input_tokens), isNumber: true },
    { id: "output", title: "Tokens out", value: (row) => row.output_tokens, cell: (row) => compact(row.output_tokens), isNumber: true },
    {
      id: "cost",
      title: "Cost",
      value: (row) => (row.cost_nano_usd === null ? null : BigInt(row.cost_nano_usd)),
      cell: (row) => (
        <span className={row.cost_nano_usd === null ? "muted" : ""} title={row.unpriced > 0 ? `${count(row.unpriced)} calls unpriced` : undefined}>
          <Money nano={row.cost_nano_usd} />
          {row.cost_nano_usd !== null && row.unpriced > 0 ? "+" : ""}
        </span>
      ),
      isNumber: true,
    },
  ], [filters]);
  if (models.length === 0) return <p className="muted" style={{ padding: 14 }}>No model calls in this window.</p>;
  return <DataTable rows={models} columns={columns} label="Models" />;
}
