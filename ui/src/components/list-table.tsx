/** A table of few rows with things to do in them; on a phone each row is a card. */

import type { ReactNode } from "react";

export interface ListColumn<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** The column of buttons: its title is for screen readers alone. */
  isActs?: boolean;
}

export function ListTable<T>({ label, rows, columns, idOf, isDim }: {
  label: string;
  rows: readonly T[];
  columns: readonly ListColumn<T>[];
  idOf: (row: T) => string;
  isDim?: (row: T) => boolean;
}) {
  // The roles are said aloud because the narrow layout takes them from the elements.
  return (
    <div className="table-box">
      <table className="list-table" role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.id} scope="col" role="columnheader">{column.isActs === true ? <span className="sr">{column.title}</span> : column.title}</th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={idOf(row)} role="row" data-row={idOf(row)} className={isDim?.(row) === true ? "dim" : ""}>
              {columns.map((column) => (
                <td key={column.id} role="cell" className={column.isActs === true ? "cell-acts" : ""} data-label={column.isActs === true ? undefined : column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
