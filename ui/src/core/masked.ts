/** What was masked on arrival, in words. */

import { count } from "./format";

const NAMES: Readonly<Record<string, string>> = { email: "e-mail", private_key: "private key", iban: "IBAN" };

/** Kinds that stand for something else than a masked value. */
const DROPPED = "content";
const FAILED = "failed";

export const WHY = "Replaced on arrival, before anything was stored; docs/capture.md says what is recognised and how to set it.";

export interface Masked {
  /** "3 values masked", "5 values dropped", "content dropped: masking failed". */
  readonly title: string;
  /** "e-mail 2, key 1"; empty where there is nothing to list. */
  readonly kinds: string;
}

/** Sum up the counts by kind; null where nothing was masked. */
export function masked(counts: Readonly<Record<string, number>>): Masked | null {
  const kinds = Object.entries(counts)
    .filter(([kind, many]) => many > 0 && kind !== DROPPED && kind !== FAILED)
    .sort(([a, more], [b, less]) => less - more || a.localeCompare(b));
  const total = kinds.reduce((sum, [, many]) => sum + many, 0);
  const dropped = counts[DROPPED] ?? 0;
  const parts = [
    total > 0 ? `${values(total)} masked` : "",
    dropped > 0 ? `${values(dropped)} dropped` : "",
    (counts[FAILED] ?? 0) > 0 ? "content dropped: masking failed" : "",
  ].filter((part) => part !== "");
  if (parts.length === 0) return null;
  return { title: parts.join(", "), kinds: kinds.map(([kind, many]) => `${NAMES[kind] ?? kind} ${count(many)}`).join(", ") };
}

/** The mark's words in a list, where only the sum is known. */
export function maskedInAll(total: number): string {
  return `${values(total)} masked or dropped on arrival`;
}

function values(many: number): string {
  return `${count(many)} ${many === 1 ? "value" : "values"}`;
}
