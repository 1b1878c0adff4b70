/** What the filter line says, as the page's address. Unknown or broken values are dropped, never an error. */

export const RANGES = ["15m", "1h", "24h", "7d", "all"] as const;
export type Range = (typeof RANGES)[number];

export const RANGE_MS: Record<Exclude<Range, "all">, number> = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
};

export const DEFAULT_RANGE: Range = "24h";

export interface Filters {
  q?: string;
  service?: string;
  environment?: string;
  model?: string;
  status?: "ok" | "error";
  user?: string;
  session?: string;
  range?: Range;
  since?: string;
  until?: string;
  live?: "off";
}

const TEXTS = ["q", "service", "environment", "model", "user", "session"] as const;

/** Read filters from an address's parameters. */
export function readFilters(search: Record<string, unknown>): Filters {
  const found: Filters = {};
  for (const key of TEXTS) {
    const value = search[key];
    if (typeof value === "string" && value !== "") found[key] = value;
  }
  if (search["status"] === "ok" || search["status"] === "error") found.status = search["status"];
  const range = RANGES.find((each) => each === search["range"]);
  if (range !== undefined && range !== DEFAULT_RANGE) found.range = range;
  const since = time(search["since"]);
  const until = time(search["until"]);
  if (since !== undefined) found.since = since;
  if (until !== undefined && (since === undefined || since < until)) found.until = until;
  if (found.since !== undefined || found.until !== undefined) delete found.range;
  if (search["live"] === "off") found.live = "off";
  return found;
}

function time(value: unknown): string | undefined {
  if (typeof value !== "string" || Number.isNaN(Date.parse(value))) return undefined;
  return new Date(value).toISOString();
}

/** Whether the window is fixed rather than sliding with the clock. */
export function isCustom(filters: Filters): boolean {
  return filters.since !== undefined || filters.until !== undefined;
}

/** The window in ms, sliding ones ending now; `since` undefined means everything. */
export function windowOf(filters: Filters, nowMs: number): { since?: number; until?: number } {
  if (isCustom(filters)) {
    return {
      ...(filters.since === undefined ? {} : { since: Date.parse(filters.since) }),
      ...(filters.until === undefined ? {} : { until: Date.parse(filters.until) }),
    };
  }
  const range = filters.range ?? DEFAULT_RANGE;
  return range === "all" ? {} : { since: nowMs - RANGE_MS[range] };
}

/** Now, for a sliding window of figures: it moves in steps of a 720th, so that the server can keep what lies between. */
export function steadyNow(filters: Filters, nowMs: number): number {
  const range = filters.range ?? DEFAULT_RANGE;
  return range === "all" || isCustom(filters) ? nowMs : nowMs - (nowMs % (RANGE_MS[range] / 720));
}

/** Whether anything but the time window narrows the list. */
export function isNarrowed(filters: Filters): boolean {
  return [...TEXTS, "status" as const].some((key) => filters[key] !== undefined);
}

/** Parameters as a plain query string: no JSON, no quotes, defaults left out. */
export function toSearch(search: object): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === "string" && value !== "") parameters.set(key, value);
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

export function fromSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
