/** A trace's spans as a tree, whatever is missing or crooked in them. */

import { toNs } from "./time";

export interface TreeSpan {
  span_id: string;
  parent_span_id: string | null;
  start_time: string;
  duration_ns: string;
}

export interface Node<S extends TreeSpan> {
  span: S;
  children: Node<S>[];
  depth: number;
  /** Its parent is not in the trace (not arrived, sampled away, or a cycle was cut here). */
  orphan: boolean;
  /** Where it lies in the trace, 0 to 1. */
  offset: number;
  width: number;
}

/**
 * Build the tree; children and roots in order of start. Every span appears exactly once: a span whose
 * parent is absent stands at the root level as an orphan, and a cycle is cut at its earliest span.
 */
export function buildTree<S extends TreeSpan>(spans: readonly S[]): Node<S>[] {
  const known = new Map<string, S>();
  for (const span of spans) if (!known.has(span.span_id)) known.set(span.span_id, span);
  const ordered = [...known.values()].map((span) => ({ span, start: toNs(span.start_time) }));
  ordered.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const children = new Map<string, S[]>();
  const tops: S[] = [];
  for (const { span } of ordered) {
    const parent = span.parent_span_id;
    if (parent === null || parent === "" || !known.has(parent)) tops.push(span);
    else children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const scale = extent(ordered);
  const seen = new Set<string>();
  const roots = tops.map((span) => grow(span, children, seen, scale, span.parent_span_id !== null && span.parent_span_id !== ""));
  // What no root reaches hangs in a cycle: cut each at its earliest span.
  for (const { span } of ordered) if (!seen.has(span.span_id)) roots.push(grow(span, children, seen, scale, true));
  return roots;
}

interface Extent {
  start: bigint;
  length: number;
}

function extent(ordered: readonly { span: TreeSpan; start: bigint }[]): Extent {
  let end = 0n;
  for (const { span, start } of ordered) {
    const stop = start + BigInt(span.duration_ns);
    if (stop > end) end = stop;
  }
  const start = ordered[0]?.start ?? 0n;
  return { start, length: Math.max(1, Number(end - start)) };
}

function grow<S extends TreeSpan>(
  top: S,
  children: ReadonlyMap<string, S[]>,
  seen: Set<string>,
  scale: Extent,
  orphan: boolean,
): Node<S> {
  const root = place(top, 0, orphan, scale);
  seen.add(top.span_id);
  // A stack, not recursion: agent loops nest thousands deep.
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const child of children.get(node.span.span_id) ?? []) {
      if (seen.has(child.span_id)) continue;
      seen.add(child.span_id);
      const grown = place(child, node.depth + 1, false, scale);
      node.children.push(grown);
      open.push(grown);
    }
  }
  return root;
}

function place<S extends TreeSpan>(span: S, depth: number, orphan: boolean, scale: Extent): Node<S> {
  const offset = Number(toNs(span.start_time) - scale.start) / scale.length;
  const width = Number(BigInt(span.duration_ns)) / scale.length;
  return { span, children: [], depth, orphan, offset, width: Math.min(width, 1 - offset) };
}

/** The rows to draw: depth first, children of collapsed nodes left out. */
export function visibleRows<S extends TreeSpan>(roots: readonly Node<S>[], collapsed: ReadonlySet<string>): Node<S>[] {
  const rows: Node<S>[] = [];
  const open = [...roots].reverse();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    rows.push(node);
    if (!collapsed.has(node.span.span_id)) open.push(...[...node.children].reverse());
  }
  return rows;
}

/** Keep the nodes that match and the path above them. */
export function filterTree<S extends TreeSpan>(roots: readonly Node<S>[], matches: (span: S) => boolean): Node<S>[] {
  const all = visibleRows(roots, new Set());
  const kept = new Map<Node<S>, Node<S>>();
  // Children come after their parents, so walking backwards sees every child before its parent.
  for (const node of all.reverse()) {
    const children = node.children.flatMap((child) => kept.get(child) ?? []);
    if (children.length > 0 || matches(node.span)) kept.set(node, { ...node, children });
  }
  return roots.flatMap((root) => kept.get(root) ?? []);
}
