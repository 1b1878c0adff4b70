/** Fresh rows laid over the pages already read, without skipping or repeating a trace. */

export interface Identified {
  trace_id: string;
  start_time: string;
}

/**
 * Lay the newest rows over a list, newest first. Returns null when the two do not meet: more arrived
 * than one page holds, so the list must be read anew.
 */
export function layOver<T extends Identified>(fresh: readonly T[], list: readonly T[], pageFull: boolean): T[] | null {
  const known = new Set(list.map((row) => row.trace_id));
  if (pageFull && list.length > 0 && !fresh.some((row) => known.has(row.trace_id))) return null;
  const renewed = new Map(fresh.map((row) => [row.trace_id, row]));
  const kept = list.map((row) => renewed.get(row.trace_id) ?? row);
  const added = fresh.filter((row) => !known.has(row.trace_id));
  return [...added, ...kept].sort((a, b) => order(b, a));
}

function order(a: Identified, b: Identified): number {
  if (a.start_time !== b.start_time) return a.start_time < b.start_time ? -1 : 1;
  return a.trace_id < b.trace_id ? -1 : a.trace_id > b.trace_id ? 1 : 0;
}
