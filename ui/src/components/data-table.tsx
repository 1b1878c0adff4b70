/** A sortable table for results that are already here in full. */

import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable, type ColumnDef } from "@tanstack/react-table";
import type { ReactNode } from "react";

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

export type Sortable = string | number | bigint | null;

export interface Column<T> {
  id: string;
  title: string;
  /** What it is sorted by; big integers as bigint. */
  value: (row: T) => Sortable;
  cell?: (row: T) => ReactNode;
  isNumber?: boolean;
}

/** Nulls last, numbers and bigints by size, the rest by letters. */
export function compare(a: Sortable, b: Sortable): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === "string" || typeof b === "string") return String(a).localeCompare(String(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

export function DataTable<T extends object>({ rows, columns, label }: { rows: readonly T[]; columns: readonly Column<T>[]; label: string }) {
  const defs: ColumnDef<typeof features, T>[] = columns.map((column) => ({
    id: column.id,
    header: column.title,
    accessorFn: column.value,
    sortFn: (a, b) => compare(column.value(a.original), column.value(b.original)),
    sortDescFirst: column.isNumber === true,
    cell: ({ row }) => (column.cell === undefined ? String(column.value(row.original) ?? "") : column.cell(row.original)),
  }));
  const table = useTable({ features, columns: defs, data: rows });
  const right = (id: string): string => (columns.find((column) => column.id === id)?.isNumber === true ? "right" : "");
  return (
    <table className="grid-table" aria-label={label}>
      <thead>
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id}>
            {group.headers.map((header) => {
              const sorted = header.column.getIsSorted();
              return (
                <th key={header.id} scope="col" className={right(header.column.id)} aria-sort={sorted === false ? "none" : sorted === "asc" ? "ascending" : "descending"}>
                  <button type="button" onClick={header.column.getToggleSortingHandler()}>
                    <table.FlexRender header={header} />
                    {sorted === false ? "" : sorted === "asc" ? " ↑" : " ↓"}
                  </button>
                </th>
              );
            })}
          </tr>
        ))}
      </thead>
      <tbody>
        {table.getRowModel().rows.map((row) => (
          <tr key={row.id}>
            {row.getAllCells().map((cell) => (
              <td key={cell.id} className={right(cell.column.id)} dir="auto">
                <table.FlexRender cell={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
