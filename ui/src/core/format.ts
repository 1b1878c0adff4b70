/** Numbers as people read them. 64-bit values come as decimal text and are only narrowed once scaled. */

const NS_PER_MS = 1_000_000n;

/** A duration in ns (decimal text) as milliseconds; exact to the nanosecond below 2^53 ms. */
export function nsToMs(ns: string): number {
  const value = BigInt(ns);
  return Number(value / NS_PER_MS) + Number(value % NS_PER_MS) / 1e6;
}

/** "840 µs", "12 ms", "1.24 s", "3 m 05 s", "2 h 04 m". */
export function duration(ns: string | null | undefined): string {
  return ns === null || ns === undefined ? "–" : durationMs(nsToMs(ns));
}

export function durationMs(ms: number): string {
  if (ms <= 0) return "0 ms";
  if (ms < 1) return `${trim(ms * 1000, 0)} µs`;
  if (ms < 10) return `${trim(ms, 1)} ms`;
  if (ms < 999.5) return `${trim(ms, 0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${trim(seconds, 2)} s`;
  if (seconds < 59.95) return `${trim(seconds, 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} m`;
}

/** Nano-units of money (decimal text) with as many digits as matter: "$12.40", "$0.341", "$0.000123". */
export function money(nano: string | null | undefined, currency = "USD"): string {
  if (nano === null || nano === undefined) return "unpriced";
  const value = BigInt(nano);
  const sign = value < 0n ? "-" : "";
  const size = value < 0n ? -value : value;
  const symbol = currency === "USD" ? "$" : currency === "EUR" ? "€" : "";
  const suffix = symbol === "" ? ` ${currency}` : "";
  return `${sign}${symbol}${amount(size)}${suffix}`;
}

/** How dollars are shown: so many units of a currency for one, by the rate of a day. */
export interface Display {
  currency: string;
  per_usd: string;
  rate_day?: string | null;
}

export const DOLLARS: Display = { currency: "USD", per_usd: "1" };

/** Nano-dollars (decimal text) as nano-units of the currency that is shown, cut to whole ones. */
export function shownNano(nanoUsd: string, display: Display): string {
  if (display.currency === "USD") return nanoUsd;
  const micro = BigInt(Math.round(Number(display.per_usd) * 1e6));
  return ((BigInt(nanoUsd) * micro) / 1_000_000n).toString();
}

/** Nano-dollars in the currency that is shown. */
export function shownMoney(nanoUsd: string | null | undefined, display: Display): string {
  return nanoUsd === null || nanoUsd === undefined ? money(nanoUsd) : money(shownNano(nanoUsd, display), display.currency);
}

function amount(nano: bigint): string {
  if (nano === 0n) return "0";
  const whole = nano / 1_000_000_000n;
  const digits = nano.toString().padStart(10, "0").slice(-9);
  if (whole >= 1n) {
    const cents = (nano + 5_000_000n) / 10_000_000n;
    return `${group((cents / 100n).toString())}.${(cents % 100n).toString().padStart(2, "0")}`;
  }
  // Three digits that matter, so that a column of costs lines up in size.
  const keep = Math.min(9, digits.search(/[1-9]/) + 3);
  const step = 10n ** BigInt(9 - keep);
  const rounded = ((nano + step / 2n) / step) * step;
  if (rounded >= 1_000_000_000n) return "1.00";
  return `0.${rounded.toString().padStart(9, "0").slice(0, keep)}`;
}

/** Nano-units as a plain number of units, for charts only. */
export function nanoToUnits(nano: string): number {
  return Number(BigInt(nano)) / 1e9;
}

/** 1 234 → "1,234". */
export function count(value: number): string {
  return group(Math.round(value).toString());
}

/** 950 → "950", 12 400 → "12.4k", 3 100 000 → "3.1M". */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size < 10_000) return count(value);
  if (size < 999_500) return `${trim(value / 1e3, size < 99_950 ? 1 : 0)}k`;
  if (size < 999_500_000) return `${trim(value / 1e6, size < 99_950_000 ? 1 : 0)}M`;
  return `${trim(value / 1e9, 1)}B`;
}

/** A share of a whole: "0%", "0.42%", "12.5%", "<0.01%". */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "0%";
  const share = (part / whole) * 100;
  if (share < 0.01) return "<0.01%";
  return `${trim(share, share < 1 ? 2 : share < 99.95 ? 1 : 0)}%`;
}

/** Bytes of text as a person says them. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${trim(bytes / 1e3, bytes < 1e4 ? 1 : 0)} kB`;
  return `${trim(bytes / 1e6, 1)} MB`;
}

/** "gpt-4o, +1" would hide one: names joined, or the first and how many more. */
export function names(list: readonly string[], most = 1): string {
  if (list.length <= most) return list.join(", ");
  return `${list.slice(0, most).join(", ")} +${list.length - most}`;
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits);
}

function pad(value: number): string {
  return value.toString().padStart(2, "0");
}

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
